"""What a connection is asked before it is given back: values of settings, and about the client's last statement."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pyproxy._common.queries import query_packet
from pyproxy._pooling.routing import Route
from pyproxy._pooling.ties import UNSEEN, USER_LOCK, VARIABLE
from pyproxy._splitting import answers, values
from pyproxy._splitting.results import COLUMNS, has_old_names, is_mysql, must_stay, text_of
from pyproxy._splitting.shown import of_warnings
from pyproxy._splitting.state import UNSEEN_CHANGE, SplitState

if TYPE_CHECKING:
    from pyproxy import Injection, Proxy

__all__ = ["ask_more", "note_answer", "note_draft", "note_last"]

# The values of settings, about the last statement, its warnings, and for what an error left; and what ends that.
_VALUES, _LAST, _WARNINGS, _REST, _ENDED = 2, 3, 4, 5, 15
# A function that uses a table clears the warnings of before, another one does not; so does GET_LOCK if it gets none.
_MAY_CLEAR = UNSEEN | {USER_LOCK}


def note_draft(state: SplitState, warnings: int) -> None:
    """The client's last statement was a question, answered by MySQL with these warnings of its own."""
    state.memory, state.has_found = None, True
    # Not that of the command before it.
    state.route = Route(is_plain=True)
    state.draft = answers.Memory(None, row_count=-1, found_rows=1, warning_count=warnings)
    # The connection has seen it without its row.
    state.carried_found = state.draft.found_rows


def ask_more(proxy: Proxy, state: SplitState, inj: Injection) -> bool:
    """Asks what is still to be known before the connection goes back; False if it can go now."""
    if proxy.connection.server is None:
        return True
    may_stay = must_stay(proxy, state)
    question = _next_question(state, is_mysql(proxy))
    asks = state.asked or (state.owes_warnings and question is not None)
    if (may_stay and not asks) or (not may_stay and state.route.goes_anywhere):
        return may_stay
    # Every question is a statement, behind which nothing is known of the client's own.
    state.is_at_hand = False
    if question is not None:
        _ask(proxy, question[0], query_packet(question[1]))
        return True
    if state.asked:
        _ask(proxy, _VALUES, query_packet(values.question(state.asked, has_old_names(proxy))))
        return True
    if may_stay:
        return True
    if state.may_have_left:
        _ask_for_rest(proxy)
        return True
    return False


def _ask_for_rest(proxy: Proxy) -> None:
    """Has the server report what it has kept since an error, and nothing else."""
    if is_mysql(proxy):
        _ask(proxy, _REST, query_packet("DO 0"))
        return
    # MariaDB reports that with something else only.
    _ask(proxy, _REST, query_packet("BEGIN"))
    _ask(proxy, _ENDED, query_packet("ROLLBACK AND NO CHAIN NO RELEASE"))


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
            state.read_only = settings.get(values.READ_ONLY, state.read_only)
            if values.ISOLATION in settings:
                state.reads_uncommitted = "UNCOMMITTED" in settings[values.ISOLATION]
    elif inj.id == _LAST:
        if state.draft is not None:
            _note_last_of_mysql(proxy, state, inj)
        else:
            note_last(proxy, state, inj)
    elif inj.id == _WARNINGS:
        warnings = of_warnings(result)
        if warnings is None:
            state.ties.add(UNSEEN_CHANGE)
            state.owes_warnings = False
        elif state.memory is not None:
            state.memory = replace(state.memory, warnings=warnings)
        elif state.draft is not None and state.adds_error and state.before is not None:
            # What else this connection lists is of others.
            chooses_database = state.route.database is not None
            state.draft = state.before.with_error(warnings, chooses_database)
        elif state.draft is not None:
            count = state.draft.warning_count
            if count is None:
                # Not all of them need be in the list: max_error_count.
                is_of_before = state.draft.own_count is not None
                count = len(warnings.rows) if is_of_before else max(1, len(warnings.rows))
            state.draft = replace(state.draft, warnings=warnings, warning_count=count)
    elif inj.id == _REST:
        state.may_have_left = False
        changes = result.session_changes
        is_told = changes is not None or is_mysql(proxy)
        leaves = changes is not None and (changes.state or changes.variables)
        if result.error is not None or leaves or not is_told:
            state.ties.add(UNSEEN_CHANGE)
    elif inj.id != _ENDED:
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


def note_last(proxy: Proxy, state: SplitState, inj: Injection) -> None:
    """`QUESTION` is answered."""
    known = answers.of_question(inj.resultset)
    if known is None:
        state.ties.add(UNSEEN_CHANGE)
        return
    memory, insert_id = known
    memory = replace(memory, found_rows=state.found_rows_of(memory.found_rows or 0))
    if state.route.has_no_table and state.before is not None and not state.warned:
        # What this connection has besides is of others.
        before = state.before
        if not before.is_clean and state.route.ties & _MAY_CLEAR:
            before = before.without_warnings()
        before = before.behind_set(text_of(proxy))
        memory = memory.behind(before)
    elif state.route.has_several and state.before is not None and not state.before.is_clean:
        # They may have left what was there before, which another connection has.
        memory = memory.without_warnings()
    state.memory = memory
    if memory.columns is not None:
        COLUMNS[True] = memory.columns
    _note_insert_id(proxy, state, insert_id)


def _note_last_of_mysql(proxy: Proxy, state: SplitState, inj: Injection) -> None:
    known = answers.of_question_of_mysql(inj.resultset)
    if known is None or state.draft is None:
        state.ties.add(UNSEEN_CHANGE)
        return
    told_count, told_found, insert_id = known
    draft, found_rows = state.draft, state.draft.found_rows
    if found_rows is None:
        found_rows = state.found_rows_of(told_found)
    # Behind SHOW WARNINGS it is that of SHOW WARNINGS.
    is_told = draft.row_count is None and draft.warnings is None
    row_count = told_count if is_told else draft.row_count
    state.memory = replace(draft, row_count=row_count, found_rows=found_rows)
    _note_insert_id(proxy, state, insert_id)


def _note_insert_id(proxy: Proxy, state: SplitState, insert_id: int) -> None:
    state.insert_id_is_unknown = False
    if insert_id or proxy.connection.client_session.insert_id is not None:
        proxy.connection.client_session.learn(insert_id=insert_id)


def _ask(proxy: Proxy, id: int, packet: bytes) -> None:
    proxy.queries.append(id, packet, True)
