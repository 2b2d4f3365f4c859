"""What a client's question about its last statement asks for."""

from __future__ import annotations

from pyproxy._sql.text import Statement, statements

__all__ = ["names_of_questions", "questions", "without_rows"]

_FUNCTIONS = {"ROW_COUNT": "row_count", "FOUND_ROWS": "found_rows"}
_VARIABLES = {"@@WARNING_COUNT": "warning_count", "@@ERROR_COUNT": "error_count"}


def without_rows(sql: str) -> str:
    """A question whose answer has the columns of one to `sql`, and no row."""
    statement = statements(sql)[0]
    if statement.word(0) == "SHOW":
        return f"SELECT @@session.{names_of_questions(statement)[0]} LIMIT 0"
    tokens = (token.raw.decode("utf-8", "surrogateescape") for token in statement.tokens)
    texts = list(tokens)
    # A function's name and its parenthesis stay together, and so do the parts of a name.
    return (
        "".join(
            text if not before or text in "()," or before in "(" else f" {text}"
            for before, text in zip(["", *texts], texts)
        )
        + " LIMIT 0"
    )


def names_of_questions(statement: Statement) -> list[str]:
    """What a SELECT, or SHOW COUNT(*), asks for; empty if it is more than is known here."""
    words = statement.words
    if words[:2] == ["SHOW", "COUNT"] and len(words) == 6:
        return {"WARNINGS": ["warning_count"], "ERRORS": ["error_count"]}.get(words[-1], [])
    return [name for name, _ in questions(statement)] if words[:1] == ["SELECT"] else []


def questions(statement: Statement) -> list[tuple[str, str]]:
    """What a SELECT asks for, with the names of the columns; empty if it is more than is known here."""
    found: list[tuple[str, str]] = []
    index = 1
    while index < len(statement.tokens):
        if found:
            if statement.kinds[index] != "comma":
                return []
            index += 1
        word = statement.word(index)
        if word in _FUNCTIONS:
            name = _FUNCTIONS[word]
            if statement.kinds[index + 1 : index + 3] != ["open_paren", "close_paren"]:
                return []
            end = index + 3
        elif word in _VARIABLES:
            name, end = _VARIABLES[word], index + 1
        else:
            return []
        text = "".join(token.text for token in statement.tokens[index:end])
        if statement.word(end) == "AS" and end + 1 < len(statement.tokens):
            text, end = statement.tokens[end + 1].text, end + 2
        found.append((name, text))
        index = end
    return found
