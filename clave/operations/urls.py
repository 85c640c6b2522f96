"""URLs for load balancers and monitoring."""

from django.urls import path

from clave.operations.health import healthz, readyz
from clave.operations.metrics import metrics

urlpatterns = [path("healthz", healthz), path("readyz", readyz), path("metrics", metrics)]
