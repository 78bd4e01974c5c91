"""Who runs a recipient's mail: one provider has many domains, and its bad night is no fault of its users.

Knows the large ones by their domains and their mail hosts, the others by the host that refused. Asks no DNS.
"""

import re

__all__ = ["provider_of"]

#: provider -> domains of its users, and ends of the names of its mail hosts. A domain without a dot stands
#: for that name under every top-level domain. The hosts are those of the providers' own MX records.
PROVIDERS: dict[str, tuple[str, str]] = {
    "google": ("gmail.com googlemail.com", "google.com googlemail.com psmtp.com"),
    "microsoft": ("outlook hotmail live msn.com passport.com", "outlook.com hotmail.com"),
    "yahoo": ("yahoo ymail.com rocketmail.com aol aim.com verizon.net", "yahoodns.net yahoo.com aol.com"),
    "apple": ("icloud.com me.com mac.com", "icloud.com apple.com"),
    "gmx": ("gmx web.de mail.com caramail.com", "gmx.net web.de mail.com kundenserver.de"),
    "t-online": ("t-online.de magenta.de", "t-online.de"),
    "mail.ru": ("mail.ru bk.ru inbox.ru list.ru internet.ru", "mail.ru"),
    "yandex": ("yandex ya.ru", "yandex.ru yandex.net"),
    "tencent": ("qq.com foxmail.com", "qq.com"),
    "netease": ("163.com 126.com yeah.net 188.com", "163.com 126.com netease.com"),
    "sina": ("sina.com sina.cn", "sina.com.cn sina.com"),
    "naver": ("naver.com", "naver.com"),
    "rediff": ("rediffmail.com", "rediffmail.com"),
    "proton": ("protonmail proton.me pm.me", "protonmail.ch proton.me"),
    "orange": ("orange.fr wanadoo.fr", "orange.fr wanadoo.fr"),
    "free": ("free.fr", "free.fr"),
    "laposte": ("laposte.net", "laposte.net"),
    "sfr": ("sfr.fr neuf.fr 9online.fr cegetel.net", "sfr.fr"),
    "libero": ("libero.it virgilio.it inwind.it iol.it", "libero.it"),
    "seznam": ("seznam.cz email.cz post.cz", "seznam.cz"),
    "wp": ("wp.pl o2.pl tlen.pl", "wp.pl o2.pl"),
    "onet": ("onet.pl poczta.onet.pl op.pl vp.pl", "onet.pl"),
    "uol": ("uol.com.br bol.com.br", "uol.com.br"),
    "comcast": ("comcast.net", "comcast.net"),
    "zoho": ("zoho.com zohomail.com", "zoho.com zoho.eu zoho.in"),
}

_USERS = {domain: provider for provider, (domains, _) in PROVIDERS.items() for domain in domains.split()}
_HOSTS = {end: provider for provider, (_, ends) in PROVIDERS.items() for end in ends.split()}

#: Second labels under which registries of countries hand out names.
_REGISTRY = frozenset(["ac", "co", "com", "edu", "gob", "gov", "gv", "ne", "net", "or", "org"])
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]+")
LONGEST = 64  # characters that are kept of a name


def provider_of(domain: str, remote_mta: str = "") -> str:
    """The provider of a recipient's *domain*; *remote_mta* is the host that refused; "" if unknown."""
    folded = domain.lower().rstrip(".")
    first = folded.partition(".")[0]
    host = _host(remote_mta)
    known = _USERS.get(folded) or (_USERS.get(first) if folded.count(".") in (1, 2) else None) or _known(host)
    return (known or _registered(host) or folded)[:LONGEST]


def _host(remote_mta: str) -> str:
    """The host of a Remote-MTA field (RFC 3464 section 2.3.5); "" if it is an address or no name."""
    name = remote_mta.rpartition(";")[2].strip().lower().rstrip(".")
    return name if _HOST.fullmatch(name) else ""


def _known(host: str) -> str | None:
    labels = host.split(".")
    ends = (".".join(labels[start:]) for start in range(len(labels) - 1))
    return next((_HOSTS[end] for end in ends if end in _HOSTS), None)


def _registered(host: str) -> str:
    """The part of a host's name that somebody registered, as far as its looks tell."""
    labels = host.split(".")
    under_registry = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _REGISTRY
    return ".".join(labels[-3 if under_registry else -2 :])
