"""A site for tests of the mail server's side, and what a right Postfix and Exim say of themselves."""

from dataclasses import replace
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from sidecar.mta.asking import Connection, Reply
from sidecar.mta.exim_facts import EximFacts, Route
from sidecar.mta.postfix_facts import PostfixFacts
from sidecar.mta.postfix_words import Service
from sidecar.mta.rcpt import Probes
from sidecar.mta.site import Site, WhenDown

SOCKETS = PurePath("/var/spool/postfix/bounce-sidecar")
LMTP, POLICY = SOCKETS / "lmtp.sock", SOCKETS / "policy.sock"
DOMAIN = "bounces.example.org"
GOOD, FORGED = f"wiki-w-1-2-a/b@{DOMAIN}", f"wiki-w-1-2-a/c@{DOMAIN}"
PROBES = Probes((GOOD,), FORGED)

SITE = Site(
    version="0.1.0",
    configuration="/etc/bounce-sidecar/config.toml",
    domains=(DOMAIN,),
    lmtp=LMTP,
    policy=POLICY,
    mta_group="postfix",
    when_down=WhenDown.DEFER,
    max_mail_bytes=10485760,
    accept=timedelta(days=10),
    deliver=PurePath("/opt/bounce-sidecar/bin/bounce-sidecar-deliver"),
    http=("127.0.0.1", 8025),
    token_file=PurePath("/etc/bounce-sidecar/http.token"),
)

TRANSPORT = f"inline:{{ {{ {DOMAIN} = bounce-sidecar:unix:bounce-sidecar/lmtp.sock }} }}"
ACCESS = f"inline:{{ {{ {DOMAIN} = ask }} }}"
REPLIES = {GOOD: Reply(250, "2.1.5 Ok"), FORGED: Reply(550, "5.7.1 no")}
ANSWERS = {LMTP: Connection.ANSWERS, POLICY: Connection.ANSWERS}

POSTFIX = PostfixFacts(
    settings={
        "queue_directory": "/var/spool/postfix",
        "mail_owner": "postfix",
        "compatibility_level": "3.6",
        "relay_domains": DOMAIN,
        "mydestination": "wiki.example.org, localhost",
        "transport_maps": TRANSPORT,
        "smtpd_recipient_restrictions": f"check_recipient_access {ACCESS}, permit_mynetworks",
        "ask": "check_policy_service { unix:bounce-sidecar/policy.sock, { default_action = DEFER later } }",
        "parent_domain_matches_subdomains": "relay_domains",
        "message_size_limit": "10240000",
        "maximal_queue_lifetime": "5d",
        "bounce_queue_lifetime": "5d",
    },
    services=(
        Service("smtp", "inet", "y", "smtpd", ()),
        Service("bounce-sidecar", "unix", "y", "lmtp", ()),
    ),
    overrides={},
    tables={(TRANSPORT, DOMAIN): "bounce-sidecar:unix:bounce-sidecar/lmtp.sock", (ACCESS, DOMAIN): "ask"},
    port=25,
    ports={"smtp": 25},
    ourselves=ANSWERS,
    entered={("postfix", path): how for path, how in ANSWERS.items()},
    http=Connection.ANSWERS,
    replies=REPLIES,
)

EXIM = EximFacts(
    user="Debian-exim",
    routes={GOOD: Route("bounce_sidecar", "bounce_sidecar_lmtp")},
    routers={"bounce_sidecar": {"caseful_local_part": "yes"}},
    transports={"bounce_sidecar_lmtp": {"driver": "lmtp", "socket": str(LMTP), "group": "postfix"}},
    member={("relay_to_domains", DOMAIN): True, ("local_domains", DOMAIN): False},
    retry={DOMAIN: f"Retry rule: {DOMAIN}  *  F,1h,2m; F,2w,15m;"},
    ourselves=ANSWERS,
    entered={("Debian-exim", path): how for path, how in ANSWERS.items()},
    http=Connection.ANSWERS,
    replies=REPLIES,
)


def postfix(settings: dict[str, str] | None = None, **changes: Any) -> PostfixFacts:
    """The right one, changed."""
    return replace(POSTFIX, **{"settings": {**POSTFIX.settings, **(settings or {})}, **changes})
