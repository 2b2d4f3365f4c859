"""The scenarios, by subject. Their names begin with the number they have in the host contract, where they have one."""

from . import logins, parking, prepared, queues, responses, results, scripts

__all__ = ["logins", "parking", "prepared", "queues", "responses", "results", "scripts"]
