"""What the practice wiki says of itself and of who asks: siteinfo and userinfo, as MediaWiki spells them.

Knows the words. Does not know HTTP, nor what any of it is looked at for.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from .examining import shipped
from .practice_troubles import Trouble

__all__ = ["siteinfo", "userinfo"]

SOFTWARE = "MediaWiki 1.43.0"
GROUP, RIGHT = "bouncesidecar", "emailbounce"
AHEAD = timedelta(hours=2)  # of a clock that nobody sets

Troubles = Collection[Trouble]


def siteinfo(wiki_id: str, troubles: Troubles, now: datetime) -> dict[str, Any]:
    """What stands under "query"."""
    there = Trouble.NO_EXTENSION not in troubles
    clock = now + AHEAD if Trouble.CLOCK_AHEAD in troubles else now
    return {
        "general": {"wikiid": wiki_id, "generator": SOFTWARE, "time": clock.strftime("%Y-%m-%dT%H:%M:%SZ")},
        "extensions": [{"name": shipped.name, "version": _version(troubles)}] if there else [],
        "usergroups": [
            {"name": "*", "rights": ["read"]},
            {"name": GROUP, "rights": [RIGHT] if there else []},
        ],
    }


def userinfo(user: str, troubles: Troubles) -> dict[str, Any]:
    """The same of the bot, or of a visitor."""
    if not user:
        return {"userinfo": {"id": 0, "name": "127.0.0.1", "anon": True, "groups": ["*"], "rights": ["read"]}}
    member = Trouble.NO_RIGHT not in troubles
    right = member and not {Trouble.NO_GRANT, Trouble.NO_EXTENSION} & set(troubles)
    blocked = {"blockid": 7, "blockpartial": False} if Trouble.BOT_BLOCKED in troubles else {}
    return {
        "userinfo": {
            "id": 1,
            "name": user,
            "groups": ["*", "user", *([GROUP] if member else [])],
            "rights": ["read", *([RIGHT] if right else [])],
            **blocked,
        }
    }


def _version(troubles: Troubles) -> str:
    return "0.0.1" if Trouble.OLD_EXTENSION in troubles else shipped.version
