"""Processes of an installation: starting, supervising, replacing and stopping them."""
