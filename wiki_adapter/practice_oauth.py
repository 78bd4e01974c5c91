"""The practice wiki's OAuth: one owner-only consumer of version 1 and one of version 2, both the bot's.

Verifies signatures (RFC 5849, by oauthlib, which comes with mwclient) and bearer tokens (RFC 6750), and says
no in the words of MediaWiki's extension OAuth. Does not know what an authorisation is good for.
"""

import secrets
from collections.abc import Collection

from oauthlib.oauth1 import RequestValidator, ResourceEndpoint

from sidecar.domain.access import OAuth1, OAuth2

from .practice_http import Request
from .practice_login import Session
from .practice_troubles import ApiError

__all__ = ["PracticeOAuth"]


class PracticeOAuth:
    """Who a request is by its Authorization header. Not thread-safe."""

    def __init__(self, user: str) -> None:
        self.consumer = OAuth1(*(secrets.token_hex(16) for _ in range(4)))
        self.token = OAuth2(".".join(secrets.token_urlsafe(24) for _ in range(3)))
        self.revoked = False
        self._user = user
        self._endpoint = ResourceEndpoint(_Signatures(self.consumer))
        self._csrf_token = ""
        self.forget()

    def forget(self) -> None:
        """Nobody is logged out by it, but tokens are void."""
        self._csrf_token = secrets.token_hex(16) + "+\\"

    def session(self, request: Request) -> Session | None:
        """The bot's, or None for a request without an authorisation. Raises ApiError for a wrong one."""
        kind, _, value = request.authorization.partition(" ")
        if kind not in ("OAuth", "Bearer"):
            return None
        if not (self._is_signed(request) if kind == "OAuth" else value == self.token.access_token):
            why = "Invalid signature" if kind == "OAuth" else "Invalid access token"
            raise _invalid(why)
        if self.revoked:
            raise _invalid("No approved grant was found for that authorization token.")
        return Session(self._user, csrf_token=self._csrf_token)

    def _is_signed(self, request: Request) -> bool:
        headers = {"Authorization": request.authorization, "Content-Type": request.content_type}
        signed, _ = self._endpoint.validate_protected_resource_request(
            request.url, request.method, request.body, headers
        )
        return bool(signed)


def _invalid(why: str) -> ApiError:
    return ApiError(
        "mwoauth-invalid-authorization", f"The authorization headers in your request are not valid: {why}"
    )


class _Signatures(RequestValidator):  # type: ignore[misc]  # oauthlib has no types
    """What oauthlib asks of us: one consumer and its access token, each nonce once."""

    enforce_ssl = False
    client_key_length = access_token_length = nonce_length = (16, 64)
    dummy_client = dummy_access_token = "nobody"

    def __init__(self, consumer: OAuth1) -> None:
        super().__init__()
        self._consumer = consumer
        self._seen: set[tuple[str, str]] = set()

    @property
    def safe_characters(self) -> Collection[str]:
        return set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

    def validate_timestamp_and_nonce(
        self, client_key: str, timestamp: str, nonce: str, request: object, **_tokens: object
    ) -> bool:
        fresh = (timestamp, nonce) not in self._seen
        self._seen.add((timestamp, nonce))
        return fresh

    def validate_client_key(self, client_key: str, request: object) -> bool:
        return client_key == self._consumer.consumer_token

    def validate_access_token(self, client_key: str, token: str, request: object) -> bool:
        return token == self._consumer.access_token

    def validate_realms(self, *_arguments: object, **_options: object) -> bool:
        return True

    def get_client_secret(self, client_key: str, request: object) -> str:
        return self._consumer.consumer_secret

    def get_access_token_secret(self, client_key: str, token: str, request: object) -> str:
        return self._consumer.access_secret
