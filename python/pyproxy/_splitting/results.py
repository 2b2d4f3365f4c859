"""What a splitter learns from results."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from pyproxy import (
    COM_FIELD_LIST,
    COM_INIT_DB,
    COM_PING,
    COM_QUERY,
    COM_STMT_BULK_EXECUTE,
    COM_STMT_EXECUTE,
    COM_STMT_PREPARE,
    COM_STMT_RESET,
    commands,
)
from pyproxy._pooling.session import Outcome
from pyproxy._pooling.ties import OPTION, REPORTS, UNSEEN
from pyproxy._splitting import answers, values
from pyproxy._splitting.drafts import adds_error, draft_of, note_found_later
from pyproxy._splitting.found import LOST, changes_found_rows
from pyproxy._splitting.state import UNSEEN_CHANGE, SplitState
from pyproxy._splitting.texts import reading_of
from pyproxy.proto import PacketError, from_err_packet, from_stmt_prepare_ok_packet

if TYPE_CHECKING:
    from pyproxy import Injection, Proxy, Resultset, SessionChanges

__all__ = [
    "CATCH_UP",
    "COLUMNS",
    "COMMAND",
    "behind_command",
    "expect_mode",
    "has_old_names",
    "is_mysql",
    "is_for_primary",
    "must_stay",
    "note_command",
    "text_of",
]

CATCH_UP = 11
"""The id of the question whether a replica has what the client wrote."""
COMMAND = 1
"""The id of the client's own command in the queue."""
COLUMNS: dict[bool, answers.Columns] = {}
"""How MariaDB describes the columns of the answer to `QUESTION`; under True."""

# ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, ER_OPTION_PREVENTS_STATEMENT, ER_READ_ONLY_MODE
_FOR_PRIMARY = (1792, 1290, 1836)
_NO_TRANSACTION = "________"
# CLIENT_MULTI_STATEMENTS
_MULTI_STATEMENTS = 1 << 16


def must_stay(proxy: Proxy, state: SplitState) -> bool:
    """Whether the next command has to run on the attached connection."""
    server = proxy.connection.server
    session = server.session if server is not None else None
    if session is not None and (
        session.transaction not in (None, _NO_TRANSACTION) or session.characteristics
    ):
        return True
    return state.must_stay


def expect_mode(proxy: Proxy, state: SplitState) -> None:
    """A replica runs nothing that writes: whatever the text hides fails there before it does anything."""
    backend, session = proxy.connection.backend, proxy.connection.client_session
    name = values.READ_ONLY
    is_replica = backend is not None and backend.type == proxy.BACKEND_TYPE_RO
    if is_replica:
        session.expect({name: "1"})
    elif name in session.settings or state.read_only is not None:
        session.expect({name: state.read_only or "0"})


def is_for_primary(inj: Injection) -> bool:
    """Whether a replica refused to run it because it writes."""
    error = inj.resultset.error
    return error is not None and from_err_packet(error).errcode in _FOR_PRIMARY


def note_command(proxy: Proxy, state: SplitState, inj: Injection) -> Outcome:
    """The client's command is answered."""
    result, query, of_mysql = inj.resultset, inj.query, is_mysql(proxy)
    outcome = _outcome(result, query[0])
    state.note_result(outcome)
    if outcome.auto_commit is not None:
        state.no_backslash_escapes = result.flags.no_backslash_escapes
    own_warnings = 0
    if query[0] == COM_STMT_PREPARE and not outcome.is_error:
        with contextlib.suppress(PacketError):
            statement = from_stmt_prepare_ok_packet(result.raw or b"")
            own_warnings = statement.warnings
            command = commands.parse(query)
            has_database = bool(proxy.connection.client.default_db)
            reading = reading_of(proxy, state, command.query)
            state.statements.prepared(statement.stmt_id, command, has_database, reading)
    if query[0] == COM_STMT_EXECUTE and outcome.is_error:
        state.statements.note_refused(commands.parse(query))
    _note_changes(proxy, state, result.session_changes, outcome)
    state.owes_warnings = False
    state.warned = outcome.is_error or outcome.warnings > 0
    if state.route.keeps_diagnostics and not outcome.is_error:
        # To prepare what names a table ends those of MariaDB.
        ends = of_mysql or own_warnings > 0 or not state.route.has_no_table
        own = own_warnings if ends else None
        state.owes_warnings = own_warnings > 0 and not state.is_at_hand
        if state.memory is not None:
            state.memory = behind_command(state.memory, query[0], own)
        elif state.draft is not None:
            state.draft = behind_command(state.draft, query[0], own)
        elif of_mysql:
            # Nothing was before.
            state.draft = answers.Memory(None, row_count=0, warning_count=0)
        return outcome
    state.memory = None
    affected = None if outcome.is_error else result.affected_rows
    rows = None if outcome.is_error or affected is not None else result.row_count
    # An error may come behind some.
    has_rows = rows is not None or (outcome.is_error and result.row_count > 0)
    if state.is_fresh and not of_mysql:
        state.before = answers.Memory(COLUMNS.get(True), warning_count=0)
    state.is_fresh = False
    route = state.route
    if route.has_several and not _may_run_several(proxy, state):
        route = replace(route, has_several=False)
    state.note_found_rows(
        changes_found_rows(
            "" if route.is_read else text_of(proxy),
            route,
            # Those of an execution may be parameters.
            has_rows=has_rows and not (query[0] == COM_STMT_EXECUTE and route.ties & UNSEEN),
            error=_number(result),
            is_mysql=of_mysql,
        )
    )
    if of_mysql and not outcome.is_error:
        note_found_later(state, text_of(proxy), affected)
    elif of_mysql and has_rows:
        # They count behind another statement, and how many they were is not known.
        state.found_later = LOST
    stays = of_mysql or not state.route.has_no_table
    state.is_at_hand = state.carried_found is None and (stays or state.is_at_hand)
    state.draft = None
    state.adds_error = of_mysql and adds_error(result, query[0])
    if state.adds_error and state.before is not None:
        # The attached connection lists the error, but not what was there before: questions have come in between.
        state.owes_warnings = not state.before.is_clean
    if state.warned or not state.route.has_no_table:
        state.note_warnings(state.warned)
    if of_mysql:
        state.draft = draft_of(result, state.route, text_of(proxy))
    if query[0] in (COM_QUERY, COM_STMT_EXECUTE):
        columns = None if of_mysql else COLUMNS.get(True)
        state.memory = state.memory_of(outcome, rows, columns, of_mysql)
    may_keep = state.route.has_no_table or state.route.has_several
    if may_keep and not of_mysql and not outcome.is_error:
        # They are those of the statement before, which another connection has; this one may have those of an earlier.
        before, others = state.before, state.has_warnings
        is_owed = before is not None and (others or not before.is_clean)
        state.owes_warnings = is_owed and not outcome.warnings
    server = proxy.connection.server if state.ties else None
    if server is not None and server.session is not None:
        for tie in state.ties - server.session.ties:
            server.session.tie(tie)
    return outcome


def _number(result: Resultset) -> int | None:
    """That of the error, if it is one."""
    return None if result.error is None else from_err_packet(result.error).errcode


def _may_run_several(proxy: Proxy, state: SplitState) -> bool:
    """Whether its client may send several statements in a command."""
    capabilities = proxy.connection.client.capabilities or 0
    return bool(capabilities & _MULTI_STATEMENTS or OPTION in state.ties)


def behind_command(memory: answers.Memory, command: int, own: int | None) -> answers.Memory:
    """What is known behind a command that is no statement. `own`: how many warnings are in the place of those of before; None: those stay."""
    if command in (COM_PING, COM_INIT_DB, COM_STMT_RESET):
        return replace(memory, row_count=0)
    if command == COM_FIELD_LIST:
        return replace(memory, row_count=-1)
    if command == COM_STMT_PREPARE and own is not None:
        return replace(memory, warning_count=own, warnings=None, own_count=None)
    return memory


def text_of(proxy: Proxy) -> str:
    """The SQL of the client's command, also where that only executes it."""
    command = proxy.command
    return (command.sql if command is not None else None) or ""


def _outcome(result: Resultset, command: int) -> Outcome:
    is_error = result.error is not None
    if is_error or command not in (COM_QUERY, COM_STMT_EXECUTE, COM_STMT_BULK_EXECUTE):
        return Outcome(is_error)
    flags = result.flags
    return Outcome(
        is_error,
        in_transaction=flags.in_trans,
        auto_commit=flags.auto_commit,
        insert_id=result.insert_id or 0,
        warnings=result.warning_count,
    )


def _note_changes(
    proxy: Proxy,
    state: SplitState,
    changes: SessionChanges | None,
    outcome: Outcome,
) -> None:
    """The text says what changed, and the server that this was all."""
    route = state.route
    names = route.setting.names if route.setting is not None and not outcome.is_error else ()
    # Who keeps the connection need not be asked, and may be told of it.
    state.asked = values.variables(names) if names and REPORTS not in state.ties else ()
    if changes is None:
        if not outcome.is_error and not route.is_plain and not route.goes_anywhere:
            state.ties.add(UNSEEN_CHANGE)
        return
    told = changes.variables
    if state.asked:
        # MariaDB may report the value under another name.
        ours = ("last_gtid", values.READ_ONLY, *state.asked)
        more = (name for name in values.variables(told) if name not in ours)
        state.asked = (*state.asked, *more)
    gtid = changes.gtids or told.get("last_gtid")
    if gtid:
        state.gtids.append(gtid)
    ours = ("last_gtid", values.READ_ONLY)
    variables = [name for name in values.variables(told) if name not in ours] if told else []
    if not changes.state and not variables:
        return
    is_explained = bool(names or route.ties or route.frees) or route.database is not None
    if route.is_read and not variables and _runs_program(proxy, changes):
        # Of a view. A replica's mode lets it change nothing.
        is_explained = True
    if route.is_read and "SET_VAR" in text_of(proxy).upper():
        # A hint of MySQL's: what it sets is reported, and does not stay.
        is_explained = True
    if not is_explained:
        state.ties.add(UNSEEN_CHANGE)


def _runs_program(proxy: Proxy, changes: SessionChanges) -> bool:
    """Whether a replica reports the default database, and it is the one that the client has: programs have their own."""
    backend, client = proxy.connection.backend, proxy.connection.client
    is_replica = backend is not None and backend.type == proxy.BACKEND_TYPE_RO
    return is_replica and changes.schema is not None and changes.schema == client.default_db


def is_mysql(proxy: Proxy) -> bool:
    """Whether the server is a MySQL from 5.7.20 on; a MariaDB may greet as 5.5.5."""
    return 50_720 <= _version(proxy) < 100_000


def has_old_names(proxy: Proxy) -> bool:
    """Whether the server is a MariaDB before 11.1, or a MySQL before 5.7.20."""
    return not (is_mysql(proxy) or _version(proxy) >= 110_101)


def _version(proxy: Proxy) -> int:
    server = proxy.connection.server
    return (server.mysqld_version if server is not None else None) or 0
