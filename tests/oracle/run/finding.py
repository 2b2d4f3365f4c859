"""A wrong answer, and how it is printed."""

from __future__ import annotations

from typing import NamedTuple

from ..generator.steps import Session, Step
from ..servers.node import cells
from ..wire.answers import Answer, Err, Lost, Ok, Prepared, Result, Rows, column, session_changes

__all__ = ["Finding", "contrasted", "shown"]

_MOST_ROWS = 6
_LONG = 240
_WIDE = 5


class Finding(NamedTuple):
    """A difference that is not allowed."""

    session: Session
    at: int
    """The index of the step; the number of steps if it is about the end."""
    what: str
    direct: str
    split: str

    @property
    def step(self) -> Step | None:
        """The step whose answers differ."""
        return self.session.steps[self.at] if self.at < len(self.session.steps) else None

    @property
    def signature(self) -> tuple[str, str]:
        """Findings with the same one are probably the same fault."""
        kind = self.step.kind if self.step is not None else "end of the session"
        return kind, self.what.split(":")[0] if self.step is None else self.what

    def text(self) -> str:
        """The session up to the difference, and both answers."""
        steps = self.session.steps[: self.at + 1]
        lines = [f"seed {self.session.seed}: {self.signature[0]}: {self.what}"]
        lines += [f"    {_line(step)}" for step in steps]
        lines += [f"  direct: {self.direct}", f"  split:  {self.split}"]
        return "\n".join(lines)


def _line(step: Step) -> str:
    text = str(step).replace("\n", "\\n").replace("\t", "\\t")
    return text if len(text) < _LONG else f"{text[:_LONG]} ..."


def shown(answer: Answer) -> str:
    """An answer in words."""
    return " | ".join(_shown(result) for result in answer) or "nothing"


def contrasted(direct: Answer, split: Answer) -> tuple[str, str]:
    """Both answers in words; of wide rows only the cells that differ."""
    if len(direct) == len(split) == 1:
        one, two = direct[0], split[0]
        if isinstance(one, Rows) and isinstance(two, Rows):
            if one.rows == two.rows and len(one.columns) == len(two.columns):
                return _columns(one, two)
            if len(one.columns) > _WIDE and not one.binary and len(one.rows) == len(two.rows) == 1:
                return _cells(one, two)
    return shown(direct), shown(split)


def _columns(one: Rows, two: Rows) -> tuple[str, str]:
    """The definitions that differ, in front of the answers."""
    texts = ["", ""]
    for pair in zip(one.columns, two.columns):
        first, second = map(column, pair)
        for index, each in enumerate((first, second)):
            unlike = {name: each[name] for name in each if first[name] != second[name]}
            texts[index] += (
                f"{each['name'].decode('utf-8', 'replace')}: {unlike}, " if unlike else ""
            )
    return texts[0] + shown((one,)), texts[1] + shown((two,))


def _cells(one: Rows, two: Rows) -> tuple[str, str]:
    names = [column(each)["name"].decode("utf-8", "replace") for each in one.columns]
    pairs = [
        pair for pair in zip(names, cells(one.rows[0]), cells(two.rows[0])) if pair[1] != pair[2]
    ]
    first = ", ".join(f"{name}={value!r}" for name, value, _ in pairs)
    second = ", ".join(f"{name}={value!r}" for name, _, value in pairs)
    return first or shown((one,)), second or shown((two,))


def _shown(result: Result) -> str:
    if isinstance(result, Ok):
        text = f"OK affected={result.affected} id={result.insert_id} status={result.status:#x}"
        text += f" warnings={result.warnings}"
        if result.info:
            text += f" info={result.info!r}"
        if result.changes:
            text += f" changes={session_changes(result.changes)}"
        return text
    if isinstance(result, Err):
        text = result.text.decode("utf-8", "replace")
        return f"ERR {result.code} {result.state.decode('ascii', 'replace')} {text}"
    if isinstance(result, Lost):
        return f"connection lost ({result.text})"
    if isinstance(result, Prepared):
        return f"prepared, {len(result.parameters)} parameters, {len(result.columns)} columns"
    if isinstance(result, Rows):
        names = [column(each)["name"].decode("utf-8", "replace") for each in result.columns]
        rows = [str(row if result.binary else cells(row)) for row in result.rows[:_MOST_ROWS]]
        more = f" and {len(result.rows) - _MOST_ROWS} more" if len(result.rows) > _MOST_ROWS else ""
        return f"{names}: {', '.join(rows) or 'no rows'}{more}, {_shown(result.end)}"
    return str(result)
