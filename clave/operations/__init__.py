"""How the processes of an installation run: launched, watched, replaced, stopped."""
