"""Every snippet of docs/library.md runs."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "library.md"


def snippets() -> list[tuple[int, str]]:
    """Number of the first line, and text, of each block of Python."""
    found, start = [], None
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line == "```python":
            start = number + 1
        elif line == "```" and start is not None:
            found.append((start + 1, "\n".join(lines[start:number])))
            start = None
    return found


@pytest.mark.parametrize(("line", "text"), [pytest.param(*s, id=f"line{s[0]}") for s in snippets()])
def test_snippet(line: int, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # One of them shows an example of this repository.
    monkeypatch.chdir(ROOT)
    # Blank lines in front, so that a traceback names the line of the page.
    code = compile("\n" * (line - 1) + text, str(PAGE), "exec")
    exec(code, {"__name__": "snippet"})


def test_every_module_and_script_has_a_snippet() -> None:
    package = Path(__file__).parents[1] / "pyproxy"
    names = {f"pyproxy.{path.stem}" for path in package.glob("[a-z]*.py")}
    names |= {f"pyproxy.hooks.{path.stem}" for path in (package / "hooks").glob("[a-z]*.py")}
    names.add("pyproxy.testing")
    page = PAGE.read_text(encoding="utf-8")
    sections = {part.split("\n")[0].strip(): part for part in page.split("\n## ")[1:]}
    missing = {name for name in names if "```python" not in sections.get(name, "")}
    assert not missing, sorted(missing)
