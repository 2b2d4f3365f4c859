"""Commands that are no statements, and the life of a connection."""

from __future__ import annotations

from ..fixtures import IDENTITIES
from ..maker import Burst, Kind, Maker
from ..steps import Step

__all__ = ["COLLATIONS", "KINDS", "connect"]

# utf8mb4_general_ci, latin1_swedish_ci, utf8mb3_general_ci, latin2_general_ci, utf8mb4_unicode_ci
COLLATIONS = (45, 45, 45, 8, 33, 9, 224)


def connect(make: Maker) -> Step:
    """A new connection of the client."""
    client = make.client
    collation, database = make.choose.choice(COLLATIONS), make.database()
    return make.step("connect", client.identity, collation, database, effect="forget")


def _init_db(make: Maker) -> Step:
    return make.step("init_db", make.one_of("o1", "o2", "o1", "o2", "nowhere", "o3"))


def _ping(make: Maker) -> Step:
    return make.step("ping")


def _reset(make: Maker) -> Step:
    return make.step("reset_connection", effect="forget")


def _change_user(make: Maker) -> Step:
    identity = make.choose.choice(IDENTITIES)
    collation, database = make.choose.choice(COLLATIONS), make.database()
    return make.step("change_user", identity, collation, database, effect="forget")


def _refused(make: Maker) -> Burst:
    """A login, or a change of user, that is refused; afterwards there is no connection."""
    wrong = make.choose.choice(IDENTITIES)._replace(password="wrong")
    right = make.client.identity
    steps = [
        make.step("change_user", wrong, 45, "o1", effect="forget"),
        make.step("connect", right._replace(password="wrong"), 45, "o1", effect="forget"),
        make.step("connect", right, 45, "nowhere", effect="forget"),
    ]
    return make.burst(make.choose.choice(steps), connect(make))


def _set_option(make: Maker) -> Burst:
    off = make.chance(0.5)
    steps = [make.step("set_option", int(off)), make.query("SELECT 1; SELECT 2")]
    if make.chance(0.7):
        steps.append(make.step("set_option", 0))
    return make.burst(*steps)


def _field_list(make: Maker) -> Burst | None:
    """Without a default database MariaDB may answer with an OK, for which nobody is prepared."""
    if make.dialect.is_mysql:
        return None
    table = make.one_of("t1", "only", "no_such")
    return make.together(
        [make.step("init_db", make.one_of("o1", "o2")), make.step("field_list", table)]
    )


def _again(make: Maker) -> Burst:
    return make.burst(make.step("quit", effect="forget", tags="quits"), connect(make))


KINDS = (
    Kind("COM_INIT_DB", 3, _init_db),
    Kind("COM_PING", 0.7, _ping),
    Kind("COM_RESET_CONNECTION", 2, _reset),
    Kind("COM_CHANGE_USER", 1.5, _change_user),
    Kind("refused login", 0.4, _refused),
    Kind("COM_SET_OPTION", 0.7, _set_option),
    Kind("COM_FIELD_LIST", 0.4, _field_list),
    Kind("new connection", 3, _again),
)
