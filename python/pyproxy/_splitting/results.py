"""What a splitter learns from results, and what it asks the connection before it gives it back."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from pyproxy import (
    COM_INIT_DB,
    COM_QUERY,
    COM_STMT_BULK_EXECUTE,
    COM_STMT_EXECUTE,
    COM_STMT_PREPARE,
    Raw,
)
from pyproxy._common.queries import query_packet
from pyproxy._pooling.session import Outcome
from pyproxy._pooling.ties import VARIABLE
from pyproxy._splitting import answers, values
from pyproxy._splitting.state import UNSEEN_CHANGE, SplitState
from pyproxy.proto import PacketError, from_err_packet, from_stmt_prepare_ok_packet

if TYPE_CHECKING:
    from pyproxy import Decision, Injection, Proxy

__all__ = [
    "CATCH_UP",
    "COMMAND",
    "EMPTY",
    "ask_more",
    "expect_mode",
    "is_for_primary",
    "must_stay",
    "note_answer",
    "note_command",
    "without_rows",
]

EMPTY = 6
"""The id of SHOW WARNINGS whose rows are of no concern."""
CATCH_UP = 7
"""The id of the question whether a replica has what the client wrote."""
COMMAND = 1
"""The id of the client's own command in the queue."""
# What the connection is asked behind it: the values of settings, about the last statement, its warnings, and for what an error
# left.
_VALUES, _LAST, _WARNINGS, _REST = 2, 3, 4, 5

# ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, ER_OPTION_PREVENTS_STATEMENT, ER_READ_ONLY_MODE
_FOR_PRIMARY = (1792, 1290, 1836)
# How servers of each kind describe the columns of the answer to `QUESTION`.
_columns: dict[bool, answers.Columns] = {}
_NO_TRANSACTION = "________"


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
    name = values.variables(("transaction_read_only",), _has_old_names(proxy))[0]
    is_replica = backend is not None and backend.type == proxy.BACKEND_TYPE_RO
    if is_replica:
        session.expect({name: "1"})
    elif name in session.settings:
        session.expect({name: state.read_only or "0"})


def is_for_primary(inj: Injection) -> bool:
    """Whether a replica refused to run it because it writes."""
    error = inj.resultset.error
    return error is not None and from_err_packet(error).errcode in _FOR_PRIMARY


def note_command(proxy: Proxy, state: SplitState, inj: Injection) -> None:
    """The client's command is answered."""
    outcome = _outcome(inj)
    state.note_result(outcome)
    if inj.query[0] == COM_STMT_PREPARE and not outcome.is_error:
        with contextlib.suppress(PacketError):
            statement = from_stmt_prepare_ok_packet(inj.resultset.raw or b"")
            state.statements[statement.stmt_id] = state.route
    _note_changes(proxy, state, inj, outcome)
    if state.route.keeps_diagnostics and not outcome.is_error:
        return
    state.memory = None
    rows = inj.resultset.row_count if inj.resultset.affected_rows is None else None
    state.has_found = rows is not None or not state.route.is_plain
    if inj.query[0] == COM_QUERY:
        columns = _columns.get(_has_old_names(proxy))
        state.memory = state.memory_of(outcome, rows, columns)
    server = proxy.connection.server
    if server is not None and server.session is not None:
        for tie in state.ties - server.session.ties:
            server.session.tie(tie)


def ask_more(proxy: Proxy, state: SplitState, inj: Injection) -> bool:
    """Asks what is still to be known before the connection goes back; False if it can go now."""
    if proxy.connection.server is None:
        return True
    may_stay = must_stay(proxy, state)
    if (may_stay and not state.asked) or (not may_stay and state.route.goes_anywhere):
        return may_stay
    # Every question is a statement, behind which nothing is known of the client's own.
    if state.memory is None:
        _ask(proxy, _LAST, query_packet(answers.QUESTION))
        return True
    if state.memory.warning_count and state.memory.warnings is None:
        _ask(proxy, _WARNINGS, query_packet(answers.SHOW_WARNINGS))
        return True
    if state.asked:
        _ask(proxy, _VALUES, query_packet(values.question(state.asked)))
        return True
    if may_stay:
        return True
    if state.may_have_left and inj.id != _REST:
        # It makes every server report what it kept.
        database = proxy.connection.client.default_db.encode("utf-8", "surrogateescape")
        if not database:
            state.ties.add(UNSEEN_CHANGE)
            return True
        _ask(proxy, _REST, bytes((COM_INIT_DB,)) + database)
        return True
    return False


def note_answer(proxy: Proxy, state: SplitState, inj: Injection) -> bool:
    """One of these questions is answered; False if it is none of them."""
    result = inj.resultset
    if inj.id == _VALUES:
        settings = values.learned(state.asked, result)
        state.asked = ()
        if settings is None:
            state.ties.add(VARIABLE)
        else:
            proxy.connection.client_session.learn(settings)
            for name in values.READ_ONLY:
                state.read_only = settings.get(name, state.read_only)
    elif inj.id == _LAST:
        known = answers.of_question(result)
        if known is None:
            state.ties.add(UNSEEN_CHANGE)
        else:
            memory, insert_id = known
            if state.found_rows is not None and not state.has_found:
                memory = replace(memory, found_rows=state.found_rows)
            if state.route.has_no_table and state.before is not None:
                memory = memory.behind(state.before)
            state.memory = memory
            _columns[_has_old_names(proxy)] = state.memory.columns
            state.insert_id_is_unknown = False
            if insert_id or proxy.connection.client_session.insert_id is not None:
                proxy.connection.client_session.learn(insert_id=insert_id)
    elif inj.id == _WARNINGS:
        warnings = answers.of_warnings(result)
        if state.memory is not None and warnings is not None:
            state.memory = replace(state.memory, warnings=warnings)
        else:
            state.ties.add(UNSEEN_CHANGE)
    elif inj.id == _REST:
        state.may_have_left = False
        changes = result.session_changes
        if result.error is not None or changes is None or changes.state or changes.variables:
            state.ties.add(UNSEEN_CHANGE)
    else:
        return False
    return True


def without_rows(state: SplitState, inj: Injection) -> Decision:
    """The answer to `EMPTY`: there is nothing to be told."""
    if state.memory is not None:
        state.memory = replace(state.memory, row_count=-1, found_rows=None)
    warnings = answers.of_warnings(inj.resultset)
    return None if warnings is None else Raw((*warnings.head, warnings.end))


def _ask(proxy: Proxy, id: int, packet: bytes) -> None:
    proxy.queries.append(id, packet, True)


def _outcome(inj: Injection) -> Outcome:
    result = inj.resultset
    is_error = result.error is not None
    if is_error or inj.query[0] not in (COM_QUERY, COM_STMT_EXECUTE, COM_STMT_BULK_EXECUTE):
        return Outcome(is_error)
    return Outcome(
        is_error,
        in_transaction=result.flags.in_trans,
        auto_commit=result.flags.auto_commit,
        insert_id=result.insert_id or 0,
        warnings=result.warning_count,
    )


def _note_changes(proxy: Proxy, state: SplitState, inj: Injection, outcome: Outcome) -> None:
    """The text says what changed, and the server that this was all."""
    route = state.route
    changes = inj.resultset.session_changes
    names = route.setting.names if route.setting is not None and not outcome.is_error else ()
    asked = list(values.variables(names, _has_old_names(proxy)))
    if changes is not None and names:
        # MariaDB may report the value under another name.
        ours = ("last_gtid", *values.READ_ONLY)
        asked += [name for name in changes.variables if name not in (*asked, *ours)]
    state.asked = tuple(asked)
    if changes is None:
        if not outcome.is_error and not route.is_plain and not route.goes_anywhere:
            state.ties.add(UNSEEN_CHANGE)
        return
    gtid = changes.gtids or changes.variables.get("last_gtid")
    if gtid:
        state.gtids.append(gtid)
    variables = [name for name in changes.variables if name not in ("last_gtid", *values.READ_ONLY)]
    is_explained = bool(names or route.ties or route.frees) or route.database is not None
    if (changes.state or variables) and not is_explained:
        state.ties.add(UNSEEN_CHANGE)


def _has_old_names(proxy: Proxy) -> bool:
    # MariaDB, which may greet as 5.5.5, and MySQL before 5.7.20.
    server = proxy.connection.server
    version = server.mysqld_version if server is not None else None
    return not 50_720 <= (version or 0) < 100_000
