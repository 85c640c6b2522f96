"""Validación de seguridad anti-Robots: a few letters, seen or heard, used once, within five minutes.

A page carries only a signed ticket bound to its browser; the letters follow from the ticket and the secret key, so that
showing a form, its picture or its sound stores nothing. Who asks much from one network pays with more letters
(`price`); where scripts run, a proof of work makes them fewer (`proof`). Decision 0022. Source: guide "Clave SENCE -
Persona Jurídica", section 2, step 6.
"""
