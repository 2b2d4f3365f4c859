"""Temporary tables, also such that hide a table of the same name."""

from __future__ import annotations

from ..maker import Burst, Kind, Maker
from ..steps import Step

__all__ = ["KINDS"]


def _create(make: Maker) -> Burst:
    name = make.one_of("o1.temp1", "o1.temp2", "o2.temp1")
    sql, tables = make.one_of(
        (f"CREATE TEMPORARY TABLE {name} (a INT, b VARCHAR(9))", ""),
        (f"CREATE TEMPORARY TABLE {name} SELECT id AS a, b FROM o1.t1 WHERE id < 4", "o1.t1"),
        (f"CREATE TEMPORARY TABLE {name} LIKE o1.t1", ""),
        (f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} (a INT, b INT)", ""),
        (f"CREATE TEMPORARY TABLE {name} (id INT AUTO_INCREMENT KEY, a INT) SELECT 5 AS a", ""),
    )
    steps = [make.query(sql, writes=tables, effect=f"temporary:{name}")]
    if make.chance(0.6):
        steps.append(make.query(f"INSERT INTO {name} (a) VALUES ({make.number()})"))
    if make.chance(0.6):
        steps.append(make.query(f"SELECT a FROM {name} ORDER BY a"))
    return make.burst(*steps)


def _hide(make: Maker) -> Burst:
    """Until it is dropped, this is what the client sees under the name."""
    name = make.one_of("o1.t1", "o2.only")
    steps = [
        make.query(f"CREATE TEMPORARY TABLE {name} (id INT, a INT, b VARCHAR(9), k INT, v INT)"),
        make.query(f"INSERT INTO {name} (id, a, k) VALUES (71, 72, 73)"),
        make.query(f"SELECT * FROM {name}"),
        make.query(f"DROP TEMPORARY TABLE {name}"),
        make.query(f"SELECT * FROM {name} ORDER BY 1"),
    ]
    return make.burst(*steps)


def _use(make: Maker) -> Step | None:
    if not make.client.temporary:
        return None
    name = make.choose.choice(sorted(make.client.temporary))
    sql = make.one_of(
        f"SELECT a FROM {name} ORDER BY a",
        f"SELECT COUNT(*) FROM {name}",
        f"INSERT INTO {name} (a) VALUES ({make.number()})",
        f"UPDATE {name} SET a = a + 1",
        f"TRUNCATE TABLE {name}",
        f"ALTER TABLE {name} ADD COLUMN extra INT",
        f"SELECT t1.id FROM o1.t1 JOIN {name} x ON x.a = t1.id ORDER BY 1",
    )
    return make.query(sql, reads="o1.t1")


def _drop(make: Maker) -> Step | None:
    if not make.client.temporary:
        return None
    name = make.choose.choice(sorted(make.client.temporary))
    words = make.one_of("DROP TEMPORARY TABLE", "DROP TEMPORARY TABLE IF EXISTS", "DROP TABLE")
    return make.query(f"{words} {name}", effect=f"dropped:{name}")


KINDS = (
    Kind("CREATE TEMPORARY", 2.5, _create),
    Kind("temporary table that hides another", 0.8, _hide),
    Kind("use of a temporary table", 4, _use),
    Kind("DROP TEMPORARY", 1, _drop),
)
