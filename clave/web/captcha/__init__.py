"""Validación de seguridad anti-Robots: a few letters, seen or heard, usable once and within five minutes.

A page carries only a signed ticket bound to its browser; the letters are derived from the ticket and the secret key, so
rendering a form, its picture or its sound stores nothing. Networks with heavy use get more letters (`price`); a proof
of work, where scripts run, reduces their number (`proof`). Decision 0022. Source: guide "Clave SENCE - Persona
Jurídica", section 2, step 6.
"""
