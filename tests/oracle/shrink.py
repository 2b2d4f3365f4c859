"""Makes a failing session as short as it can be."""

from __future__ import annotations

from collections.abc import Callable

from .generator.steps import Session, Step
from .run.finding import Finding

__all__ = ["shrink"]

Run = Callable[[Session], "Finding | None"]


def shrink(finding: Finding, run: Run, tries: int = 150) -> Finding:
    """The shortest session found whose run gives a difference of the same kind; at most so many runs are made."""
    best = finding
    for client in sorted({step.client for step in finding.session.steps[: finding.at]}):
        without = tuple(s for s in best.session.steps[: _end(best)] if s.client != client)
        if best.step is not None and best.step.client == client:
            continue
        tries -= 1
        found = run(best.session.with_steps(without)) if without else None
        if found is not None and _same(found, finding):
            best = found
    size = max(1, _length(best) // 2)
    while size >= 1 and tries > 0:
        at, is_shorter = 0, False
        while at < _length(best) and tries > 0:
            steps = best.session.steps
            without = steps[:at] + steps[min(at + size, _length(best)) : _end(best)]
            tries -= 1
            found = run(best.session.with_steps(without)) if without else None
            if found is not None and _same(found, finding):
                best, is_shorter = found, True
            else:
                at += size
        if size == 1 and not is_shorter:
            break
        size = max(1, size // 2) if not is_shorter or size > 1 else 1
    return best


def _length(finding: Finding) -> int:
    """Steps that may be left out: not the one whose answers differ."""
    return min(finding.at, len(finding.session.steps))


def _end(finding: Finding) -> int:
    return finding.at + 1


def _same(found: Finding, wanted: Finding) -> bool:
    one, two = found.step, wanted.step
    if (one is None) != (two is None):
        return False
    return found.signature == wanted.signature and (
        one is None or two is None or _text(one) == _text(two)
    )


def _text(step: Step) -> str:
    return f"{step.op} {step.args}"
