"""The worker's sign of life."""

from django.db import models


class Heartbeat(models.Model):
    """When a worker was last seen alive."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()
