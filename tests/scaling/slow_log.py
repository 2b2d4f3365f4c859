"""The slow log of a proxy, in which all commands are slow."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

__all__ = ["SlowLog"]


class SlowLog:
    """What a proxy has served so far."""

    def __init__(self, path: Path) -> None:
        text = path.read_text() if path.exists() else ""
        # Of a proxy that was killed the last line may be a part of one.
        lines = text[: text.rfind("\n") + 1].splitlines()
        self.entries: list[dict[str, Any]] = [json.loads(line) for line in lines]

    def addresses(self) -> dict[str, set[str]]:
        """The addresses that each user came from."""
        found: dict[str, set[str]] = defaultdict(set)
        for entry in self.entries:
            if entry["user"]:
                found[entry["user"]].add(entry["client"].rpartition(":")[0])
        return found

    def served(self, user: str, query: str) -> int:
        """How many commands of a user, whose text begins so, had an answer that is no error."""
        return sum(
            entry["user"] == user
            and entry["error"] is None
            and not entry["aborted"]
            and (entry["query"] or "").startswith(query)
            for entry in self.entries
        )
