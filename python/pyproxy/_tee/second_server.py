"""The server whose answers are compared: a few connections, to be used on the loop of the hooks that wait."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

try:
    import aiomysql  # type: ignore[import-untyped] # it has no annotations
except ImportError as error:
    raise ImportError(
        "this script asks a second server and needs the package aiomysql: install it for the Python of the proxy, or into the "
        f"environment that pyproxy-venv names ({error})"
    ) from None

from pyproxy._tee.summary import Summary, of_error, of_rows

__all__ = ["Away", "Question", "SecondServer"]

# Numbers of the errors that a client makes by itself: the server is not there.
_CLIENT_ERRORS = range(2000, 3000)
# Errors that say that this client is not let in, or not any more.
_NOT_LET_IN = (1040, 1044, 1045, 1129, 1130, 1152, 1203, 1226)


class Question(NamedTuple):
    """A query, and what its session has set."""

    sql: str
    database: str
    settings: tuple[str, ...] = ()


class Away(Exception):
    """The server does not answer."""


class SecondServer:
    """At most `most` connections. What is idle is kept for the next question with the same settings."""

    def __init__(self, address: str, user: str, password: str, timeout: float, most: int) -> None:
        """Raises ValueError for an address that is none: `host:port`, or the path of a socket."""
        self._where = _where(address)
        self._login = {"user": user, "password": password}
        self._timeout = timeout
        self._free = asyncio.Semaphore(most)
        self._idle: list[tuple[tuple[str, ...], Any]] = []

    async def ask(self, question: Question) -> Summary:
        """What the server gives. Raises Away."""
        async with self._free:
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._ask(question)
            except TimeoutError:
                raise Away(f"no answer in {self._timeout:g} s") from None

    def close(self) -> None:
        """Ends the connections."""
        while self._idle:
            self._idle.pop()[1].close()

    async def _ask(self, question: Question) -> Summary:
        idle = self._take_idle(question.settings)
        if idle is not None:
            try:
                return await self._on(idle, question)
            except Away:
                # The server ends what is idle for long.
                pass
        try:
            connection = await self._connect(question.settings)
        except (OSError, aiomysql.MySQLError) as error:
            raise Away(str(error)) from None
        return await self._on(connection, question)

    async def _on(self, connection: Any, question: Question) -> Summary:
        is_well = False
        try:
            if question.database:
                await connection.select_db(question.database)
            async with connection.cursor() as cursor:
                try:
                    await cursor.execute(question.sql)
                    summary = of_rows(await cursor.fetchall())
                except aiomysql.MySQLError as error:
                    summary = of_error(_server_error(error))
            is_well = True
        except (OSError, aiomysql.MySQLError) as error:
            raise Away(str(error)) from None
        finally:
            if is_well:
                self._idle.append((question.settings, connection))
            else:
                connection.close()
        return summary

    def _take_idle(self, settings: tuple[str, ...]) -> Any:
        for index, (made, connection) in enumerate(self._idle):
            if made == settings:
                del self._idle[index]
                return connection
        if self._idle:
            # It makes room for another one.
            self._idle.pop(0)[1].close()
        return None

    async def _connect(self, settings: tuple[str, ...]) -> Any:
        connection = await aiomysql.connect(
            **self._where,
            **self._login,
            charset="utf8mb4",
            autocommit=True,
            # Cells as the server writes them.
            conv={},
            init_command="SET SESSION TRANSACTION READ ONLY",
            program_name="pyproxy tee",
        )
        try:
            async with connection.cursor() as cursor:
                for setting in settings:
                    await cursor.execute(setting)
        except BaseException:
            connection.close()
            raise
        return connection


def _where(address: str) -> dict[str, Any]:
    if address.startswith("/"):
        return {"unix_socket": address}
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdigit():
        raise ValueError("expected host:port, or the path of a socket")
    return {"host": host.strip("[]"), "port": int(port)}


def _server_error(error: Exception) -> int:
    """The number of an ERR; what is none is raised again."""
    number = error.args[0] if error.args else None
    if not isinstance(number, int) or number in _CLIENT_ERRORS or number in _NOT_LET_IN:
        raise error
    return number
