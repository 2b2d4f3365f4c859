"""A run of many sessions, and what is told of it."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path

from .allowed import ALLOWED, REFUSALS
from .generator.session import Wishes, generate
from .generator.steps import Session, behind
from .run.finding import Finding
from .run.session_run import SessionRun
from .servers.world import World
from .shrink import shrink

__all__ = ["Options", "Runner"]

_TELL_EVERY = 30.0
# Sessions that a finding is tried behind.
_REMEMBERED = 2


@dataclass(frozen=True)
class Options:
    """What is run; README.md has the meanings."""

    script: Path | None
    sessions: int = 100
    faults: int = 0
    fault_kinds: frozenset[str] = frozenset()
    seconds: float | None = None
    seed: str = "1"
    part: tuple[int, int] = (0, 1)
    only_seed: str | None = None
    steps: int = 50
    without: frozenset[str] = frozenset()
    causal: bool = False
    shrink: int = 2
    most_findings: int = 0
    report: Path | None = None
    trace: bool = False
    proxy_options: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


class Runner:
    """Makes and runs sessions, with servers in `folder`."""

    def __init__(self, options: Options, folder: Path) -> None:
        self._options = options
        self._world = World(folder, options.script, options.proxy_options, options.settings)
        self._report = options.report.open("w", encoding="utf-8") if options.report else None
        self.findings: list[Finding] = []
        self._figures: Counter[str] = Counter()
        self._signatures: Counter[tuple[str, str]] = Counter()
        self._sessions = 0
        self._before: deque[Session] = deque(maxlen=_REMEMBERED)
        self._failed = 0
        self._began = self._told = time.monotonic()

    def run(self) -> int:
        """Gives 0 if no answer was wrong."""
        try:
            if self._options.only_seed:
                self._one(self._session(self._options.only_seed))
            else:
                self._many()
            self._tell_figures()
        finally:
            status = self._world.stop()
        if status or self._world.splitter.proxy.criticals():
            self._tell(
                f"the proxy ended with status {status}:\n{self._world.splitter.proxy.log()[-2000:]}"
            )
            return 1
        return 1 if self._failed else 0

    def _many(self) -> None:
        faults, all_of_them = self._options.faults, self._options.sessions + self._options.faults
        number, step = self._options.part
        while not self._is_over(number, all_of_them):
            # Those with faults are spread among the others.
            before, after = (n * faults // all_of_them for n in (number, number + 1))
            self._one(
                self._session(f"{self._options.seed}:{number}{':f' if before < after else ''}")
            )
            number += step

    def _is_over(self, number: int, wanted: int) -> bool:
        most = self._options.most_findings
        if most and self._failed >= most:
            return True
        if self._options.seconds:
            return time.monotonic() - self._began >= self._options.seconds
        return number >= wanted

    def _session(self, seed: str) -> Session:
        """That of a seed, or of several that findings name with `and` between them."""
        first, _, second = seed.rpartition(" and ")
        if first:
            return behind(self._session(first), self._session(second))
        kinds = self._options.fault_kinds if seed.endswith(":f") else frozenset()
        wishes = Wishes(self._options.steps, kinds, self._options.without)
        return generate(seed, self._world.dialect, wishes)

    def _one(self, session: Session) -> None:
        self._sessions += 1
        self._figures["sessions with faults"] += session.has_faults
        finding = self._run_of(session, self._figures).run()
        if finding is not None:
            self._failed += 1
            self._found(finding)
        self._before.append(session)
        if time.monotonic() - self._told > _TELL_EVERY:
            self._told = time.monotonic()
            print(f"... {self._line()}", flush=True)

    def _run_of(self, session: Session, figures: Counter[str]) -> SessionRun:
        options = self._options
        return SessionRun(self._world, session, figures, options.causal, options.trace)

    def _found(self, finding: Finding) -> None:
        self._signatures[finding.signature] += 1
        if self._signatures[finding.signature] > self._options.shrink:
            return
        unused: Counter[str] = Counter()

        def again(session: Session) -> Finding | None:
            # In connections that nobody has used before: what others have left is another fault.
            self._world.splitter.empty()
            return self._run_of(session, unused).run()

        session = finding.session
        for before in [None, *reversed(self._before)]:
            # It may need what the clients of the sessions before have left in the connections.
            session = session if before is None else behind(before, session)
            first = again(session)
            if first is not None and first.signature == finding.signature:
                short = shrink(first, again)
                self.findings.append(short)
                self._tell(short.text())
                return
        self.findings.append(finding)
        self._tell("not seen again in fresh connections: " + finding.text())

    def _line(self) -> str:
        minutes = (time.monotonic() - self._began) / 60
        rate = self._sessions / minutes
        return f"{self._sessions} sessions, {rate:.0f} a minute, {self._failed} with a difference"

    def _tell_figures(self) -> None:
        self._tell(self._line())
        for name, count in sorted(self._figures.items()):
            self._tell(f"  {name}: {count}")
        reasons = {each.name: each.reason for each in REFUSALS}
        reasons.update({each.name: each.reason for each in ALLOWED})
        for name, reason in reasons.items():
            if self._figures[f"allowed: {name}"]:
                self._tell(f"  ({name}: {reason})")
        for (kind, what), count in self._signatures.most_common():
            self._tell(f"  {count} x {kind}: {what}")

    def _tell(self, text: str) -> None:
        print(text, flush=True)
        if self._report is not None:
            print(text, file=self._report, flush=True)
