"""The oracle is right itself: it finds nothing where everything passes, and finds what is wrong."""

from __future__ import annotations

from pathlib import Path

from tests.oracle.runner import Options, Runner

# What splitters get wrong: an id that another connection knows.
_WRONG = """\
from pyproxy import COM_QUERY


def read_query(proxy, packet):
    if packet[0] == COM_QUERY and b"LAST_INSERT_ID()" in packet:
        proxy.queries.append(1, packet.replace(b"LAST_INSERT_ID()", b"0 AS `LAST_INSERT_ID()`"))
        return proxy.PROXY_SEND_QUERY
"""


def test_what_passes_to_the_primary_has_no_difference(tmp_path: Path) -> None:
    kinds = frozenset(("kill", "ddl", "restart"))
    runner = Runner(Options(None, sessions=30, faults=6, fault_kinds=kinds), tmp_path / "servers")
    assert runner.run() == 0, "\n".join(finding.text() for finding in runner.findings)


def test_a_wrong_answer_is_found_and_the_session_made_short(tmp_path: Path) -> None:
    script = tmp_path / "wrong.py"
    script.write_text(_WRONG)
    runner = Runner(Options(script, sessions=200, most_findings=1), tmp_path / "servers")
    assert runner.run() == 1
    (finding,) = runner.findings
    assert finding.step is not None
    assert "LAST_INSERT_ID()" in str(finding.step)
    # A login, what gives an id, and who asks for it.
    assert len(finding.session.steps[: finding.at + 1]) <= 3, finding.text()
