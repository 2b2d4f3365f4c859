"""The parts of the script `http_policy`: what is an answer, and what is not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pyproxy._http_policy.client import Client, NoAnswer

OK = b"HTTP/1.1 200 OK\r\n"


def exchange(answer: bytes, timeout: float = 5.0, closes: bool = True) -> tuple[Any, bytes]:
    """What a client makes of `answer`, and what it had asked."""
    asked = b""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked = await reader.readuntil(b"}")
        # In pieces.
        for at in range(0, len(answer), 1000):
            writer.write(answer[at : at + 1000])
            await writer.drain()
        if closes:
            writer.close()
        else:
            await reader.read()

    async def run() -> Any:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            client = Client(f"http://127.0.0.1:{port}/check?a=b", timeout, 1)
            return await client.ask({"sql": "SELECT 1"})
        finally:
            server.close()

    return asyncio.run(run()), asked


def test_question_and_answer() -> None:
    found, asked = exchange(OK + b'\r\n{"allow": true}')
    assert found == {"allow": True}
    assert asked.startswith(b"POST /check?a=b HTTP/1.0\r\nHost: 127.0.0.1:")
    assert b"\r\nContent-Length: 19\r\n" in asked
    assert asked.endswith(b'\r\n\r\n{"sql": "SELECT 1"}')


def test_an_answer_that_tells_its_length_need_not_end() -> None:
    answer = OK + b'content-length: 16\r\n\r\n{"allow": false}'
    assert exchange(answer, closes=False)[0] == {"allow": False}


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (b"", "no HTTP"),
        (b"hello\r\n\r\n{}", "no HTTP"),
        (b"HTTP/1.1 500 Oh\r\n\r\n{}", "status 500"),
        (b"HTTP/1.1 204 No\r\n\r\n{}", "status 204"),
        (OK + b"\r\nyes", "no JSON"),
        (OK + b"\r\n[]", "no JSON object"),
        (OK + b"\r\n" + b" " * 100_000 + b"{}", "too long"),
    ],
)
def test_what_is_no_answer(answer: bytes, complaint: str) -> None:
    with pytest.raises(NoAnswer, match=complaint):
        exchange(answer)


def test_a_service_that_is_silent_or_gone() -> None:
    with pytest.raises(NoAnswer, match=r"no answer in 0\.1 s"):
        exchange(b"", timeout=0.1, closes=False)
    with pytest.raises(NoAnswer, match="111"):
        asyncio.run(Client("http://127.0.0.1:1/", 5, 1).ask({}))


@pytest.mark.parametrize("url", ["", "https://x/", "127.0.0.1:80", "http://u:p@x/", "http:///x"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match="expected http://"):
        Client(url, 1, 1)
