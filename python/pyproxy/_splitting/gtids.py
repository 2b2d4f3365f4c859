"""GTIDs of transactions, as servers report them, and the statement that waits for them. Pure.

MariaDB names a transaction by domain, server and number, and a position by the last one of each domain: `0-1-17,2-1-4`. MySQL names
it by a server's UUID, maybe a tag, and a number, and knows sets of them: `3e11fa47-...:5-7:9`.
"""

from __future__ import annotations

import re

__all__ = ["Gtids"]

_MARIADB = re.compile(r"(\d+)-\d+-(\d+)")
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
# More ranges of one server than this become one range: a wait for more than is needed ends later, and is right.
_MOST_RANGES = 32


class Gtids:
    """Transactions that a replica has to have."""

    def __init__(self) -> None:
        self.version = 0
        """Counts up when something new is added."""
        self._positions: dict[str, tuple[int, str]] = {}
        self._sets: dict[str, list[tuple[int, int]]] = {}

    def add(self, text: str) -> bool:
        """Adds what a server reported; False if it is none of the two forms."""
        found = False
        for part in text.replace("\n", "").split(","):
            found |= self._add_position(part.strip()) or self._add_set(part.strip())
        self.version += found
        return found

    def question(self, seconds: float) -> str | None:
        """The statement that waits so long for them on a replica, and answers 0 when it has them; None if there are none."""
        if self._positions:
            position = ",".join(text for _, text in self._positions.values())
            return f"SELECT MASTER_GTID_WAIT('{position}', {seconds})"
        if self._sets:
            sets = ",".join(
                ":".join((name, *(f"{first}-{last}" for first, last in ranges)))
                for name, ranges in self._sets.items()
            )
            return f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{sets}', {seconds})"
        return None

    def _add_position(self, part: str) -> bool:
        match = _MARIADB.fullmatch(part)
        if match is None:
            return False
        domain, number = match[1], int(match[2])
        if number >= self._positions.get(domain, (0, ""))[0]:
            self._positions[domain] = number, part
        return True

    def _add_set(self, part: str) -> bool:
        name, *rest = part.lower().split(":")
        found = False
        key = name
        for item in rest:
            match = _RANGE.fullmatch(item)
            if match is None:
                # A tag: the numbers behind it are its own.
                key = f"{name}:{item}"
                continue
            first = int(match[1])
            self._sets[key] = _merged(self._sets.get(key, []), first, int(match[2] or first))
            found = True
        return found


def _merged(ranges: list[tuple[int, int]], first: int, last: int) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted((*ranges, (first, last))):
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged if len(merged) <= _MOST_RANGES else [(merged[0][0], merged[-1][1])]
