"""The script `firewall`: its modes, its lists and its patterns."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from pyproxy._firewall.statement_list import ListError, StatementList, escape, unescape
from pyproxy.settings import SettingsError
from pyproxy.testing import Answer, Result, Session

SCRIPT = "pyproxy.hooks.firewall"

Start = Callable[..., Session]


@pytest.fixture
def allow(tmp_path: Path) -> Path:
    """An allow list with one statement for `app` and one for everybody."""
    path = tmp_path / "allow"
    path.write_text(
        "# the shop\napp\tSELECT a FROM t WHERE b = '?'\napp\tSELECT a FROM t WHERE b = ?\n*\tSELECT ?\n"
    )
    return path


def firewall(
    allow: Path | str = "", mode: str = "enforce", more: str = "", **options: str
) -> Session:
    config = f"[firewall]\nmode = {mode}\nallow_file = {allow}\n{more}\n"
    return Session(SCRIPT, script_config=config, **{"user": "app", **options})  # type: ignore[arg-type]


def refused(answer: Answer) -> bool:
    """Whether the firewall is what the client was told of."""
    assert answer.error is None or answer.error[:2] == (1227, "42000")
    return answer.error is not None


def warnings(session: Session) -> list[str]:
    return [entry.text for entry in session.log if entry.level == "warning"]


def test_only_what_is_on_the_list_passes(allow: Path) -> None:
    with firewall(allow) as session:
        assert not refused(session.query("SELECT a FROM t WHERE b = 'anything'"))
        assert not refused(session.query("SELECT 5"))
        assert refused(session.query("SELECT a FROM t WHERE b = 'x' OR 1=1"))
        assert refused(session.query("SELECT a FROM t WHERE b = 'x'\"y\" OR 1=1 -- '"))
        assert refused(session.query("DROP TABLE t"))
        assert len(session.server_queries) == 2
        other = session.new_client(user="other")
        assert not refused(other.query("SELECT 5"))
        assert refused(other.query("SELECT a FROM t WHERE b = 1"))


def test_what_is_refused_is_logged(allow: Path) -> None:
    with firewall(allow, more="max_log_bytes = 20") as session:
        session.query("DROP TABLE\n`a long name of a table`")
        (line,) = warnings(session)
        assert line.startswith("pyproxy.firewall: refused, app@127.0.0.1:")
        assert line.endswith(": it is not on the allow list: DROP TABLE `a long n...")


def test_prepared_statements_are_judged_when_they_are_prepared(allow: Path) -> None:
    with firewall(allow) as session:
        statement = session.prepare("SELECT a FROM t WHERE b = ?")
        assert session.execute(statement, ["x"]).ok
        assert session.close_statement(statement).packets == []
        assert refused(session.prepare("DROP TABLE t").answer)


def test_a_text_that_is_not_shown_cannot_be_allowed(allow: Path) -> None:
    allow.write_text("*\tPREPARE s FROM @a\n*\tPREPARE s FROM 'SELECT 1'\n")
    with firewall(allow) as session:
        assert refused(session.query("PREPARE s FROM @a"))
        assert not refused(session.query("PREPARE s FROM 'SELECT 1'"))
        assert refused(session.query("PREPARE s FROM 'DROP TABLE t'"))


def test_commands_that_are_no_statements(allow: Path) -> None:
    with firewall(allow) as session:
        for harmless in (b"\x0e", b"\x02db", b"\x1f"):
            assert not refused(session.command(harmless))
        for other in (b"\x08", b"\x0c\1\0\0\0", b"\x05db", b"\x12", b"\x1e", b"\xfe"):
            assert refused(session.command(other))
        assert [query.command for query in session.server_queries] == [0x0E, 0x02, 0x1F]
    with firewall(allow, more="allowed_commands = COM_PROCESS_KILL, COM_CREATE_DB") as session:
        assert not refused(session.command(b"\x0c\1\0\0\0"))
        assert not refused(session.command(b"\x05db"))
        assert refused(session.command(b"\x08"))


def test_learning_fills_the_list_and_enforcing_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "learned"
    with firewall(path, mode="learn") as session:
        assert session.query("SELECT a FROM t WHERE b = 1").ok
        assert session.query("SELECT a FROM t WHERE b = 2").ok
        assert session.prepare("INSERT INTO t VALUES (?, ?)").answer.ok
        assert session.query("SELECT '\\\\', 1 # x\ty").ok
        assert session.query("PREPARE s FROM @a").ok
    assert path.read_text().splitlines() == [
        "app\tSELECT a FROM t WHERE b = ?",
        "app\tINSERT INTO t VALUES (?+)",
        "app\t= SELECT '\\\\\\\\', 1 # x\\x09y",
    ]
    assert path.stat().st_mode & 0o777 == 0o600
    with firewall(path) as session:
        assert not refused(session.query("SELECT a FROM t WHERE b = 3"))
        assert not refused(session.query("SELECT '\\\\', 1 # x\ty"))
        assert refused(session.query("SELECT '\\\\', 1 # x\tz"))
        assert refused(session.query("PREPARE s FROM @a"))


def test_learning_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "learned"
    with firewall(path, mode="learn", more="max_learned = 3") as session:
        for n in range(10):
            session.query(f"SELECT a{n}")
        assert sum("no more is learned" in line for line in warnings(session)) == 1
    assert len(path.read_text().splitlines()) == 3


def test_log_mode_says_what_enforce_would_refuse(allow: Path) -> None:
    with firewall(allow, mode="log") as session:
        assert session.query("DROP TABLE t").ok
        assert session.query("SELECT 5").ok
        (line,) = warnings(session)
        assert ": not refused, app@" in line and line.endswith(": DROP TABLE t")


def test_modes_of_single_users(allow: Path) -> None:
    with firewall(allow, more="[firewall_users]\nbackup = off\nold = log") as session:
        assert refused(session.query("DROP TABLE t"))
        assert not refused(session.new_client(user="backup").query("DROP TABLE t"))
        assert not refused(session.new_client(user="old").query("DROP TABLE t"))
        assert len(warnings(session)) == 2


def test_patterns_block_without_an_allow_list() -> None:
    patterns = (
        "[firewall_patterns]\n"
        r"no_drop = (?i)\bdrop\s+table\b" + "\n"
        r"sleep@app = (?i)\bsleep\s*\(" + "\n"
    )
    with firewall(more="allow_unlisted = true\n" + patterns) as session:
        assert not refused(session.query("SELECT anything"))
        for text in ("DROP TABLE t", "drop/**/table t", "/*!DROP*/ TABLE t", "DROP -- \nTABLE t"):
            assert refused(session.query(text)), text
        assert refused(session.query("SELECT SLEEP(5)"))
        assert not refused(session.new_client(user="other").query("SELECT SLEEP(5)"))
        assert "pattern no_drop matches" in warnings(session)[0]


def test_a_mode_that_is_set_later_passes_nothing_without_a_list() -> None:
    with firewall(mode="off") as session:
        session.script.settings.mode = "enforce"
        assert refused(session.query("SELECT 1"))
        assert refused(session.command(b"\x1e"))


ESCAPED = r"SELECT a FROM t WHERE b = 'x\' OR 1=1 -- '"
NO_BACKSLASH_ESCAPES = 0x200


def test_backslashes_are_read_as_the_server_tells(allow: Path) -> None:
    with firewall(allow) as session:
        session.server.on("SELECT 1", Result(["a"], [], status=NO_BACKSLASH_ESCAPES))
        assert not refused(session.query(ESCAPED))
        session.query("SELECT 1")
        assert refused(session.query(ESCAPED))
        session.query("SELECT 2")
        assert not refused(session.query(ESCAPED))


def test_backslashes_are_read_in_both_ways_where_no_server_tells(allow: Path) -> None:
    detached = SimpleNamespace(connection=SimpleNamespace(server=None))
    with firewall(allow) as session:
        quotings = session.script._quotings(detached, ESCAPED.encode())
        assert [each.no_backslash_escapes for each in quotings] == [False, True]


def test_double_quotes_must_be_allowed_in_both_readings(allow: Path, tmp_path: Path) -> None:
    sql = 'SELECT a FROM t WHERE b = "x"'
    with firewall(allow) as session:
        assert refused(session.query(sql))
    with firewall(allow, more="ansi_quotes = off") as session:
        assert not refused(session.query(sql))
    with firewall(allow, more="ansi_quotes = on") as session:
        assert refused(session.query(sql))
    path = tmp_path / "learned"
    with firewall(path, mode="learn") as session:
        session.query(sql)
    with firewall(path) as session:
        assert not refused(session.query(sql))
        assert refused(session.query('SELECT a FROM t WHERE b = "y"'))


def test_the_block_list_wins_over_the_allow_list(allow: Path, tmp_path: Path) -> None:
    block = tmp_path / "block"
    block.write_text("app\tSELECT ?\n")
    with firewall(allow, more=f"block_file = {block}") as session:
        assert refused(session.query("SELECT 1"))
        assert not refused(session.query("SELECT a FROM t WHERE b = 1"))
        assert not refused(session.new_client(user="other").query("SELECT 1"))
    with firewall(allow, mode="learn", more=f"block_file = {block}") as session:
        assert session.query("SELECT 1").ok
    assert "app\tSELECT ?\n" not in allow.read_text()


def test_long_statements(allow: Path) -> None:
    with firewall(allow, more="max_statement_bytes = 10") as session:
        assert not refused(session.query("SELECT 123"))
        assert refused(session.query("SELECT 1234"))


def test_a_changed_list_counts(allow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with firewall(allow) as session:
        monkeypatch.setattr(session.script, "_INTERVAL", 0.0)
        assert refused(session.query("SELECT new"))
        replace(allow, "app\tSELECT new\n")
        assert not refused(session.query("SELECT new"))
        replace(allow, "no tab in here\n")
        assert not refused(session.query("SELECT new"))
        assert any(f"{allow}:1: expected a user" in entry.text for entry in session.log)
        # A list that is gone allows nothing.
        allow.unlink()
        assert refused(session.query("SELECT new"))


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ("mode = on", "mode=on: expected off, learn, log, enforce"),
        ("[firewall_users]\na = on", r"\[firewall_users\] a=on: expected"),
        ("[firewall_patterns]\na = (", r"\[firewall_patterns\] a=\("),
        ("allowed_commands = COM_NOTHING", "there is no command COM_NOTHING"),
        ("mode = enforce", "mode=enforce needs an allow_file"),
        ("[firewall_users]\na = enforce", "mode=enforce needs an allow_file"),
        ("ansi_quotes = true", "ansi_quotes: expected unknown, off, on"),
    ],
)
def test_what_makes_no_sense_stops_the_start(config: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        Session(SCRIPT, script_config=f"[firewall]\n{config}\n")


def test_off_is_off(allow: Path) -> None:
    with firewall(allow, mode="off") as session:
        assert session.query("DROP TABLE t").ok
        assert session.log == []


# --- the list


def replace(path: Path, text: str) -> None:
    """Replaces a file, as an editor does: a new one takes its place."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    os.replace(draft, path)


@pytest.mark.parametrize("text", ["a\tb", "\\x09", "\\", "\udcff", "é\n", "= \x00"])
def test_every_text_fits_on_a_line(text: str) -> None:
    line = escape(text)
    assert unescape(line) == text
    line.encode()
    assert not set(line) & set("\t\n\r\0")


def test_users_of_any_name_can_be_on_the_list(tmp_path: Path) -> None:
    path = str(tmp_path / "list")
    statements = StatementList(path)
    names = ["*", "#x", "", "a\tb", "ä", "\udcff"]
    for name in names:
        statements.add(name, f"SELECT {names.index(name)}")
    statements.save()
    again = StatementList(path)
    assert len(again) == len(names)
    for name in names:
        assert again.has(name, f"SELECT {names.index(name)}")
        assert not again.has("somebody else", f"SELECT {names.index(name)}")


def test_what_others_wrote_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "list"
    statements = StatementList(str(path))
    statements.add("app", "SELECT 1")
    replace(path, "# by hand\napp\tSELECT 2")
    statements.save()
    assert path.read_text() == "# by hand\napp\tSELECT 2\napp\tSELECT 1\n"
    assert statements.has("app", "SELECT 2")


def test_the_mode_of_a_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text("")
    path.chmod(0o640)
    statements = StatementList(str(path))
    statements.add("app", "SELECT 1")
    statements.save()
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["list"]


def test_a_file_that_is_no_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"app\tSELECT 1\n\xff")
    with pytest.raises(ListError, match="this is not UTF-8"):
        StatementList(str(path))
