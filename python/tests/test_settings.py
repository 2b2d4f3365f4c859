"""`pyproxy.settings`: where values come from, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pyproxy.settings import SettingsError
from pyproxy.testing import Session

SCRIPT = """
from pyproxy.settings import raw, section
settings = section("mine", count=1, ratio=0.5, on=False, names=("a",), text="x")
rules = raw("rules")
"""


def settings_of(text: str | None = None, config: dict[str, Any] | None = None) -> dict[str, Any]:
    with Session(SCRIPT, script_config=text, config=config) as session:
        assert session.globals.config.mine is session.script.settings
        return dict(vars(session.script.settings))


def test_defaults() -> None:
    assert settings_of() == {"count": 1, "ratio": 0.5, "on": False, "names": ("a",), "text": "x"}


def test_the_file_sets_values_of_the_type_of_the_default() -> None:
    values = settings_of(
        "[mine]\ncount = -3\nratio = 2\non = TRUE\nnames = b, c,\ntext = 50% = 1/2"
    )
    assert values == {
        "count": -3,
        "ratio": 2.0,
        "on": True,
        "names": ("b", "c"),
        "text": "50% = 1/2",
    }
    assert isinstance(values["ratio"], float)


def test_names_may_be_written_with_a_hyphen_and_other_sections_do_not_matter() -> None:
    script = "from pyproxy.settings import section\nsettings = section('mine', two_words=1)"
    with Session(script, script_config="[mysql-proxy]\nx=1\n[mine]\ntwo-words = 2") as session:
        assert session.script.settings.two_words == 2


@pytest.mark.parametrize("given", [{"count": 9}, SimpleNamespace(count=9)])
def test_what_python_set_wins_over_the_file(given: object) -> None:
    values = settings_of("[mine]\ncount = 3\ntext = y", {"mine": given})
    assert values["count"] == 9
    assert values["text"] == "y"


def test_a_section_is_shared_and_keeps_what_was_set_at_run_time() -> None:
    script = """
from pyproxy.settings import section
first = section("mine", count=1)
first.count = 5
second = section("mine", count=1, more=2)
"""
    with Session(script) as session:
        assert session.script.first is session.script.second
        assert vars(session.script.second) == {"count": 5, "more": 2}


def test_rules_are_texts() -> None:
    with Session(SCRIPT, script_config="[rules]\nShop.Name = a, b\n# no\n") as session:
        assert session.script.rules == {"Shop.Name": "a, b"}
    with Session(SCRIPT) as session:
        assert session.script.rules == {}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[mine]\ncount = 1.5", "[mine] count=1.5: expected a whole number"),
        ("[mine]\nratio = much", "[mine] ratio=much: expected a number"),
        ("[mine]\non = maybe", "[mine] on=maybe: expected true or false"),
        ("[mine]\ncolour = red", "[mine] colour=red: there is no such setting, but count, "),
        ("[mine]\ncount = 1\ncount = 2", "already exists"),
        ("\ncount = 1", "no section headers"),
    ],
)
def test_wrong_files_are_refused_with_one_line(text: str, complaint: str) -> None:
    with pytest.raises(SettingsError) as error:
        settings_of(text)
    assert str(error.value).startswith("pyproxy-script-config=")
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_an_option_of_the_proxy_is_no_section() -> None:
    with pytest.raises(SettingsError, match="profiling is True, not a section"):
        Session("from pyproxy.settings import section\nsection('profiling', a=1)")


def test_a_misspelt_setting_names_the_one_that_was_meant() -> None:
    with pytest.raises(SettingsError, match=r"\[mine\] coutn=1: .* did you mean count\?"):
        settings_of("[mine]\ncoutn = 1")


@pytest.mark.parametrize(
    ("section", "meant"), [("rulse", "rules"), ("minee", "mine"), ("Rules", "rules")]
)
def test_a_misspelt_section_is_refused(section: str, meant: str) -> None:
    with pytest.raises(SettingsError) as error:
        Session(SCRIPT, script_config=f"[{section}]\na = 1\n")
    assert f"no script reads section [{section}]: did you mean [{meant}]?" in str(error.value)


def test_sections_of_others_are_told_of(caplog: pytest.LogCaptureFixture) -> None:
    text = "[mysql-proxy]\n[auto_config]\n[mine]\n[rules]\n[rule]\n[mysqld]\nport = 1\n"
    with Session(SCRIPT, script_config=text):
        told = [record.getMessage().partition(": ")[2] for record in caplog.records]
    assert told == ["no script reads [rule], [mysqld]"]
