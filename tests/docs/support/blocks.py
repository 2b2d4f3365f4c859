"""The code blocks of all pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[3]
BESIDE_DOCS = ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "examples/README.md"]
FENCE = re.compile(r"(?P<indent> *)```(?P<language>[\w-]*)(?P<options>[^`]*)$")
TITLE = re.compile(r'title="([^"]+)"')
INSIDE = "in read_query_result"


@dataclass(frozen=True)
class Block:
    """A block: `language` and `options` are what stands behind its first three backticks."""

    page: Path
    line: int
    language: str
    options: str
    text: str

    @property
    def id(self) -> str:
        """The name of its test."""
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"

    @property
    def title(self) -> str | None:
        """The file that it is."""
        return None if self.is_body else self._title

    @property
    def is_body(self) -> bool:
        """Whether it is lines of a hook."""
        return self._title == INSIDE

    @property
    def _title(self) -> str | None:
        found = TITLE.fullmatch(self.options)
        return found[1] if found else None


def pages() -> list[Path]:
    """All pages of the site that somebody wrote, and the README."""
    return sorted((ROOT / "docs").rglob("*.md")) + [ROOT / name for name in BESIDE_DOCS]


@cache
def blocks() -> tuple[Block, ...]:
    """All of them, in the order of pages and lines."""
    return tuple(block for page in pages() for block in _of(page))


def of_language(*languages: str) -> list[Block]:
    """Those of some languages."""
    return [block for block in blocks() if block.language in languages]


def _of(page: Path) -> list[Block]:
    found: list[Block] = []
    opened: re.Match[str] | None = None
    start = 0
    lines = page.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        fence = FENCE.match(line)
        if opened is None and fence:
            opened, start = fence, number
        elif opened is not None and line == opened["indent"] + "```":
            text = dedent("\n".join(lines[start : number - 1])) + "\n"
            found.append(
                Block(page, start + 1, opened["language"], opened["options"].strip(), text)
            )
            opened = None
    assert opened is None, f"{page}:{start}: this block has no end"
    return found
