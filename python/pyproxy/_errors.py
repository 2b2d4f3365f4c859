"""The exceptions of hooks that wait."""

import asyncio
import io


class ServerError(Exception):
    """The ERR with which a server answered a query."""

    def __init__(self, code: int, sqlstate: str, message: str) -> None:
        super().__init__(code, sqlstate, message)
        self.code = code
        self.sqlstate = sqlstate
        self.message = message

    def __str__(self) -> str:
        return f"{self.code} ({self.sqlstate}): {self.message}"


class ServerLost(Exception):
    """There is no server connection, or it was lost before the answer to a query was complete."""


class ResultTooLarge(Exception):
    """The result of a query is larger than `pyproxy-max-kept-bytes`."""


class HookTimeout(BaseException):
    """A hook took longer than `pyproxy-hook-timeout`; raised in it, wherever it is."""


def where(task: asyncio.Task[object]) -> str:
    """Where a task is, as a traceback has it."""
    text = io.StringIO()
    task.print_stack(file=text)
    return text.getvalue().rstrip("\n")
