"""Ways to make another return path of one that was issued, or of none: a function each.

Knows spellings. Does not know which of them are believed. LEGITIMATE are those that say the same as before.
"""

import random
from collections.abc import Callable, Mapping
from urllib.parse import quote

from tests.attack.forgery.mint import (
    DOMAIN,
    FOREIGN,
    KEYS,
    LABELS,
    OLD_SECRET,
    RETIRED,
    REVOKED,
    WIKIS,
    Mint,
    signed,
    signed_as_php,
)

__all__ = ["ALTERATIONS", "LEGITIMATE", "Alter"]

Alter = Callable[[str, random.Random, Mint], str]

_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789-.+/_=%!"\\@<>: \t\r\n\0'
#: Look alike, or become the same where somebody folds or normalises too much.
_TWINS = {
    "k": "\u212a", "s": "\u017f", "i": "\u0131", "a": "\u0430", "e": "\u0435", "o": "\u043e", "-": "\u2010",
    ".": "\u3002", "w": "\uff57", "1": "\u0661", "0": "\u0966", "2": "\u00b2", "@": "\uff20", "/": "\u2215",
    "+": "\ufb29",
}  # fmt: skip
_LABELS = (b"", b"return path", b"confirmation", b"address\0", b"dashboard\0", b"key id", b"Return Path\0")


def _at(text: str, chance: random.Random) -> int:
    return chance.randrange(len(text))


def truncated(path: str, chance: random.Random, mint: Mint) -> str:
    local, _, domain = path.rpartition("@")
    cut = chance.randrange(1, len(local))
    return f"{local[cut:] if chance.random() < 0.5 else local[:-cut]}@{domain}"


def extended(path: str, chance: random.Random, mint: Mint) -> str:
    at, more = _at(path, chance), "".join(chance.choices(_LETTERS, k=chance.randrange(1, 12)))
    return path[:at] + more + path[at:]


def doubled(path: str, chance: random.Random, mint: Mint) -> str:
    at, end = sorted((_at(path, chance), _at(path, chance) + 1))
    return path[:end] + path[at:end] + path[end:]


def flipped(path: str, chance: random.Random, mint: Mint) -> str:
    octets = bytearray(path.encode())
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
    return octets.decode("latin-1")


def replaced(path: str, chance: random.Random, mint: Mint) -> str:
    at = _at(path, chance)
    return path[:at] + chance.choice(_LETTERS) + path[at + 1 :]


def removed(path: str, chance: random.Random, mint: Mint) -> str:
    at = _at(path, chance)
    return path[:at] + path[at + 1 :]


def exchanged(path: str, chance: random.Random, mint: Mint) -> str:
    at = chance.randrange(len(path) - 1)
    return path[:at] + path[at + 1] + path[at] + path[at + 2 :]


def swapped(path: str, chance: random.Random, mint: Mint) -> str:
    """One to three fields of another good one."""
    mine, other = _fields(path), _fields(chance.choice(mint.good))
    for at in chance.sample(range(5), chance.choice((1, 1, 2, 3))):
        mine[at] = other[at]
    return f"{'-'.join(mine)}@{DOMAIN}"


def mixed(path: str, chance: random.Random, mint: Mint) -> str:
    """The tag of one, the MAC of another; or the MAC of a confirmation on an ordinary path, and back."""
    mine, other = _fields(path), _fields(chance.choice(mint.good))
    at = chance.choice((4, 5, 12, 16, 20))
    return f"{'-'.join([*mine[:4], mine[4][:at] + other[4][at:]])}@{DOMAIN}"


def resigned(path: str, chance: random.Random, mint: Mint) -> str:
    """By a key of others, under a right label."""
    return _signed_by(chance.choice(FOREIGN), chance.choice(LABELS), chance)


def relabelled(path: str, chance: random.Random, mint: Mint) -> str:
    """By our own key, as if it were for something else: nobody can do that, and it must not help."""
    return _signed_by(chance.choice(KEYS), chance.choice(_LABELS), chance)


def as_php(path: str, chance: random.Random, mint: Mint) -> str:
    """In BounceHandler's format, by other keys or algorithms; our own key is none of its secrets."""
    body = _body(chance)
    algorithm = chance.choice(("md5", "sha1", "sha256", "sha512"))
    key = chance.choice((*FOREIGN, *KEYS, OLD_SECRET if algorithm != "md5" else b"x"))
    return f"{body}-{signed_as_php(key, algorithm, body)}@{DOMAIN}"


def as_ours(path: str, chance: random.Random, mint: Mint) -> str:
    """In our format, with BounceHandler's secret."""
    return _signed_by(OLD_SECRET, chance.choice(LABELS), chance)


def guessed(path: str, chance: random.Random, mint: Mint) -> str:
    key = "".join(
        chance.choices("abcdefghijklmnopqrstuvwxyz234567", k=chance.choice((0, 1, 16, 23, 24, 25, 32)))
    )
    return f"{_body(chance)}-{key}@{DOMAIN}"


def expired(path: str, chance: random.Random, mint: Mint) -> str:
    """Genuine, and replayed when it is too old."""
    return chance.choice(mint.expired)


def by_gone_key(path: str, chance: random.Random, mint: Mint) -> str:
    """Genuine, and young, by a key that was revoked or has retired."""
    return chance.choice(mint.by_gone_keys)


def resigned_by_gone_key(path: str, chance: random.Random, mint: Mint) -> str:
    """By whoever has a key that was revoked, or has retired."""
    return _signed_by(chance.choice((REVOKED, RETIRED)), chance.choice(LABELS), chance)


def refreshed(path: str, chance: random.Random, mint: Mint) -> str:
    """Too old, or by a key that is gone, with the time of a good one."""
    old, new = _fields(chance.choice((*mint.expired, *mint.by_gone_keys))), _fields(path)
    return f"{'-'.join([*old[:3], new[3], old[4]])}@{DOMAIN}"


def for_other_wiki(path: str, chance: random.Random, mint: Mint) -> str:
    fields = _fields(path)
    fields[1] = chance.choice([one for wiki in WIKIS if (one := wiki.replace("-", ".")) != fields[1].lower()])
    return f"{'-'.join(fields)}@{DOMAIN}"


def for_other_user(path: str, chance: random.Random, mint: Mint) -> str:
    fields = _fields(path)
    fields[2] = f"{chance.randrange(1, 10**6)}"
    return f"{'-'.join(fields)}@{DOMAIN}"


def with_twins(path: str, chance: random.Random, mint: Mint) -> str:
    letter = chance.choice([one for one in _TWINS if one in path])
    return path.replace(letter, _TWINS[letter], chance.choice((1, -1)))


def encoded(path: str, chance: random.Random, mint: Mint) -> str:
    at = _at(path, chance)
    spelled = chance.choice(
        (quote(path[at], safe=""), f"%{ord(path[at]):02x}", f"={ord(path[at]):02X}", f"\\{path[at]}")
    )
    return path[:at] + spelled + path[at + 1 :] if spelled != path[at] else path + "%"


def elsewhere(path: str, chance: random.Random, mint: Mint) -> str:
    """At another domain, or by way of one."""
    local, _, domain = path.rpartition("@")
    return chance.choice(
        (f"{local}@evil.example", f"{local}@x.{domain}", f"{local}@{domain}.evil.example",
         f"{path}@evil.example", f"{local}@{domain}@{domain}", f"{local}%{domain}@{domain}",
         f"evil.example!{path}", f"{local}@[127.0.0.1]", f"{local}@", local, f"@{domain}",
         f"{local}@{domain}..", f"<<{path}", f"{domain}!{domain}!{local}")
    )  # fmt: skip


def respelled(path: str, chance: random.Random, mint: Mint) -> str:
    """The same numbers, written otherwise: only what was signed counts."""
    fields = _fields(path)
    at = chance.choice((1, 2, 3))
    fields[at] = chance.choice(
        (f"0{fields[at]}", f"+{fields[at]}", f"{fields[at]}_", fields[at].replace(".", "-") + "-")
    )
    return f"{'-'.join(fields)}@{DOMAIN}"


def dotted(path: str, chance: random.Random, mint: Mint) -> str:
    """The wiki's id as it is configured, and not as it is written into a path, where it has a hyphen."""
    fields = _fields(chance.choice([one for one in mint.good if "." in _fields(one)[1]] or [path]))
    fields[1] = fields[1].replace(".", "-")
    return f"{'-'.join(fields)}@{DOMAIN}"


def cased(path: str, chance: random.Random, mint: Mint) -> str:
    return "".join(chance.choice((one.upper(), one.lower())) for one in path)


def quoted(path: str, chance: random.Random, mint: Mint) -> str:
    local, _, domain = path.rpartition("@")
    at = _at(local, chance)
    return f'"{local[:at]}{chance.choice(("", chr(92)))}{local[at:]}"@{domain}'


def routed(path: str, chance: random.Random, mint: Mint) -> str:
    local, _, domain = path.rpartition("@")
    return chance.choice(
        (f"@evil.example:{path}", f"@a.example,@b.example:{path}", f"<{path}>", f"<{path}", f"{path}.",
         f"{local}%{domain}", f"{domain}!{local}", f" {path}\n")
    )  # fmt: skip


#: None of these may be believed, but where chance has made a path that was issued.
ALTERATIONS: Mapping[str, Alter] = {
    alter.__name__: alter
    for alter in (
        truncated, extended, doubled, flipped, replaced, removed, exchanged, swapped, mixed, resigned,
        relabelled, as_php, as_ours, guessed, expired, by_gone_key, resigned_by_gone_key, refreshed,
        for_other_wiki, for_other_user, with_twins, encoded, elsewhere, respelled, dotted,
    )
}  # fmt: skip

#: What mail servers make of a path on its way (RFC 5321 sections 2.4, 4.1.2, appendix C): it says the same.
LEGITIMATE: Mapping[str, Alter] = {alter.__name__: alter for alter in (cased, quoted, routed)}


def _fields(path: str) -> list[str]:
    """Prefix, wiki, user, time, key."""
    return path.rpartition("@")[0].split("-")


def _body(chance: random.Random) -> str:
    wiki = chance.choice(WIKIS).replace("-", ".")
    return f"wiki-{wiki}-{chance.randrange(1, 10**5)}-t7{chance.randrange(1000, 9999)}"


def _signed_by(key: bytes, label: bytes, chance: random.Random) -> str:
    body, tag = _body(chance), chance.randbytes(3)
    return f"{body}-{signed(key, label, body, tag)}@{DOMAIN}"
