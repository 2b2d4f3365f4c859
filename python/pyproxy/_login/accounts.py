"""Accounts of the front end: who may log in to the proxy, and as whom it logs in to the server.

    app = *2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19 shop_rw its secret
    guest = - readonly

A name, the hash of the password (as `SELECT PASSWORD('...')` gives it; `-` for no password), the server's user, and that
user's password, which is the rest of the line and may be missing.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Account", "AccountError", "parse", "read", "stamp"]

_HASH = re.compile(r"\*([0-9A-Fa-f]{40})\Z")


class AccountError(ValueError):
    """An account that cannot be used. The text does not show passwords."""


class Account(NamedTuple):
    """What stands for one name of the front end."""

    # SHA-1 applied twice, 20 bytes; None for no password.
    double_hash: bytes | None
    backend_user: str
    backend_password: str


def parse(accounts: Mapping[str, str]) -> dict[str, Account]:
    """Accounts out of names and texts. Raises AccountError."""
    return {name: _account(name, text) for name, text in accounts.items()}


def read(path: str) -> dict[str, Account]:
    """The accounts in a file; lines that begin with `#` are comments. Raises AccountError or OSError."""
    accounts = {}
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            name, equals, text = line.partition("=")
            if not equals:
                raise AccountError(f"{path}:{number}: expected a name, `=` and what stands for it")
            accounts[name.strip()] = _account(f"{path}:{number}", text.strip())
    return accounts


def stamp(path: str) -> tuple[int, int, int]:
    """What tells that a file has changed. Raises OSError."""
    status = os.stat(path)
    return status.st_ino, status.st_size, status.st_mtime_ns


def is_readable_by_others(path: str) -> bool:
    """Whether everybody on this machine can read the passwords in a file. Raises OSError."""
    return bool(os.stat(path).st_mode & stat.S_IROTH)


def _account(where: str, text: str) -> Account:
    fields = text.split(maxsplit=2)
    if len(fields) < 2:
        raise AccountError(f"{where}: expected a hash, a user of the server and its password")
    found = _HASH.match(fields[0])
    if found is None and fields[0] != "-":
        raise AccountError(f"{where}: the hash must be `*` and 40 hex digits, or `-`")
    double_hash = bytes.fromhex(found.group(1)) if found else None
    return Account(double_hash, fields[1], fields[2] if len(fields) > 2 else "")
