"""Where a list of advisories is asked as OSV's service is: a window on loopback.

Knows the query that pip-audit sends, and its answer. Does not know which versions are affected.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from tests.support.advisories import Advisories

__all__ = ["AdvisoryWindow"]


class AdvisoryWindow(HTTPServer):
    """Answers OSV's query from *advisories*, on a free port of loopback, within a ``with``."""

    def __init__(self, advisories: Advisories) -> None:
        super().__init__(("127.0.0.1", 0), _Question)
        self.advisories = advisories
        self.asked: set[str] = set()  #: names of packages
        self._thread = threading.Thread(target=self.serve_forever, name="advisories", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/query"

    def __enter__(self) -> "AdvisoryWindow":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Question(BaseHTTPRequestHandler):
    server: AdvisoryWindow
    timeout = 10  # seconds; who asks is on this machine

    def do_POST(self) -> None:
        try:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = question["package"]["name"]
            found = self.server.advisories.about(name, question["version"])
        except (TypeError, KeyError, ValueError) as error:  # InvalidVersion is a ValueError
            self.send_error(400, f"{error!r}")
            return
        self.server.asked.add(name)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"vulns": found}).encode())

    def log_request(self, *_: object) -> None:
        """A refusal is told on standard error; all else is for pip-audit to tell."""
