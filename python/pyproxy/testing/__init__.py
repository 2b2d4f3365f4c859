"""Unit tests of hook scripts with plain pytest: no proxy, no server.

    from pyproxy.testing import FakeServer, Result, Session

    def test_answers_are_cached():
        server = FakeServer().on("SELECT 1", Result(["1"], [("1",)]))
        with Session("cache.py", server=server) as session:
            assert session.query("SELECT 1").rows == [("1",)]
            assert session.query("SELECT 1").rows == [("1",)]
            assert [query.text for query in session.server_queries] == ["SELECT 1"]

A Session runs the plugin's own rules in memory: it calls the hooks with the plugin's objects, on real packets, and tells
what the client would see, what the servers would see and what the log would say. What a hook raises is raised to the test. `fake_proxy` and `injection` are for calling one
hook by hand.
"""

from __future__ import annotations

from .answer import Answer, ErrorInfo, ResultInfo
from .client import CAPABILITIES, LoginRefused, Statement
from .clock import Clock
from .fakes import auth, fake_proxy, injection
from .pending import Pending
from .process import LogEntry
from .protocol import Capability
from .results import Disconnect, Error, LocalInfile, Ok, Packets, Result
from .server import FakeServer
from .server_command import ServerCommand
from .session import Session
from .tracking import Changes

__all__ = [
    "CAPABILITIES",
    "Answer",
    "Capability",
    "Changes",
    "Clock",
    "Disconnect",
    "Error",
    "ErrorInfo",
    "FakeServer",
    "LocalInfile",
    "LogEntry",
    "LoginRefused",
    "Ok",
    "Packets",
    "Pending",
    "Result",
    "ResultInfo",
    "ServerCommand",
    "Session",
    "Statement",
    "auth",
    "fake_proxy",
    "injection",
]
