"""What a splitter learns from results, and what it asks the connection before it gives it back."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from pyproxy import (
    COM_INIT_DB,
    COM_PING,
    COM_QUERY,
    COM_STMT_BULK_EXECUTE,
    COM_STMT_EXECUTE,
    COM_STMT_PREPARE,
)
from pyproxy._common.queries import query_packet
from pyproxy._pooling.session import Outcome
from pyproxy._pooling.ties import UNSEEN, VARIABLE
from pyproxy._splitting import answers, values
from pyproxy._splitting.state import UNSEEN_CHANGE, SplitState
from pyproxy.proto import PacketError, from_err_packet, from_stmt_prepare_ok_packet

if TYPE_CHECKING:
    from pyproxy import Injection, Proxy

__all__ = [
    "CATCH_UP",
    "COMMAND",
    "ask_more",
    "expect_mode",
    "is_for_primary",
    "must_stay",
    "note_answer",
    "note_command",
    "note_draft",
]

CATCH_UP = 10
"""The id of the question whether a replica has what the client wrote."""
COMMAND = 1
"""The id of the client's own command in the queue."""
# What the connection is asked behind it: the values of settings, about the last statement, its warnings, and for what an error
# left.
_VALUES, _LAST, _WARNINGS, _REST = 2, 3, 4, 5

# ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, ER_OPTION_PREVENTS_STATEMENT, ER_READ_ONLY_MODE
_FOR_PRIMARY = (1792, 1290, 1836)
# How MariaDB describes the columns of the answer to `QUESTION`.
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
            state.statements[statement.stmt_id] = replace(state.route, keeps_diagnostics=False)
    _note_changes(proxy, state, inj, outcome)
    state.owes_warnings = False
    if state.route.keeps_diagnostics and not outcome.is_error:
        if state.memory is not None:
            state.memory = _behind_command(proxy, state.memory, inj.query[0])
        elif state.draft is None and not _has_old_names(proxy):
            # Nothing was before.
            state.draft = answers.Memory(None, row_count=0, warning_count=0)
        return
    state.memory = None
    affected = None if outcome.is_error else inj.resultset.affected_rows
    rows = inj.resultset.row_count if affected is None else None
    is_mysql = not _has_old_names(proxy)
    state.has_found = rows is not None or not state.route.is_plain
    state.draft = None
    if is_mysql:
        state.has_found = rows is not None or _finds_in_mysql(state, inj)
        state.draft = answers.Memory(
            None,
            row_count=-1 if affected is None else affected,
            warning_count=None if outcome.is_error else inj.resultset.warning_count,
        )
    if inj.query[0] == COM_QUERY:
        columns = None if is_mysql else _columns.get(True)
        state.memory = state.memory_of(outcome, rows, columns, is_mysql)
    if state.route.has_no_table and not is_mysql and not outcome.is_error:
        # They are those of the statement before, which another connection has.
        before = state.before
        state.owes_warnings = before is not None and not before.is_clean and not outcome.warnings
    server = proxy.connection.server
    if server is not None and server.session is not None:
        for tie in state.ties - server.session.ties:
            server.session.tie(tie)


def note_draft(state: SplitState, warnings: int) -> None:
    """The client's last statement was a question, answered by MySQL with these warnings of its own."""
    state.memory, state.has_found = None, True
    state.draft = answers.Memory(None, row_count=-1, found_rows=1, warning_count=warnings)


def ask_more(proxy: Proxy, state: SplitState, inj: Injection) -> bool:
    """Asks what is still to be known before the connection goes back; False if it can go now."""
    if proxy.connection.server is None:
        return True
    may_stay = must_stay(proxy, state)
    question = _next_question(state, not _has_old_names(proxy))
    asks = state.asked or (state.owes_warnings and question is not None)
    if (may_stay and not asks) or (not may_stay and state.route.goes_anywhere):
        return may_stay
    # Every question is a statement, behind which nothing is known of the client's own.
    if question is not None:
        _ask(proxy, question[0], query_packet(question[1]))
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
            setting = state.route.setting
            if setting is not None and "NAMES" in setting.names:
                settings = values.of_names(settings)
            proxy.connection.client_session.learn(settings)
            for name in values.READ_ONLY:
                state.read_only = settings.get(name, state.read_only)
    elif inj.id == _LAST:
        if state.draft is not None:
            _note_last_of_mysql(proxy, state, inj)
        else:
            _note_last(proxy, state, inj)
    elif inj.id == _WARNINGS:
        warnings = answers.of_warnings(result)
        if warnings is None:
            state.ties.add(UNSEEN_CHANGE)
        elif state.draft is not None:
            count = state.draft.warning_count
            # Not all of them need be in the list: max_error_count.
            count = max(1, len(warnings.rows)) if count is None else count
            state.draft = replace(state.draft, warnings=warnings, warning_count=count)
        elif state.memory is not None:
            state.memory = replace(state.memory, warnings=warnings)
    elif inj.id == _REST:
        state.may_have_left = False
        changes = result.session_changes
        if result.error is not None or changes is None or changes.state or changes.variables:
            state.ties.add(UNSEEN_CHANGE)
    else:
        return False
    return True


def _next_question(state: SplitState, is_mysql: bool) -> tuple[int, str] | None:
    """What is to be asked about the last statement; None: nothing more."""
    memory, draft = state.memory, state.draft
    if memory is None and is_mysql and draft is not None:
        if draft.warning_count != 0 and draft.warnings is None:
            return _WARNINGS, answers.SHOW_WARNINGS
        return _LAST, answers.QUESTION_OF_MYSQL
    if memory is None:
        return _LAST, answers.QUESTION
    if memory.warning_count and memory.warnings is None:
        return _WARNINGS, answers.SHOW_WARNINGS
    return None


def _note_last(proxy: Proxy, state: SplitState, inj: Injection) -> None:
    known = answers.of_question(inj.resultset)
    if known is None:
        state.ties.add(UNSEEN_CHANGE)
        return
    memory, insert_id = known
    if state.found_rows is not None and not state.has_found:
        memory = replace(memory, found_rows=state.found_rows)
    if state.route.has_no_table and state.before is not None:
        memory = memory.behind(state.before)
    state.memory = memory
    if memory.columns is not None:
        _columns[True] = memory.columns
    _note_insert_id(proxy, state, insert_id)


def _note_last_of_mysql(proxy: Proxy, state: SplitState, inj: Injection) -> None:
    known = answers.of_question_of_mysql(inj.resultset)
    if known is None or state.draft is None:
        state.ties.add(UNSEEN_CHANGE)
        return
    found_rows, insert_id = known
    if state.draft.found_rows is not None:
        found_rows = state.draft.found_rows
    elif state.found_rows is not None and not state.has_found:
        found_rows = state.found_rows
    state.memory = replace(state.draft, found_rows=found_rows)
    _note_insert_id(proxy, state, insert_id)


def _note_insert_id(proxy: Proxy, state: SplitState, insert_id: int) -> None:
    state.insert_id_is_unknown = False
    if insert_id or proxy.connection.client_session.insert_id is not None:
        proxy.connection.client_session.learn(insert_id=insert_id)


def _finds_in_mysql(state: SplitState, inj: Injection) -> bool:
    """Whether a statement without rows changes FOUND_ROWS(): there, rows that were found to be changed or inserted count, too."""
    route = state.route
    if route.ties & UNSEEN or route.has_several:
        return True
    selects = b"SELECT" in inj.query.upper()
    return route.is_plain and route.is_write and (selects or not route.inserts)


def _behind_command(proxy: Proxy, memory: answers.Memory, command: int) -> answers.Memory:
    """What is known behind a command that is no statement."""
    if command in (COM_PING, COM_INIT_DB):
        return replace(memory, row_count=0)
    if command == COM_STMT_PREPARE and not _has_old_names(proxy):
        return replace(memory, warning_count=0, warnings=None, counted_errors=None)
    return memory


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
        told = values.variables(changes.variables, False)
        asked += [name for name in told if name not in (*asked, *ours)]
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
