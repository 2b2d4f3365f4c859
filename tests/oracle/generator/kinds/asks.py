"""What clients ask of their session: counts, ids, warnings, settings, where they are."""

from __future__ import annotations

from ..maker import Burst, Kind, Maker
from ..steps import Step
from .variables_of_session import names

__all__ = ["KINDS"]

_EXACT = (
    "SELECT LAST_INSERT_ID()",
    "SELECT ROW_COUNT()",
    "SELECT FOUND_ROWS()",
    "SELECT @@warning_count",
    "SELECT @@last_insert_id",
    "SELECT @@identity",
)
_OTHER = (
    "SELECT ROW_COUNT() AS n, FOUND_ROWS() AS m",
    "SELECT LAST_INSERT_ID() + 0 AS last",
    "SELECT @@warning_count, @@error_count",
    "SELECT @@error_count",
    "SELECT id, LAST_INSERT_ID() FROM o1.t1 WHERE id = 1",
    "SELECT a FROM o1.t1 WHERE id = LAST_INSERT_ID()",
    "SELECT @@insert_id",
    "SELECT ROW_COUNT() INTO @count",
)
_WARNINGS = (
    "SHOW WARNINGS",
    "SHOW WARNINGS",
    "SHOW ERRORS",
    "SHOW COUNT(*) WARNINGS",
    "SHOW COUNT(*) ERRORS",
    "SHOW WARNINGS LIMIT 1",
    "GET DIAGNOSTICS @d = NUMBER",
    "GET DIAGNOSTICS CONDITION 1 @m = MESSAGE_TEXT",
)
_WHERE = (
    "SELECT DATABASE()",
    "SELECT DATABASE(), SCHEMA()",
    "SELECT CURRENT_USER(), USER()",
    "SELECT CURRENT_ROLE()",
    "SELECT @@autocommit, @@{isolation}, @@{read_only}",
    "SELECT @@session.{isolation}",
    "SELECT @u1, @u2, @out, @trigger_saw, @function_saw, @procedure_saw",
    "SELECT @u1",
    "SELECT @@profiling",
    "SELECT v FROM o3.secret ORDER BY k",
    "SELECT IS_FREE_LOCK('lock_a'), IS_USED_LOCK('lock_a') = CONNECTION_ID()",
    "SELECT IS_FREE_LOCK('lock_b'), IS_USED_LOCK('lock_b') = CONNECTION_ID()",
    "SELECT @@character_set_client, @@character_set_connection, @@character_set_results,"
    " @@collation_connection, @@character_set_database, @@collation_database",
)


def _exact(make: Maker) -> Step:
    return make.query(make.choose.choice(_EXACT))


def _other(make: Maker) -> Step:
    return make.query(make.choose.choice(_OTHER), reads="o1.t1")


def _warnings(make: Maker) -> Burst | Step:
    step = make.query(make.choose.choice(_WARNINGS))
    return make.burst(step, make.query("SELECT @d, @m")) if "DIAGN" in step.args[0] else step


def _where(make: Maker) -> Step:
    dialect = make.dialect
    sql = make.choose.choice(_WHERE)
    sql = sql.format(isolation=dialect.isolation, read_only=dialect.read_only)
    return make.query(sql, reads="o3.secret")


def _settings(make: Maker) -> Step:
    some = make.some(names(make.dialect), 5)
    form = make.one_of("@@session.{}", "@@{}", "@@SESSION.{}", "@@local.{}")
    return make.query("SELECT " + ", ".join(form.format(name) for name in some))


def _all_settings(make: Maker) -> Step:
    every = ", ".join(f"@@session.{name}" for name in names(make.dialect))
    return make.query(f"SELECT {every}")


def _temporary(make: Maker) -> Step | None:
    if not make.client.temporary:
        return None
    return make.query(f"SELECT * FROM {make.choose.choice(sorted(make.client.temporary))}")


KINDS = (
    Kind("asks about the last", 8, _exact),
    Kind("asks about the last, in other words", 3, _other),
    Kind("asks for warnings", 6, _warnings),
    Kind("asks where it is", 7, _where),
    Kind("asks for settings", 6, _settings),
    Kind("asks for all settings", 2, _all_settings),
    Kind("asks for temporary tables", 4, _temporary),
)
