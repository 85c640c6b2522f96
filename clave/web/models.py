"""Submissions: the record that makes forms idempotent."""

from django.db import models


class Submission(models.Model):
    """A used one-time submission key and the outcome.

    `key` is the SHA-256 of the key in the form; `claim` identifies the post that processes it. `secret` (a key shown on
    screen) is encrypted under the form's key, which is not stored: only the browser that sent the form can see the
    secret again.
    """

    key = models.CharField(max_length=64, primary_key=True)
    kind = models.CharField(max_length=40)
    claim = models.CharField(max_length=16, blank=True)
    facts = models.JSONField(default=dict)
    secret = models.TextField(blank=True)
    browser = models.CharField(max_length=32)
    created_at = models.DateTimeField(db_index=True)
