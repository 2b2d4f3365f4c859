"""Locks that belong to a connection: by name, of tables, of everything; handlers."""

from __future__ import annotations

from ..maker import Burst, Kind, Maker
from ..steps import Step

__all__ = ["KINDS"]


def _by_name(make: Maker) -> Burst:
    name = make.one_of("lock_a", "lock_b")
    steps = [make.query(f"SELECT GET_LOCK('{name}', 0)")]
    if make.chance(0.6):
        steps.append(make.query(f"SELECT IS_FREE_LOCK('{name}')"))
    if make.chance(0.6):
        steps.append(
            make.query(
                make.one_of(
                    f"SELECT RELEASE_LOCK('{name}')",
                    "SELECT RELEASE_ALL_LOCKS()",
                    f"DO RELEASE_LOCK('{name}')",
                )
            )
        )
    return make.burst(*steps)


def _release(make: Maker) -> Step:
    return make.query(make.one_of("SELECT RELEASE_LOCK('lock_a')", "SELECT RELEASE_LOCK('lock_b')"))


def _tables(make: Maker) -> Burst:
    steps = [
        make.query(
            make.one_of("LOCK TABLES o1.t1 READ", "LOCK TABLE o1.t1 WRITE, o1.t2 READ"),
            is_ddl=True,
        ),
        make.query("SELECT id FROM o1.t1 ORDER BY id"),
        make.query(
            make.one_of("SELECT v FROM o1.t2 ORDER BY k", "UPDATE o1.t1 SET a = 1 WHERE id = 1")
        ),
    ]
    if make.chance(0.2):
        # Begins with the release of the tables.
        steps += [make.query("BEGIN", effect="begin"), make.query("ROLLBACK", effect="end")]
    if make.chance(0.9):
        return make.together([*steps, make.query("UNLOCK TABLES", effect="end")])
    return make.together([*steps, make.step("quit", effect="forget", tags="quits")])


def _everything(make: Maker) -> Burst:
    lock, unlock = ("FLUSH TABLES WITH READ LOCK", "UNLOCK TABLES")
    if make.chance(0.5):
        if make.dialect.is_mysql:
            lock, unlock = "LOCK INSTANCE FOR BACKUP", "UNLOCK INSTANCE"
        else:
            lock, unlock = "BACKUP LOCK o1.t2", "BACKUP UNLOCK"
    steps = [make.query(lock, is_ddl=True), make.query("SELECT v FROM o1.t2 ORDER BY k")]
    if "FLUSH" in lock:
        steps.append(make.query("UPDATE o1.t2 SET n = 1 WHERE k = 1"))
    return make.together([*steps, make.query(unlock, effect="end")])


def _flush(make: Maker) -> Step:
    return make.query(
        make.one_of("FLUSH TABLES o1.t2", "FLUSH STATUS", "FLUSH LOCAL TABLES"), is_ddl=True
    )


def _handler(make: Maker) -> Burst:
    steps = [make.query("HANDLER o1.t2 OPEN AS h", effect="open", reads="o1.t2")]
    steps += [
        make.query(
            make.one_of(
                "HANDLER h READ FIRST", "HANDLER h READ NEXT", "HANDLER h READ `PRIMARY` >= (2)"
            )
        )
        for _ in range(make.number(1, 3))
    ]
    if make.chance(0.8):
        steps.append(make.query("HANDLER h CLOSE", effect="closed"))
    return make.burst(*steps)


KINDS = (
    Kind("GET_LOCK", 2, _by_name),
    Kind("RELEASE_LOCK", 0.7, _release),
    Kind("LOCK TABLES", 1.2, _tables),
    Kind("lock of everything", 0.8, _everything),
    Kind("FLUSH", 0.4, _flush),
    Kind("HANDLER", 1, _handler),
)
