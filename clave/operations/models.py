"""Heartbeat of the workers."""

from django.db import models


class Heartbeat(models.Model):
    """When a worker was last known to be alive."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()
