"""django-oidc-provider, whose addresses ClaveÚnica's have, as oracle for the dialect's answers."""
