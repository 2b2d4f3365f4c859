"""The scenarios, by subject."""

from . import attributes, logins, parking, prepared, queues, responses, results, scripts

__all__ = [
    "attributes",
    "logins",
    "parking",
    "prepared",
    "queues",
    "responses",
    "results",
    "scripts",
]
