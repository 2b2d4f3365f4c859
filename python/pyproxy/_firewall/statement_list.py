r"""A list of statements in a text file: one line for each, a user, a tab, and the statement's fingerprint.

    # what the web shop asks
    shop<TAB>SELECT name FROM customers WHERE id = ?
    *<TAB>SET NAMES utf8mb4

`*` is every user. Backslashes, control characters and bytes that are no UTF-8 are written as `\\` and `\xNN`.
"""

from __future__ import annotations

import os
import re
import tempfile

__all__ = ["ListError", "StatementList", "escape", "unescape"]

_EVERYONE = "*"

# Undecodable bytes are surrogates in a str.
_ESCAPED = re.compile("[\\\\\x00-\x1f\x7f\udc80-\udcff]")
_ESCAPE = re.compile(r"\\(?:\\|x([0-9a-f]{2}))")


class ListError(ValueError):
    """A file that is no list of statements; the text names the file and the line."""


def escape(text: str) -> str:
    """`text` on one line, without a tab."""

    def one(found: re.Match[str]) -> str:
        char = found.group()
        return "\\\\" if char == "\\" else f"\\x{ord(char) & 0xFF:02x}"

    return _ESCAPED.sub(one, text)


def unescape(text: str) -> str:
    """The inverse of `escape`."""

    def one(found: re.Match[str]) -> str:
        if found.group(1) is None:
            return "\\"
        code = int(found.group(1), 16)
        return chr(code if code < 0x80 else 0xDC00 + code)

    return _ESCAPE.sub(one, text)


class StatementList:
    """The list in the file `path`, which need not exist yet."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._text = ""
        # None stands for every user.
        self._statements: dict[str | None, set[str]] = {}
        self._new: list[tuple[str, str]] = []
        self._stamp: tuple[int, int, int] | None = None
        self.refresh()

    def __len__(self) -> int:
        return sum(map(len, self._statements.values()))

    def has(self, user: str, statement: str) -> bool:
        """Whether the list has this fingerprint for this user."""
        return any(statement in self._statements.get(name, ()) for name in (user, None))

    def refresh(self) -> bool:
        """Reads the file if it has changed; says whether it has. A file that is gone is an empty list.

        Raises ListError or OSError, and keeps what it had, if the file cannot be used.
        """
        stamp = self._stamp_of_file()
        if stamp == self._stamp:
            return False
        # A file that cannot be used is complained about once.
        self._stamp = stamp
        if stamp is None:
            text = ""
        else:
            try:
                with open(self.path, encoding="utf-8") as file:
                    text = file.read()
            except UnicodeDecodeError as error:
                raise ListError(f"{self.path}: this is not UTF-8: {error}") from None
        self._statements = self._parse(text)
        self._text = text
        for user, statement in self._new:
            self._statements.setdefault(user, set()).add(statement)
        return True

    def add(self, user: str, statement: str) -> None:
        """Adds a statement, which is in the file after the next `save`."""
        self._statements.setdefault(user, set()).add(statement)
        self._new.append((user, statement))

    def save(self) -> None:
        """Writes what was added into the file, behind what somebody else wrote there meanwhile; nothing if nothing was.

        The file is replaced as a whole: readers see the old one or the new one. Raises OSError.
        """
        if not self._new:
            return
        self.refresh()
        lines = "".join(f"{_user(user)}\t{escape(text)}\n" for user, text in self._new)
        text = self._text
        if text and not text.endswith("\n"):
            text += "\n"
        self._replace_file(text + lines)
        self._text = text + lines
        self._new.clear()
        self._stamp = self._stamp_of_file()

    def _replace_file(self, text: str) -> None:
        folder, name = os.path.split(os.path.abspath(self.path))
        # Only the owner can read a new file: statements can have secrets in them.
        handle, draft = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if os.path.exists(self.path):
                os.chmod(draft, os.stat(self.path).st_mode & 0o7777)
            os.replace(draft, self.path)
        except BaseException:
            os.unlink(draft)
            raise

    def _stamp_of_file(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self.path)
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _parse(self, text: str) -> dict[str | None, set[str]]:
        statements: dict[str | None, set[str]] = {}
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip() or line.startswith("#"):
                continue
            user, tab, statement = line.partition("\t")
            if not tab or not statement:
                raise ListError(f"{self.path}:{number}: expected a user, a tab and a statement")
            name = None if user == _EVERYONE else unescape(user)
            statements.setdefault(name, set()).add(unescape(statement))
        return statements


def _user(name: str) -> str:
    """A user's name in the file. One that looks like a comment or like everyone gets an escape."""
    if name != _EVERYONE and not name.startswith("#"):
        return escape(name)
    return f"\\x{ord(name[0]):02x}{escape(name[1:])}"
