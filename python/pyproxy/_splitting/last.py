"""A client's question about its last statement, when the connection that ran it is with others.

Most are answered from memory. Where only a server knows how the answer looks, it is asked, and gets the values out of memory; what asks in
other words is run behind a statement that leaves the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pyproxy import COM_QUERY, COM_STMT_PREPARE, Error, Raw
from pyproxy._common.queries import query_packet
from pyproxy._splitting.answers import QUESTION, SHOW_WARNINGS, Memory
from pyproxy._splitting.asking import note_draft, note_last
from pyproxy._splitting.found import LOST
from pyproxy._splitting.questions import without_rows
from pyproxy._splitting.results import COMMAND, is_mysql
from pyproxy._splitting.shown import binary, of_warnings

if TYPE_CHECKING:
    from pyproxy import Decision, Injection, Proxy, Rows
    from pyproxy._pooling.routing import Route
    from pyproxy._splitting.state import SplitState
    from pyproxy.commands import Command

__all__ = [
    "ANSWERS",
    "LATE",
    "RESTORED",
    "answer",
    "answered",
    "answered_late",
    "ask_attached",
    "end_warnings",
    "is_asked",
    "recall",
    "with_warnings",
]

RESTORED = 8
"""The id of a statement that leaves what the client's last one left."""
LATE = 10
"""The id of the question on which the client's own waits."""
_EMPTY, _VALUED, _BINARY, _SHOWN = 6, 7, 9, 14
ANSWERS = (_EMPTY, _VALUED, _BINARY, _SHOWN)
"""The ids of questions to servers whose answers are the client's."""
_EOF, _LONG_EOF = 0xFE, 7


def is_asked(state: SplitState, command: Command, meant: Route) -> bool:
    """Whether the command asks for what only memory knows."""
    asks = meant.asks_about_last and command.type != COM_STMT_PREPARE
    return asks and state.memory is not None and not state.is_at_hand


def recall(proxy: Proxy, state: SplitState, command: Command, meant: Route) -> None:
    """Takes what is known of the last statement of a MySQL server, if its connection is the client's and knows all but FOUND_ROWS()."""
    if state.carried_found is None or state.memory is not None or state.draft is None:
        return
    asks = meant.asks_about_last and command.type != COM_STMT_PREPARE
    if asks and "FOUND_ROWS" in _text(proxy, command).upper():
        state.memory = replace(state.draft, found_rows=_carried(state))


def _carried(state: SplitState) -> int | None:
    return None if state.carried_found == LOST else state.carried_found


def ask_attached(
    proxy: Proxy, state: SplitState, command: Command, packet: bytes, meant: Route, name: str
) -> Decision:
    """Asks the attached connection, if the command is such a question; None if the command is to be run there."""
    if not meant.asks_about_last:
        return None
    is_new = state.is_fresh and state.memory is None and is_mysql(proxy)
    asks = command.type != COM_STMT_PREPARE and (
        # FOUND_ROWS() outlasts a reset.
        state.carried_found is not None or "FOUND_ROWS" not in _text(proxy, command).upper()
    )
    if asks and is_new:
        # It is about no statement, and the connection knows one of others, or what it was told for this client.
        found_rows = _carried(state)
        state.memory = Memory(None, row_count=0, found_rows=found_rows, warning_count=0)
    if is_asked(state, command, meant):
        found = answer(proxy, state, command, name)
        if found is not None:
            return found
        if ask(proxy, state, command, packet):
            return proxy.PROXY_SEND_QUERY
    return proxy.PROXY_SEND_QUERY if ask_late(proxy, state, command, packet, meant) else None


def answer(
    proxy: Proxy, state: SplitState, command: Command, name: str
) -> Rows | Raw | Error | None:
    """The answer to such a command; None if a server is to be asked: `ask`."""
    memory, sql = state.memory, _text(proxy, command)
    assert memory is not None
    if command.type == COM_QUERY:
        if memory.is_asked_for_none(sql):
            return None
        found = memory.answer(sql)
        if found is not None:
            state.memory = found[1]
            return found[0]
        if memory.values(sql) is not None:
            return None
    if memory.restoring(sql) is not None or memory.rows_asked_for(sql) is not None:
        return None
    text = (
        f"{name}: the connection of the statement before is with other clients, and what this one asks for with it; "
        "in a transaction the client would have kept it"
    )
    return Error(text, 1105, "HY000")


def ask(proxy: Proxy, state: SplitState, command: Command, packet: bytes) -> bool:
    """Asks the attached connection; False if the command is to be run there, behind what was put into the queue."""
    memory, sql = state.memory, _text(proxy, command)
    assert memory is not None
    if command.type == COM_QUERY and memory.is_asked_for_none(sql):
        proxy.queries.append(_EMPTY, query_packet(SHOW_WARNINGS), True)
        return True
    if command.type == COM_QUERY and memory.values(sql) is not None:
        proxy.queries.append(_VALUED, query_packet(without_rows(sql)), True)
        return True
    if memory.rows_asked_for(sql) is not None:
        # How it looks depends on the character set, or is binary.
        proxy.queries.append(_BINARY if command.type != COM_QUERY else _SHOWN, packet, True)
        return True
    for packet in memory.restoring(sql) or ():
        proxy.queries.append(RESTORED, packet, True)
    return False


def ask_late(
    proxy: Proxy, state: SplitState, command: Command, packet: bytes, meant: Route
) -> bool:
    """Asks the connection to which the client is tied, if it knows all but FOUND_ROWS(); False if it knows that, too."""
    is_known = state.carried_found is None or state.memory is not None
    if is_known or is_mysql(proxy) or command.type == COM_STMT_PREPARE:
        return False
    if "FOUND_ROWS" not in _text(proxy, command).upper():
        return False
    state.late = command, packet, meant
    proxy.queries.append(LATE, query_packet(QUESTION), True)
    return True


def end_warnings(proxy: Proxy, state: SplitState) -> None:
    """Ends the warnings of an earlier statement on the attached connection, if the command in progress could tell of them as its own: of
    several statements only the last tells what it left."""
    may_tell = state.route.has_several and state.has_warnings and not is_mysql(proxy)
    if may_tell and state.before is not None:
        for packet in state.before.restoring("") or ():
            proxy.queries.append(RESTORED, packet, True)


def answered_late(proxy: Proxy, state: SplitState, inj: Injection, name: str) -> Decision:
    """What `ask_late` asked is answered, and now the client is."""
    note_last(proxy, state, inj)
    late, state.late = state.late, None
    if late is None:
        return None
    command, packet, meant = late
    if state.memory is not None:
        found = answer(proxy, state, command, name)
        if found is not None:
            return found
        if ask(proxy, state, command, packet):
            return proxy.PROXY_IGNORE_RESULT
    state.note_sent(meant)
    proxy.queries.append(COMMAND, packet, False)
    return proxy.PROXY_IGNORE_RESULT


def answered(proxy: Proxy, state: SplitState, inj: Injection) -> Decision:
    """One of `ANSWERS` has come: the client's."""
    memory, result = state.memory, inj.resultset
    state.is_fresh = False
    if memory is None or result.error is not None:
        state.memory = None
        return None
    if inj.id == _EMPTY:
        state.memory = memory.shown()
        warnings = of_warnings(result)
        return None if warnings is None else Raw((*warnings.head, warnings.end))
    if inj.id in (_BINARY, _SHOWN):
        rows, warnings = memory.rows_asked_for(_sql(proxy)), of_warnings(result)
        state.memory = memory.shown()
        if rows is None or warnings is None:
            return None
        if inj.id == _BINARY:
            rows = tuple(map(binary, rows))
        return Raw((*warnings.head, *rows, warnings.end))
    known = memory.values(_sql(proxy))
    packets = result.packets
    if known is None or packets is None or result.rows is None:
        return None
    values, state.memory = known
    if result.warning_count:
        # Of a function that is deprecated: the connection is asked for it.
        note_draft(state, result.warning_count)
    cells = [str(result.warning_count if value is None else value).encode() for value in values]
    row = b"".join(bytes((len(cell),)) + cell for cell in cells)
    return Raw((*packets[:-1], row, packets[-1]))


def with_warnings(proxy: Proxy, state: SplitState, inj: Injection) -> Raw | None:
    """The OK of a MySQL server to a command that is no statement: it counts the warnings of the statement before."""
    memory, packets = state.memory, inj.resultset.packets
    if state.is_fresh and is_mysql(proxy):
        # There was none.
        memory = Memory(None, warning_count=0)
    if memory is None or memory.columns is not None or packets is None or len(packets) != 1:
        return None
    ok = packets[0]
    count = memory.warning_count if memory.own_count is None else memory.own_count
    # An EOF packet, or an OK without numbers of rows and ids.
    place = 1 if ok[0] == _EOF and len(ok) < _LONG_EOF else 5
    if count is None or (place > 1 and ok[1:3] != bytes(2)) or ok[0] not in (0, _EOF):
        return None
    if inj.resultset.warning_count == count:
        return None
    return Raw((ok[:place] + min(count, 0xFFFF).to_bytes(2, "little") + ok[place + 2 :],))


def _text(proxy: Proxy, command: Command) -> str:
    """The SQL of the command: of a prepared statement, if it executes one."""
    return (command.query or "") if command.type == COM_QUERY else _sql(proxy)


def _sql(proxy: Proxy) -> str:
    return (proxy.command.sql if proxy.command is not None else None) or ""
