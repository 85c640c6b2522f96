"""Clients, grants and keys of sign-on."""
