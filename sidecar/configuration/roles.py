"""What a node is for, and which settings belong to that.

Knows which role needs what. Does not know what the settings mean, nor how anything is started.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sidecar.configuration.complaints import logins_of
from sidecar.configuration.configured import NodeConfig
from sidecar.configuration.settings import ROLES, NodeSection

__all__ = ["acting", "node_of", "role_problems", "roles_of", "secrets_here"]

#: What a wiki is called with: it does not belong where none is called.
CREDENTIALS = ("account", "password_file", "oauth1_file", "oauth2_token_file")


def node_of(section: NodeSection, notes_token: str) -> NodeConfig:
    """What this node is for."""
    roles = section.roles
    known = ("issue" in roles, "take" in roles, "act" in roles)
    return NodeConfig(*known, section.notes_to, notes_token, section.name)


def roles_of(data: Mapping[str, Any]) -> frozenset[str]:
    """The roles in *data*, however incomplete it is; all, unless it says otherwise."""
    section = data.get("node")
    named = section.get("roles", ROLES) if isinstance(section, dict) else ROLES
    return frozenset(ROLES).intersection(map(str, named) if isinstance(named, list | tuple) else ())


def acting(data: Mapping[str, Any]) -> bool:
    """Whether the wikis are called from here."""
    return "act" in roles_of(data)


def secrets_here(data: dict[str, Any]) -> dict[str, Any]:
    """Where the secrets are named that this node needs."""
    return data if acting(data) else {**data, "wikis": [], "farm": None}


def role_problems(data: Mapping[str, Any]) -> list[str]:
    """What *data*, the file with the environment over it, says that this node has no use for, or lacks."""
    roles = roles_of(data)
    if not roles:
        return []  # the shape has been complained about
    return [*_superfluous(data, roles), *_notes(data, roles)]


def _superfluous(data: Mapping[str, Any], roles: frozenset[str]) -> Iterator[str]:
    what = f"[node] roles = {', '.join(role for role in ROLES if role in roles)}"
    if roles == {"issue"} and _given(data, "http", "listen"):  # who acts is watched by it
        yield f"[http] listen: {what}: no bounces are taken here"
    if "take" not in roles:
        for section, setting in (
            ("sockets", "lmtp_tcp"), ("sockets", "socketmap"), ("digest", "to"),
            ("summary", "to"),
            ("canary", "smtp"),
        ):  # fmt: skip
            if _given(data, section, setting):
                yield f"[{section}] {setting}: {what}: no bounces are taken here"
    if roles == {"issue"}:
        if data.get("storage"):
            yield f"[storage]: {what}: no database is used here"
        if _given(data, "dashboard", "listen"):
            yield f"[dashboard] listen: {what}: there is no history here to show"
    if "act" not in roles:
        for label, wiki in logins_of(data):
            for setting in CREDENTIALS:
                if wiki.get(setting):
                    yield f"{label} {setting}: {what}: no wiki is called from here"


def _notes(data: Mapping[str, Any], roles: frozenset[str]) -> Iterator[str]:
    told = _given(data, "node", "notes_to")
    if told and roles != {"issue"}:
        yield "[node] notes_to: this node has a database, and notes for itself what it issues"
    elif told and not _given(data, "node", "notes_token_file"):
        yield "[node] notes_to: needs notes_token_file, with the [http] token of that node"
    elif not told and _given(data, "node", "notes_token_file"):
        yield "[node] notes_token_file: nobody is told: notes_to is missing"


def _given(data: Mapping[str, Any], section: str, setting: str) -> bool:
    found = data.get(section)
    return isinstance(found, dict) and bool(found.get(setting))
