"""Settings of all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("turbo", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("turbo")
