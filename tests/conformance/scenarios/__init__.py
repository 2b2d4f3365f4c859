"""The scenarios, by subject."""

from . import logins, parking, prepared, queues, responses, results, scripts

__all__ = ["logins", "parking", "prepared", "queues", "responses", "results", "scripts"]
