"""CentralAuth's answers: how a wiki is asked to whom an account belongs, and what it says.

Two questions, because the first is about a user id and the second about a person: ``list=users`` of core, and
``meta=globaluserinfo`` of the extension. Both need no right but to read. Knows their words. Does not know
HTTP, logins or errors.

The central id alone says nothing: MediaWiki gives that of the *name*, so that a local account has the id of
its global namesake. ``attachedlocal`` tells them apart.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sidecar.domain.person import LOCAL, Account, Person
from sidecar.domain.wiki import WikiMisconfigured

from .emailbounce import not_understood, time_of

__all__ = ["identify"]

PROVIDER = "CentralAuth"  # as it calls itself in $wgCentralIdLookupProviders

Answer = Mapping[str, Any]  #: what stands under "query"
Ask = Callable[[Mapping[str, str | int]], Answer]


def identify(ask: Ask, user_id: int) -> Person:
    """To whom an account belongs; *ask* puts one action=query with these parameters, and raises as it likes.

    ``LOCAL`` if it is attached to nobody, is hidden from us, or does not exist. Raises WikiMisconfigured if
    the wiki has no CentralAuth, or speaks otherwise than we do.
    """
    number = _central_id(ask({"list": "users", "ususerids": user_id, "usprop": "centralids"}), user_id)
    if number is None:
        return LOCAL
    return _person(ask({"meta": "globaluserinfo", "guiid": number, "guiprop": "merged"}), number)


def _central_id(answer: Answer, user_id: int) -> int | None:
    users = answer.get("users")
    if not isinstance(users, list) or not users or not isinstance(users[0], dict):
        raise not_understood("no users")
    user = users[0]
    if user.get("userid") != user_id:
        raise not_understood("somebody else")
    if user.get("missing"):
        return None
    attached, ids = user.get("attachedlocal"), user.get("centralids")
    if not isinstance(attached, dict) or not isinstance(ids, dict) or PROVIDER not in attached:
        raise WikiMisconfigured("the wiki has no CentralAuth: set central = false for it")
    number = ids.get(PROVIDER)
    return number if attached[PROVIDER] is True and isinstance(number, int) and number > 0 else None


def _person(answer: Answer, number: int) -> Person:
    about = answer.get("globaluserinfo")
    if not isinstance(about, dict):
        raise not_understood("no globaluserinfo")
    if about.get("missing"):
        return LOCAL
    if about.get("id") != number:
        raise not_understood("somebody else")
    merged = about.get("merged")
    if not isinstance(merged, list) or not all(isinstance(one, dict) for one in merged):
        raise not_understood("no accounts")
    if any("id" not in one for one in merged):
        raise WikiMisconfigured(
            "the wiki's CentralAuth is older than 1.41 and tells no user ids: set central = false for it"
        )
    attached = dict(map(_account, merged))
    by_age = sorted(attached, key=lambda one: (attached[one], one.wiki))
    return Person(str(about.get("home") or ""), tuple(by_age), attached)


def _account(one: Answer) -> tuple[Account, datetime]:
    """An attached account, and since when it is."""
    wiki, number = one.get("wiki"), one["id"]
    if not isinstance(wiki, str) or type(number) is not int or not 0 < number < 1 << 63:
        raise not_understood("accounts that are none")
    return Account(wiki, number), time_of(one.get("timestamp"))
