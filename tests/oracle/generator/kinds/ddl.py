"""Changes of tables and programs by clients."""

from __future__ import annotations

from ..maker import Burst, Kind, Maker
from ..steps import Step

__all__ = ["KINDS", "by_others"]

_CHANGES = (
    "ALTER TABLE o1.t1 ADD COLUMN extra INT DEFAULT 4",
    "ALTER TABLE o1.t1 DROP COLUMN extra",
    "ALTER TABLE o1.t1 MODIFY b VARCHAR(30)",
    "ALTER TABLE o1.t2 ADD INDEX n_index (n)",
    "TRUNCATE TABLE o1.log",
    "TRUNCATE o2.only",
    "CREATE OR REPLACE VIEW o1.v1 AS SELECT id, a * 2 AS a FROM o1.t1",
    "DROP VIEW IF EXISTS o1.v_write",
    "DROP FUNCTION IF EXISTS o1.f_pure",
    "CREATE INDEX b_index ON o1.t1 (b)",
    "DROP TABLE o1.texts",
    "RENAME TABLE o2.only TO o2.renamed",
    "ANALYZE TABLE o1.t2",
    "OPTIMIZE TABLE o1.t2",
    "ALTER TABLE o1.no_such ADD a INT",
    "CREATE TABLE o1.t1 (a INT)",
    "CREATE DATABASE IF NOT EXISTS o1",
    "ALTER TABLE o1.t1 AUTO_INCREMENT = 300",
)


def _change(make: Maker) -> Step:
    return make.query(make.choose.choice(_CHANGES), is_ddl=True, effect="end", tags="ddl")


def _create(make: Maker) -> Burst:
    name = make.one_of("o1", "o2") + "." + make.name("made")
    sql = make.one_of(
        f"CREATE TABLE {name} (id INT AUTO_INCREMENT PRIMARY KEY, x INT)",
        f"CREATE TABLE {name} (id INT AUTO_INCREMENT PRIMARY KEY, x INT) SELECT a AS x FROM o1.t1",
        f"CREATE TABLE {name} LIKE o1.t1",
        f"CREATE TABLE IF NOT EXISTS {name} (id INT PRIMARY KEY, x INT) COMMENT 'own'",
    )
    steps = [
        make.query(sql, is_ddl=True, effect="end", tags="ddl"),
        make.query(f"SELECT COUNT(*) FROM {name}"),
    ]
    if make.chance(0.5):
        steps.append(make.query(f"INSERT INTO {name} VALUES ()", writes=name))
    if make.chance(0.4):
        steps.append(make.query(f"DROP TABLE {name}", is_ddl=True, effect="end", tags="ddl"))
    return make.burst(*steps)


def _drop_database(make: Maker) -> Burst:
    return make.burst(
        make.query("USE o2"),
        make.query("DROP DATABASE o2", is_ddl=True, effect="end", tags="ddl"),
        make.query("SELECT DATABASE()"),
        make.query("SHOW TABLES"),
    )


def by_others(make: Maker) -> str:
    """A change that is made by nobody of the session."""
    return make.choose.choice((*_CHANGES[:12], "DROP DATABASE o2", "DROP TABLE o1.t3"))


KINDS = (
    Kind("DDL", 1.2, _change),
    Kind("CREATE TABLE", 1.2, _create),
    Kind("DROP DATABASE", 0.15, _drop_database),
)
