"""The pytest plugin of `make deep` (-p tools.deep): hypothesis tries hard, and processes are killed by hundreds."""

from hypothesis import HealthCheck, settings

settings.register_profile("deep", max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("deep")
