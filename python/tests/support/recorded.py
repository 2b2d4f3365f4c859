"""Calls of the original's Lua modules with what they gave, one per line of a JSON file.

The files lie beside the Rust crates that read them, too. Strings stand for bytes, one character
each.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_CRATES = Path(__file__).resolve().parents[3] / "crates"
PROTO = _CRATES / "wire/tests/data/proto-cases.jsonl"
TOKENIZER = _CRATES / "sqltok/tests/legacy/data/tokenizer-cases.jsonl"
NORMALIZE = _CRATES / "sqltok/tests/legacy/data/normalize-cases.jsonl"
TOKENS = _CRATES / "sqltok/tests/legacy/data/sql-tokens.tsv"


def cases(file: Path) -> list[dict[str, Any]]:
    """All cases of a file."""
    return [json.loads(line) for line in file.read_text().splitlines()]


def raw(text: str) -> bytes:
    """The bytes that a string in a file stands for."""
    return text.encode("latin-1")
