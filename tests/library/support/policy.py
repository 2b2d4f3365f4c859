"""An HTTP service that decides about statements."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class PolicyService:
    """A running service. `decide` gets each question; what it returns is the answer, or the status if that is a number."""

    def __init__(self) -> None:
        self.questions: list[dict[str, Any]] = []
        self.decide: Callable[[dict[str, Any]], Any] = lambda question: {"allow": True}
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service.questions.append(question)
                answer = service.decide(question)
                self.send_response(answer if isinstance(answer, int) else 200)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/check"

    def asked(self, sql: str) -> int:
        """How often it was asked about a statement."""
        return sum(question["sql"] == sql for question in self.questions)

    def stop(self) -> None:
        """It listens no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
