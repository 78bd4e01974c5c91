"""Somebody who uses a wiki's API over HTTP, as any client would.

Knows logins, tokens and JSON. Judges no answer: a refusal is returned, not raised.
"""

from typing import Any

import requests

PATIENCE = 30.0  # seconds for one request


class Visitor:
    """A browser's worth of state: cookies and tokens. Not thread-safe."""

    def __init__(self, api_url: str) -> None:
        self.api_url = api_url
        self.http = requests.Session()

    def get(self, **parameters: object) -> dict[str, Any]:
        return self._ask("GET", parameters)

    def post(self, **parameters: object) -> dict[str, Any]:
        """A POST without a token, unless one is among the parameters."""
        return self._ask("POST", parameters)

    def act(self, **parameters: object) -> dict[str, Any]:
        """A POST with the CSRF token of the present session."""
        return self.post(token=self.token("csrf"), **parameters)

    def token(self, kind: str) -> str:
        token: str = self.get(action="query", meta="tokens", type=kind)["query"]["tokens"][f"{kind}token"]
        return token

    def log_in(self, name: str, password: str) -> "Visitor":
        """As a user, or with a bot password as "Name@app"; fails the test if the wiki says no."""
        answer = self.post(action="login", lgname=name, lgpassword=password, lgtoken=self.token("login"))
        assert answer["login"]["result"] == "Success", answer
        return self

    def _ask(self, method: str, parameters: dict[str, object]) -> dict[str, Any]:
        fields = {"format": "json", "formatversion": "2", **parameters}
        place: dict[str, Any] = {"params": fields} if method == "GET" else {"data": fields}
        response = self.http.request(method, self.api_url, timeout=PATIENCE, **place)
        answer: dict[str, Any] = response.json()
        return answer
