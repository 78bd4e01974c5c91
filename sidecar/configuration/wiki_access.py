"""[[wikis]]: how each is reached and who acts there: what goes together, and what an adapter cannot do.

Knows which settings need or exclude each other. Does not know files, nor the single settings.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sidecar.configuration.complaints import wikis_of
from sidecar.configuration.settings import WikiSection
from sidecar.domain.access import Adapter, DatabaseName, FamilySite, Farm
from sidecar.domain.policy import PRESETS, Policy

__all__ = ["access_problems", "farm_of", "within_reach"]

#: Each kind of credentials by its settings, all of which it needs.
KINDS: tuple[tuple[str, ...], ...] = (("account", "password_file"), ("oauth1_file",), ("oauth2_token_file",))
_EITHER = "account and password_file, or oauth1_file, or oauth2_token_file"

_NOT_TOLD = (
    "BounceHandler tells the user itself, where Echo is installed, and nothing else can be told through it"
)
#: What of a policy cannot be had through BounceHandler, and why.
BEYOND_THE_GATE = {
    "warn": "BounceHandler cannot warn",
    "announce": _NOT_TOLD,
    "tell_mistyped": _NOT_TOLD,
    "protected_groups": "BounceHandler knows no groups that are left alone",
}


def access_problems(data: Mapping[str, Any]) -> list[str]:
    """What is missing, excludes each other or is beyond the adapter, however broken the rest is."""
    problems: list[str] = []
    for label, wiki in wikis_of(data):
        given = {name: value for name, value in wiki.items() if value not in (None, "", False)}
        adapter = given.get("adapter", Adapter.MWCLIENT)
        if adapter not in list(Adapter):
            continue  # the shape has been complained about
        problems += [f"{label} {problem}" for problem in _place_problems(given, adapter)]
        if adapter == Adapter.BOUNCEHANDLER:
            problems += [f"{label} {problem}" for problem in _gate_problems(given, data)]
        else:
            problems += [f"{label} {problem}" for problem in _credential_problems(given, adapter)]
    return problems + _farm_problems(data.get("farm"))


def _farm_problems(section: object) -> list[str]:
    """The same of the credentials that all wikis of a sitematrix share."""
    given = {name: value for name, value in _set_in(section).items() if value not in ("", False)}
    adapter = given.get("adapter", Adapter.MWCLIENT)
    if not given or adapter not in list(Adapter):
        return []
    return [f"[farm] {problem}" for problem in _credential_problems(given, adapter)]


def farm_of(wiki: WikiSection) -> Farm | None:
    """What pywikibot calls the wiki, if that is how it is found."""
    if wiki.dbname:
        return DatabaseName(wiki.id)
    return FamilySite(wiki.family, wiki.code) if wiki.family else None


def within_reach(policy: Policy, adapter: Adapter) -> Policy:
    """A policy without the defaults that the adapter cannot carry out."""
    if adapter is not Adapter.BOUNCEHANDLER:
        return policy
    return replace(policy, announce=False, tell_mistyped=False, protected=frozenset())


def _place_problems(given: Mapping[str, Any], adapter: str) -> Iterator[str]:
    names = [name for name in ("family", "code", "dbname") if name in given]
    if adapter != Adapter.PYWIKIBOT:
        if names:
            yield f'{names[0]}: only adapter = "pywikibot" knows families and databases'
        if "api" not in given:
            yield "api is missing"
        return
    ways = ("api" in given) + ("family" in given or "code" in given) + ("dbname" in given)
    if ways != 1:
        yield "needs one of these: api, or family and code, or dbname = true"
    elif len({"family", "code"} & given.keys()) == 1:
        yield f"{'code' if 'family' in given else 'family'} is missing"


def _credential_problems(given: Mapping[str, Any], adapter: str) -> Iterator[str]:
    begun = [kind for kind in KINDS if given.keys() & set(kind)]
    if not begun:
        yield f"has nobody to act as: set {_EITHER}"
    if len(begun) > 1:
        yield f"has more than one kind of credentials: set {_EITHER}"
    if len(begun) == 1:
        yield from (f"{name} is missing" for name in begun[0] if name not in given)
    if adapter == Adapter.PYWIKIBOT and any(kind != KINDS[0] for kind in begun):
        yield 'adapter = "pywikibot" takes a bot password alone; with OAuth use "mwclient"'


def _gate_problems(given: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[str]:
    verp = data.get("verp")
    if not isinstance(verp, dict) or not verp.get("bouncehandler"):
        yield 'adapter = "bouncehandler" needs a section [verp.bouncehandler]: it signs as that wiki does'
    if credentials := [name for kind in KINDS for name in kind if name in given]:
        yield f'adapter = "bouncehandler" logs in nowhere: take {" and ".join(credentials)} out'
    own, common = _set_in(given.get("policy")), _set_in(data.get("policy"))
    chosen = {**common, **own}
    preset = PRESETS.get(str(chosen.get("preset")))
    if preset and preset.warn:
        chosen.setdefault("warn", True)
    for name, why in BEYOND_THE_GATE.items():
        if chosen.get(name):
            off = "[]" if name == "protected_groups" else "false"
            yield f"{name}: {why}; set {name} = {off} in its [wikis.policy]"
    if "grace_days" in own:
        yield f"grace_days: {BEYOND_THE_GATE['warn']}; take it out"


def _set_in(section: object) -> dict[str, Any]:
    """The settings of a section that somebody made."""
    return (
        {key: value for key, value in section.items() if value is not None}
        if isinstance(section, dict)
        else {}
    )
