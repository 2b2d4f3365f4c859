"""Every module has a snippet in docs/library.md, and every reference to a page leads to what it names. tests/docs/ runs the snippets."""

from __future__ import annotations

import os
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "library.md"


def test_every_module_and_script_has_a_snippet() -> None:
    package = Path(__file__).parents[1] / "pyproxy"
    names = {f"pyproxy.{path.stem}" for path in package.glob("[a-z]*.py")}
    names |= {f"pyproxy.hooks.{path.stem}" for path in (package / "hooks").glob("[a-z]*.py")}
    names.add("pyproxy.testing")
    page = PAGE.read_text(encoding="utf-8")
    sections = {part.split("\n")[0].strip(): part for part in page.split("\n## ")[1:]}
    missing = {name for name in names if "```python" not in sections.get(name, "")}
    assert not missing, sorted(missing)


# A page, and perhaps a heading in it, as comments and pages name them.
REFERENCE = re.compile(r"(?<![\w/.-])((?:\.\./)*[A-Za-z][\w/-]*\.md\b)(?:#([\w-]+))?")
INVARIANT = re.compile(r"\bINV-\d+\b")
# A numbered section of a page that is nowhere here.
ELSEWHERE = re.compile(
    r"\b(?:host contract|scripting API|object model|ABI|spec|host defect|scenario) [0-9H]",
    re.IGNORECASE,
)
TEXTS = {".h", ".md", ".py", ".pyi", ".rs", ".sh", ".toml"}
NOT_OURS = {"target", "node_modules", "vendor"}


def texts() -> list[Path]:
    """What somebody wrote: sources, tests and pages."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in NOT_OURS and not name.startswith(".")]
        found += [Path(folder, name) for name in names if Path(name).suffix in TEXTS]
    found.remove(Path(__file__))
    return found


def anchors(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    lines = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S
    ).splitlines()
    headings = [line.lstrip("#").strip() for line in lines if line.startswith("#")]
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_there(reference: str, heading: str | None, source: Path) -> bool:
    """Whether a page that a text names exists, beside it or from the root, and has the heading."""
    for page in (source.parent / reference, ROOT / reference):
        if page.is_file():
            return heading is None or heading in anchors(page)
    return False


def test_every_reference_to_a_page_leads_to_a_heading() -> None:
    missing = []
    for source in texts():
        text = source.read_text(encoding="utf-8")
        missing += [
            f"{source.relative_to(ROOT)}: {match[0]}"
            for match in REFERENCE.finditer(text)
            if not is_there(match[1], match[2], source)
        ]
        missing += [f"{source.relative_to(ROOT)}: {match[0]}" for match in ELSEWHERE.finditer(text)]
    assert not missing, "\n".join(missing)


def test_every_invariant_that_a_comment_cites_is_in_its_page() -> None:
    # The bundled host has its own, in the documentation of its crate.
    of_host = ROOT / "crates" / "host"
    known = {
        page: set(re.findall(pattern, page.read_text(encoding="utf-8"), flags=re.M))
        for page, pattern in (
            (ROOT / "SAFETY.md", r"^## (INV-\d+):"),
            (of_host / "src" / "lib.rs", r"^//! \* \*\*(INV-\d+)\*\*"),
        )
    }
    unknown = []
    for source in texts():
        page = of_host / "src" / "lib.rs" if source.is_relative_to(of_host) else ROOT / "SAFETY.md"
        cited = set(INVARIANT.findall(source.read_text(encoding="utf-8")))
        unknown += [f"{source.relative_to(ROOT)}: {name}" for name in cited - known[page]]
    assert not unknown, "\n".join(unknown)
