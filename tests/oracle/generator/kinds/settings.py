"""SET in its forms, and USE."""

from __future__ import annotations

from ..maker import Burst, Kind, Maker
from ..steps import Step
from .variables_of_session import names, values

__all__ = ["KINDS", "simple"]

_PLACES = ("", "", "", "SESSION ", "LOCAL ", "@@", "@@session.", "@@SESSION.", "@@local.")
_LEVELS = ("READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
_NAMES = ("latin1", "utf8mb4", "utf8mb3", "latin2", "binary", "DEFAULT", "'cp1251'")
_COLLATIONS = (
    ("latin1", "latin1_bin"),
    ("utf8mb4", "utf8mb4_unicode_ci"),
    ("latin1", "latin1_german1_ci"),
)
_WRONG = (
    "SET no_such_variable = 1",
    "SET sql_mode = 'NO_SUCH_MODE'",
    "SET time_zone = 'Nowhere/City'",
    "SET div_precision_increment = 'x'",
    "SET NAMES no_such_charset",
    "SET div_precision_increment = 3, no_such_variable = 1",
    "SET @@global.no_such = 1",
    "SET ROLE no_such_role",
    "SET",
    "SET version = 'x'",
)


def _assignment(make: Maker) -> tuple[str, str]:
    names_of_all = sorted(values(make.dialect))
    if make.world.has_restarts:
        names_of_all = [name for name in names_of_all if not name.startswith("auto_increment")]
    name = make.choose.choice(names_of_all)
    value = make.choose.choice(values(make.dialect)[name])
    return name, f"{make.choose.choice(_PLACES)}{name} {make.one_of('=', '=', ':=')} {value}"


def simple(make: Maker) -> str:
    """A SET of one variable."""
    return f"SET {_assignment(make)[1]}"


def _one(make: Maker) -> Step:
    return make.query(simple(make))


def _several(make: Maker) -> Step:
    parts = [_assignment(make)[1] for _ in range(make.number(2, 3))]
    if make.chance(0.15):
        parts.append(f"@u1 = {make.number()}")
    return make.query("SET " + ", ".join(parts))


def _expression(make: Maker) -> Step:
    return make.query(
        make.one_of(
            "SET sql_mode = (SELECT 'ANSI_QUOTES')",
            "SET div_precision_increment = (SELECT COUNT(*) FROM o2.only)",
            "SET group_concat_max_len = @@div_precision_increment + 4",
            "SET sql_mode = CONCAT('ANSI', '_QUOTES')",
            "SET div_precision_increment = o1.f_pure(2)",
            "SET max_error_count = @@GLOBAL.max_error_count - 10",
            "SET sql_select_limit = @u1",
            "SET time_zone = @@GLOBAL.time_zone",
            "SET max_error_count = o1.f_write(20)",
        ),
        writes="o1.log",
    )


def _names(make: Maker) -> Step:
    if make.chance(0.3):
        charset, collation = make.choose.choice(_COLLATIONS)
        return make.query(f"SET NAMES {charset} COLLATE {collation}")
    verb = make.one_of("NAMES", "NAMES", "CHARACTER SET", "CHARSET")
    return make.query(f"SET {verb} {make.choose.choice(_NAMES)}")


def _isolation(make: Maker) -> Step:
    level = make.choose.choice(_LEVELS)
    if make.chance(0.6):
        scope = make.one_of("SESSION ", "SESSION ", "")
        text = f"SET {scope}TRANSACTION ISOLATION LEVEL {level}"
    else:
        place = make.one_of("SESSION ", "@@session.", "", "@@")
        text = f"SET {place}{make.dialect.isolation} = '{level.replace(' ', '-')}'"
    effect = "serializable" if level == "SERIALIZABLE" else ""
    return make.query(text, effect=effect)


def _access(make: Maker) -> Step:
    mode = make.one_of("READ ONLY", "READ WRITE")
    forms = [
        f"SET SESSION TRANSACTION {mode}",
        f"SET TRANSACTION {mode}",
        f"SET SESSION {make.dialect.read_only} = {int(mode == 'READ ONLY')}",
        f"SET TRANSACTION ISOLATION LEVEL READ COMMITTED, {mode}",
        f"SET @@{make.dialect.read_only} = {int(mode == 'READ ONLY')}",
        "SET SESSION TRANSACTION READ WRITE",
    ]
    return make.query(make.choose.choice(forms))


def _role(make: Maker) -> Burst:
    role = make.one_of("r1", "r2", "NONE", "r1", "'r2'")
    asks = make.one_of("SELECT CURRENT_ROLE()", "SELECT v FROM o3.secret ORDER BY k")
    more = [make.query(asks, reads="o3.secret")] if make.chance(0.5) else []
    return make.burst(make.query(f"SET ROLE {role}"), *more)


def _global(make: Maker) -> Burst | None:
    if make.world.has_restarts:
        return None
    name, value = make.one_of(
        ("div_precision_increment", "6"),
        ("max_error_count", "40"),
        ("group_concat_max_len", "500"),
        ("default_week_format", "2"),
    )
    places = ["GLOBAL ", "@@GLOBAL.", "@@global."]
    place = make.choose.choice([*places, "PERSIST "] if make.dialect.is_mysql else places)
    both = f", SESSION {name} = {value}" if make.chance(0.2) else ""
    return make.burst(
        make.query(f"SET {place}{name} = {value}{both}", tags="global"),
        make.query(f"SELECT @@GLOBAL.{name}, @@SESSION.{name}"),
    )


def _for_one_statement(make: Maker) -> Step:
    if make.dialect.is_mariadb:
        setting = make.one_of(
            "div_precision_increment = 9", "sql_mode = 'ANSI_QUOTES'", "max_statement_time = 20"
        )
        sql, writes = make.one_of(
            ("SELECT 1 / 7", ""),
            ('SELECT "id" FROM o1.t1 WHERE id = 1', ""),
            ("UPDATE o1.t1 SET a = a + 1 WHERE id = 2", "o1.t1"),
            ("INSERT INTO o1.log (what) VALUES ('s')", "o1.log"),
            ("SELECT no_such FROM o1.t1", ""),
        )
        return make.query(f"SET STATEMENT {setting} FOR {sql}", writes=writes)
    hint = make.one_of("SET_VAR(div_precision_increment = 9)", "SET_VAR(sort_buffer_size = 65536)")
    return make.query(f"SELECT /*+ {hint} */ 1 / 7")


def _tracking(make: Maker) -> Step:
    return make.query(
        make.one_of(
            "SET session_track_schema = OFF",
            "SET session_track_state_change = ON",
            "SET session_track_system_variables = 'autocommit,sql_mode'",
            "SET session_track_transaction_info = 'CHARACTERISTICS'",
        )
    )


def _profiling(make: Maker) -> Burst:
    steps = [make.query("SET profiling = 1"), make.query("SELECT 1 + 1")]
    return make.burst(*steps, make.query("SELECT @@profiling"), make.query("SET profiling = 0"))


def _use(make: Maker) -> Step:
    name = make.one_of("o1", "o2", "`o1`", "o1", "o2", "nowhere", "o3", "information_schema")
    return make.query(f"USE {name}")


def _random(make: Maker) -> Burst:
    seeds = make.query(f"SET rand_seed1 = {make.number()}, rand_seed2 = {make.number(10, 99)}")
    return make.burst(seeds, make.query("SELECT RAND()"), make.query("SELECT RAND(), RAND(3)"))


def _now(make: Maker) -> Burst:
    setting = make.query(f"SET timestamp = {make.number(1, 9)}00000000")
    asks = make.query("SELECT NOW(), UNIX_TIMESTAMP(), CURDATE()")
    return make.burst(setting, asks, make.query("SET timestamp = DEFAULT"))


def _wrong(make: Maker) -> Step:
    return make.query(make.choose.choice(_WRONG))


def _copy(make: Maker) -> Step:
    name = make.choose.choice(
        [n for n in names(make.dialect) if n not in ("autocommit", "insert_id")]
    )
    return make.query(f"SET @@session.{name} = @@session.{name}")


KINDS = (
    Kind("SET", 10, _one),
    Kind("SET of several", 3, _several),
    Kind("SET of an expression", 2, _expression),
    Kind("SET of a variable to itself", 0.7, _copy),
    Kind("SET NAMES", 3, _names),
    Kind("SET isolation", 2.5, _isolation),
    Kind("SET access mode", 2.5, _access),
    Kind("SET ROLE", 3, _role),
    Kind("SET GLOBAL", 0.6, _global),
    Kind("SET for one statement", 1.5, _for_one_statement),
    Kind("SET session_track", 0.7, _tracking),
    Kind("SET profiling", 0.6, _profiling),
    Kind("SET rand_seed", 0.5, _random),
    Kind("SET timestamp", 1.5, _now),
    Kind("SET that fails", 1.5, _wrong),
    Kind("USE", 4, _use),
)
