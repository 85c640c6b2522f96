"""Submissions: a form that changes something does it once, however often it arrives."""

from django.db import models


class Submission(models.Model):
    """A one-time submission key that has been used, and what came of it.

    `key` is the SHA-256 of the key in the form, `claim` names the post that works on it. `secret` (a key shown on
    screen) is encrypted under the form's key itself, which is not stored: only the browser that sent it can
    see it again.
    """

    key = models.CharField(max_length=64, primary_key=True)
    kind = models.CharField(max_length=40)
    claim = models.CharField(max_length=16, blank=True)
    facts = models.JSONField(default=dict)
    secret = models.TextField(blank=True)
    browser = models.CharField(max_length=32)
    created_at = models.DateTimeField(db_index=True)
