"""What stands for the services of ready-made scripts: as much of Redis as these use, a second server, a policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import redis.asyncio
from pyproxy._http_policy.client import Client
from pyproxy._tee.second_server import Question, SecondServer
from pyproxy._tee.summary import Summary, of_rows

__all__ = ["FORBIDDEN", "FakeRedis", "install"]

FORBIDDEN = "forbidden"
"""A statement with this word in it is none that the policy allows."""


class FakeRedis:
    """Keys and values, without time: nothing expires, and a bucket of tokens never fills."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    async def mget(self, keys: Sequence[str]) -> list[bytes | None]:
        return [self.values.get(key) for key in keys]

    async def set(self, key: str, value: str | bytes, ex: int = 0, nx: bool = False) -> None:
        if not nx or key not in self.values:
            self.values[key] = value.encode() if isinstance(value, str) else value

    def pipeline(self, transaction: bool) -> _Pipeline:
        return _Pipeline(self)

    def register_script(self, text: str) -> Any:
        async def take(keys: Sequence[str], args: Sequence[float]) -> int:
            taken = int(self.values.get(keys[0], b"0"))
            if taken >= args[1]:
                return -1
            self.values[keys[0]] = b"%d" % (taken + 1)
            return 0

        return take

    async def aclose(self) -> None:
        pass


class _Pipeline:
    """Commands that are kept until they are executed."""

    def __init__(self, redis: FakeRedis) -> None:
        self._redis = redis
        self._commands: list[Any] = []

    async def __aenter__(self) -> _Pipeline:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def set(self, *args: Any, **options: Any) -> None:
        self._commands.append(self._redis.set(*args, **options))

    def mget(self, keys: Sequence[str]) -> None:
        self._commands.append(self._redis.mget(keys))

    async def execute(self) -> list[Any]:
        return [await command for command in self._commands]


def install(patch: pytest.MonkeyPatch) -> FakeRedis:
    """Puts them in the places of the real ones. The second server has no rows."""
    fake = FakeRedis()

    async def ask_server(self: SecondServer, question: Question) -> Summary:
        return of_rows([])

    async def ask_policy(self: Client, question: Mapping[str, object]) -> dict[str, Any]:
        return {"allow": FORBIDDEN not in str(question["sql"]), "cache": 0}

    patch.setattr(redis.asyncio, "from_url", lambda *args, **options: fake)
    patch.setattr(SecondServer, "ask", ask_server)
    patch.setattr(Client, "ask", ask_policy)
    return fake
