"""A question to an HTTP service: one POST with JSON, and the JSON of its answer. HTTP/1.0, so each has a connection of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Client", "NoAnswer"]

_MOST_BYTES = 64 * 1024
_OK = 200


class NoAnswer(Exception):
    """The service did not answer as it should; the text says how."""


class Client:
    """One address to ask. Raises ValueError if it is none of the form `http://host[:port][/path]`."""

    def __init__(self, url: str, timeout: float, most: int) -> None:
        """An answer is awaited for `timeout` seconds; `most` questions are asked at the same time, the others wait."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.username is not None:
            raise ValueError("expected http://host:port/path")
        self._host, self._port = parts.hostname, parts.port or 80
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._netloc = parts.netloc
        self._timeout = timeout
        self._free = asyncio.Semaphore(most)

    async def ask(self, question: Mapping[str, object]) -> dict[str, Any]:
        """The object that the service answers with. Raises NoAnswer."""
        body = json.dumps(question).encode()
        try:
            async with asyncio.timeout(self._timeout), self._free:
                answer = await self._post(body)
        except TimeoutError:
            raise NoAnswer(f"no answer in {self._timeout:g} s") from None
        except OSError as error:
            raise NoAnswer(str(error)) from None
        return _object(answer)

    async def _post(self, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            head = (
                f"POST {self._path} HTTP/1.0\r\nHost: {self._netloc}\r\nContent-Type: application/json\r\n"
                f"Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            await writer.drain()
            answer = bytearray()
            while part := await reader.read(_MOST_BYTES):
                answer += part
                if len(answer) > _MOST_BYTES:
                    raise NoAnswer("the answer is too long")
                if _is_complete(answer):
                    break
            return bytes(answer)
        finally:
            writer.close()


def _is_complete(answer: bytes | bytearray) -> bool:
    """Whether the answer is as long as it says. One that does not say ends with the connection."""
    head, blank, body = answer.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n")[1:] if blank else ():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and value.strip().isdigit():
            return len(body) >= int(value)
    return False


def _object(answer: bytes) -> dict[str, Any]:
    head, blank, body = answer.partition(b"\r\n\r\n")
    words = head.split(b"\r\n")[0].split()
    if not blank or len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise NoAnswer("the answer is no HTTP")
    if int(words[1]) != _OK:
        raise NoAnswer(f"status {int(words[1])}")
    try:
        found = json.loads(body)
    except ValueError:
        raise NoAnswer("the answer is no JSON") from None
    if not isinstance(found, dict):
        raise NoAnswer("the answer is no JSON object")
    return found
