"""Looking at a wiki: what is asked for it, step by step, and how the answers are read.

Knows siteinfo and userinfo of MediaWiki's API. Does not know HTTP, logins or error codes, nor who is asked to
mend what was found.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sidecar.domain.examination import About, Account, Examination, Step
from sidecar.domain.wiki import WikiError

from .emailbounce import MODULE, not_understood, time_of

__all__ = ["ABOUT", "ACCOUNT", "IDLE", "Shipped", "Taken", "about", "account", "examined", "shipped"]

Answer = Mapping[str, Any]  #: what stands under "query"
Taken = Callable[[Examination], Examination]  #: a step: what was found so far -> and now
Patiently = Callable[[Callable[[], Examination]], Examination]

ABOUT = {"meta": "siteinfo", "siprop": "general|extensions|usergroups"}
ACCOUNT = {"meta": "userinfo", "uiprop": "rights|groups|blockinfo"}

#: An action that can have no effect, as no user has this id: the wiki answers so only after it has looked at
#: the token, the right, the block and its own settings.
IDLE: Mapping[str, str | int] = {"op": "mistyped", "userid": 0, "sent": "2000-01-01T00:00:00Z"}


@dataclass(frozen=True)
class Shipped:
    """The companion extension, as it comes with this program."""

    name: str
    version: str


def _shipped() -> Shipped:
    described = json.loads((Path(__file__).parent / "BounceSidecar/extension.json").read_text("utf-8"))
    return Shipped(described["name"], described["version"])


shipped = _shipped()


def examined(patiently: Patiently, steps: Iterable[tuple[Step, Taken]]) -> Examination:
    """Take the *steps* until one fails; what is done *patiently* raises WikiError alone."""
    found = Examination()
    for step, take in steps:
        try:
            found = patiently(partial(take, found))
        except WikiError as error:
            return replace(found, trouble=error)
        found = replace(found, done=found.done | {step})
    return found


def about(answer: Answer) -> About:
    """The answer to ABOUT. Raises WikiMisconfigured if it is none."""
    general, extensions, groups = (answer.get(name) for name in ("general", "extensions", "usergroups"))
    if not isinstance(general, dict) or not isinstance(extensions, list) or not isinstance(groups, list):
        raise not_understood("no siteinfo")
    return About(
        wiki=str(general.get("wikiid") or ""),
        software=str(general.get("generator") or ""),
        time=time_of(general.get("time")),
        extensions={
            str(one.get("name")): str(one.get("version") or "") for one in extensions if isinstance(one, dict)
        },
        may_act=frozenset(
            str(one.get("name"))
            for one in groups
            if isinstance(one, dict) and MODULE in (one.get("rights") or ())
        ),
    )


def account(answer: Answer, may_act: frozenset[str]) -> Account:
    """The answer to ACCOUNT. Raises WikiMisconfigured if it is none."""
    user = answer.get("userinfo")
    if not isinstance(user, dict) or not isinstance(user.get("id"), int):
        raise not_understood("no userinfo")
    return Account(
        name=str(user.get("name") or ""),
        user_id=user["id"],
        right=MODULE in (user.get("rights") or ()),
        by_group=not may_act.isdisjoint(map(str, user.get("groups") or ())),
        blocked="blockid" in user and not user.get("blockpartial"),
    )
