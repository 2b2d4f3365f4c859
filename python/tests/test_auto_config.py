"""pyproxy.auto_config: the PROXY commands, and the file they write and read."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyproxy import auto_config, commands, settings

OK, ERR = 0, 255


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """`proxy.globals.config` of a proxy whose script lies in `tmp_path`, with two modules; user `u` may everything."""
    config = SimpleNamespace(python_script=str(tmp_path / "script.py"), address=":4045")
    proxy = SimpleNamespace(globals=SimpleNamespace(config=config))
    monkeypatch.setattr(builtins, "proxy", proxy, raising=False)
    settings.section("auto_config", allowed_users=("u", "v"))
    settings.section(
        "one", min_idle=4, is_on=False, ratio=0.5, text="a b", users=("x", "y"), nothing=None
    )
    config.two = {"count": 1}
    return config


class Client:
    """A proxy as a hook sees it, with the user `u`."""

    PROXY_SEND_RESULT, MYSQLD_PACKET_OK, MYSQLD_PACKET_ERR, MYSQL_TYPE_STRING = 2, OK, ERR, 254

    def __init__(self, username: str | None = "u") -> None:
        self.connection = SimpleNamespace(client=SimpleNamespace(username=username))
        self.response: Any = None

    def run(self, sql: str) -> Any:
        """What the command is answered with; None if it is not one of ours."""
        decision = auto_config.handle(self, commands.parse(b"\x03" + sql.encode()))  # type: ignore[arg-type]
        assert decision == (None if self.response is None else self.PROXY_SEND_RESULT)
        return self.response


def run(sql: str) -> Any:
    return Client().run(sql)


def test_show_lists_every_option(config: Any) -> None:
    response = run("PROXY SHOW CONFIG")
    assert response["type"] == OK
    assert response["resultset"]["fields"] == [
        ("module", 254),
        ("option", 254),
        ("value", 254),
        ("type", 254),
    ]
    assert response["resultset"]["rows"] == [
        ("auto_config", "allowed_users", "u, v", "tuple"),
        ("one", "is_on", "false", "bool"),
        ("one", "min_idle", "4", "int"),
        ("one", "nothing", "None", "NoneType"),
        ("one", "ratio", "0.5", "float"),
        ("one", "text", "a b", "str"),
        ("one", "users", "x, y", "tuple"),
        ("two", "count", "1", "int"),
    ]


@pytest.mark.parametrize(
    ("sql", "name", "value"),
    [
        ("PROXY SET GLOBAL one.min_idle = 7", "min_idle", 7),
        ("proxy  set\tglobal one . min_idle=-7 ;", "min_idle", -7),
        ("PROXY SET GLOBAL one.min_idle = 0", "min_idle", 0),
        ("PROXY SET GLOBAL one.is_on = true", "is_on", True),
        ("PROXY SET GLOBAL one.is_on = FALSE", "is_on", False),
        ("PROXY SET GLOBAL one.ratio = 1.25", "ratio", 1.25),
        ("PROXY SET GLOBAL one.ratio = 2", "ratio", 2.0),
        ('PROXY SET GLOBAL one.text = "c \\"d\\" \\\\ ;"', "text", 'c "d" \\ ;'),
        ("PROXY SET GLOBAL one.text = 'c'", "text", "c"),
        ('PROXY SET GLOBAL one.text = ""', "text", ""),
        ('PROXY SET GLOBAL one.users = "z, w"', "users", ("z", "w")),
        ('PROXY SET GLOBAL one.users = ""', "users", ()),
    ],
)
def test_set(config: Any, sql: str, name: str, value: Any) -> None:
    assert run(sql) == {"type": OK, "affected_rows": 1}
    assert getattr(config.one, name) == value
    assert type(getattr(config.one, name)) is type(value)


def test_set_changes_a_mapping_too(config: Any) -> None:
    run("PROXY SET GLOBAL two.count = 2")
    assert config.two == {"count": 2}


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("PROXY SET GLOBAL three.x = 1", "there is no module three"),
        ("PROXY SET GLOBAL address.x = 1", "there is no module address"),
        ("PROXY SET GLOBAL one.x = 1", "module one has no option x"),
        ("PROXY SET GLOBAL one.min_idle = true", "one.min_idle: expected int, got bool"),
        ("PROXY SET GLOBAL one.min_idle = 1.5", "one.min_idle: expected int, got float"),
        ("PROXY SET GLOBAL one.min_idle = '1'", "one.min_idle: expected int, got str"),
        ("PROXY SET GLOBAL one.is_on = 1", "one.is_on: expected bool, got int"),
        ("PROXY SET GLOBAL one.is_on = 'true'", "one.is_on: expected bool, got str"),
        ("PROXY SET GLOBAL one.text = 1", "one.text: expected str, got int"),
        ("PROXY SET GLOBAL one.text = a", "one.text: expected str, got a word without quotes"),
        ("PROXY SET GLOBAL one.users = a", "one.users: expected tuple, got str"),
        ("PROXY SET GLOBAL one.nothing = 1", "one.nothing is of type NoneType, which cannot"),
    ],
)
def test_set_refuses(config: Any, sql: str, complaint: str) -> None:
    before = modules(config)
    response = run(sql)
    assert response["type"] == ERR
    assert complaint in response["errmsg"]
    assert modules(config) == before


def modules(config: Any) -> str:
    return repr({name: value for name, value in vars(config).items() if not name.startswith("_")})


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELECT 1",
        "PROXY",
        "PROXY SHOW CONFIGS",
        "PROXYSHOW CONFIG",
        "PROXY SET GLOBAL one = 1",
        "PROXY SET GLOBAL one.min_idle =",
        "PROXY SET GLOBAL one.min_idle = 1 2",
        "PROXY SAVE CONFIG INTO f",
        "PROXY SHOW CONFIG; SELECT 1",
    ],
)
def test_other_texts_are_not_meant(config: Any, sql: str) -> None:
    assert run(sql) is None


def test_only_queries_are_meant(config: Any) -> None:
    proxy: Any = Client()
    assert auto_config.handle(proxy, commands.parse(b"\x16PROXY SHOW CONFIG")) is None
    assert auto_config.handle(proxy, commands.parse(b"\x0e")) is None


@pytest.mark.parametrize(
    ("allowed", "username", "may"),
    [
        ((), "u", False),
        ((), None, False),
        (("u",), "u", True),
        (("u",), "U", False),
        (("u",), None, False),
        (("*",), "anyone", True),
    ],
)
def test_who_may(config: Any, allowed: tuple[str, ...], username: str | None, may: bool) -> None:
    config.auto_config.allowed_users = allowed
    response = Client(username).run("PROXY SET GLOBAL one.min_idle = 9")
    assert (response["type"] == OK) == may
    assert config.one.min_idle == (9 if may else 4)
    if not may:
        assert (response["errcode"], response["sqlstate"]) == (1227, "42000")
    assert Client(username).run("SELECT 1") is None


def test_by_default_nobody_may(config: Any) -> None:
    del config.auto_config
    assert run("PROXY SHOW CONFIG")["errcode"] == 1227


def test_a_saved_file_loads_back(config: Any, tmp_path: Path) -> None:
    del config.one.nothing
    config.one.text = "100% of x=y; 'z' # \u00e9"
    assert run('PROXY SAVE CONFIG INTO "f.ini"') == {"type": OK, "affected_rows": 0}
    assert (tmp_path / "f.ini").read_text(encoding="utf-8") == (
        "[auto_config]\nallowed_users = u, v\n"
        "[one]\nis_on = false\nmin_idle = 4\nratio = 0.5\n"
        "text = 100% of x=y; 'z' # \u00e9\nusers = x, y\n"
        "[two]\ncount = 1\n"
    )
    saved = dict(vars(config.one))
    for sql in ("min_idle = 9", "is_on = true", "ratio = 9", "text = ''", "users = ''"):
        assert run(f"PROXY SET GLOBAL one.{sql}")["type"] == OK
    assert vars(config.one) != saved
    assert run("PROXY LOAD CONFIG FROM 'f.ini'") == {"type": OK, "affected_rows": 0}
    assert vars(config.one) == saved


def test_a_saved_file_is_a_settings_file(config: Any, tmp_path: Path) -> None:
    del config.one.nothing
    auto_config.save("f.ini")
    config.one.min_idle = 9
    del config.one
    settings.use_file(str(tmp_path / "f.ini"))
    again = settings.section("one", min_idle=0, is_on=True, ratio=0.0, text="", users=())
    assert (again.min_idle, again.is_on, again.ratio) == (4, False, 0.5)
    assert (again.text, again.users) == ("a b", ("x", "y"))


def test_a_saved_file_is_for_the_proxys_user_only(config: Any, tmp_path: Path) -> None:
    del config.one.nothing
    auto_config.save("f.ini")
    assert (tmp_path / "f.ini").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["f.ini"]


@pytest.mark.parametrize("value", [None, [1], "two\nlines", " blank", "blank ", ("a,b",), (1,)])
def test_what_the_file_cannot_hold_is_not_written(config: Any, tmp_path: Path, value: Any) -> None:
    (tmp_path / "f.ini").write_text("before")
    config.one.nothing = value
    response = run("PROXY SAVE CONFIG INTO 'f.ini'")
    assert response["type"] == ERR
    assert "one.nothing" in response["errmsg"]
    assert (tmp_path / "f.ini").read_text() == "before"


def test_loading_keeps_the_rest_and_adds_what_is_new(config: Any, tmp_path: Path) -> None:
    one = config.one
    (tmp_path / "f.ini").write_text(
        "# by hand\n[one]\nmin-idle = 5\nnew = 1.5\n[three]\na = 1\nb = true\nc = x\n"
    )
    auto_config.load(str(tmp_path / "f.ini"))
    assert config.one is one
    assert (one.min_idle, one.new, one.text) == (5, 1.5, "a b")
    assert vars(config.three) == {"a": 1, "b": True, "c": "x"}
    assert config.two == {"count": 1}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[one]\nis_on = true\nmin_idle = x\n", "[one] min_idle=x: expected a whole number"),
        ("[one]\nis_on = true\n[address]\na = 1\n", "[address] is an option of the proxy"),
        ("[one]\nis_on = true\n[one]\n", "section 'one' already exists"),
        ("is_on = true\n", "no section headers"),
        ("[one]\nis_on = true\nnothing = 1\n", "[one] nothing is of type list"),
    ],
)
def test_loading_is_all_or_nothing(config: Any, tmp_path: Path, text: str, complaint: str) -> None:
    config.one.nothing = [1]
    (tmp_path / "f.ini").write_text(text)
    response = run("PROXY LOAD CONFIG FROM 'f.ini'")
    assert response["type"] == ERR
    assert complaint in response["errmsg"]
    assert config.one.is_on is False


@pytest.mark.parametrize("sql", ["LOAD CONFIG FROM", "SAVE CONFIG INTO"])
def test_a_file_that_is_not_there(config: Any, tmp_path: Path, sql: str) -> None:
    del config.one.nothing
    response = run(f"PROXY {sql} 'no/such'")
    assert response["type"] == ERR
    assert response["errmsg"] == f"{tmp_path}/no/such: No such file or directory"


def test_the_file_is_data(config: Any, tmp_path: Path) -> None:
    (tmp_path / "f.ini").write_text("[one]\ntext = __import__('os').abort()\n")
    auto_config.load("f.ini")
    assert config.one.text == "__import__('os').abort()"
