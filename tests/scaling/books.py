"""What servers have of what clients booked."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tests.oracle.servers.node import Node

from .report import Report

__all__ = ["check_books", "ids_of"]

TABLES = ("debits", "credits")


def ids_of(node: Node) -> dict[str, set[int]]:
    """The ids in each table."""
    return {
        table: {int(row[0] or 0) for row in node.rows(f"SELECT id FROM shop.{table}")}
        for table in TABLES
    }


def check_books(
    report: Report,
    server: str,
    acknowledged: Collection[int],
    attempted: Collection[int],
    ids: Mapping[str, set[int]],
) -> None:
    """What was acknowledged is there, what is there is whole, and nothing is there that nobody has asked for."""
    debits, credits = (ids[table] for table in TABLES)
    lost = set(acknowledged) - (debits & credits)
    report.check(not lost, f"{server}: {len(acknowledged)} acknowledged, {len(lost)} lost")
    halves = debits ^ credits
    report.check(
        not halves, f"{server}: {len(debits)} transactions, {len(halves)} of them by halves"
    )
    foreign = (debits | credits) - set(acknowledged) - set(attempted)
    report.check(not foreign, f"{server}: {len(foreign)} that nobody has booked")
