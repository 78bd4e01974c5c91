"""What operators do to Postfix, and what is found then: a table."""

from tests.support.sidecar_inside import DOMAIN

__all__ = ["BROKEN", "CONFIG", "SOCKETS"]

CONFIG = "/etc/bounce-sidecar/config.toml"
SOCKETS = "/var/spool/postfix/bounce-sidecar"

TABLE = f"inline:{{ {{ {DOMAIN} = %s }} }}"
POLICY = "postconf -e 'bounce_sidecar_rcpt = check_policy_service %s'"
PIPE = "bounce-sidecar unix - n n - 8 pipe flags=hu user=bounce-sidecar argv=/no/where ${user}"

#: what somebody did, words of what is found, words of its remedy; each group at once
BROKEN = [
    [
        (
            f"postconf -e 'mydestination = localhost, {DOMAIN}'",
            f"{DOMAIN} is in mydestination",
            "take it out of",
        ),
        ("postconf -e relay_domains=", "is not in relay_domains", "run the script"),
        ("postconf -e transport_maps=", "transport_maps does not say", "run the script"),
        (
            "postconf -e smtpd_recipient_restrictions=",
            "smtpd_recipient_restrictions does not ask the sidecar",
            "run the script",
        ),
        ("postconf -e maximal_queue_lifetime=9d", "may come back after 14 days", "accept_days to 14 or more"),
        (
            "postconf -e message_size_limit=20000000",
            "limit is 20000000",
            "max_mail_bytes to 20000000 or more",
        ),
    ],
    [
        (
            f"postconf -e 'virtual_alias_domains = {TABLE % 'x'}'",
            f"{DOMAIN} is in virtual_alias_domains",
            "take it out of",
        ),
        (
            f"postconf -e 'transport_maps = {TABLE % 'smtp:[127.0.0.1]'}'",
            "which is smtp, not lmtp or pipe",
            "run the script",
        ),
        (
            "postconf -e 'smtpd_recipient_restrictions = permit_mynetworks, $bounce_sidecar_check'",
            "only behind permit_mynetworks",
            "in front of permit_mynetworks",
        ),
        (
            "postconf -e 'relay_recipient_maps = inline:{ { a@b = OK } }'",
            "relay_recipient_maps knows no recipient",
            "run the script",
        ),
    ],
    [
        (
            f"postconf -e 'transport_maps = {TABLE % f'lmtp:unix:{SOCKETS}/lmtp.sock'}'",
            f"goes to /var/spool/postfix{SOCKETS}/lmtp.sock (lmtp works in a chroot",
            "run the script",
        ),
        (POLICY % f"unix:{SOCKETS}/policy.sock", "at RCPT /var/spool/postfix/var/spool", "run the script"),
    ],
    [
        ("postconf -MX bounce-sidecar/unix", "which is not in master.cf", "run the script"),
        (
            "postconf -P smtp/inet/smtpd_recipient_restrictions=permit_mynetworks",
            "the option -o smtpd_recipient_restrictions of smtp in master.cf does not ask",
            "drop that option",
        ),
        (f"chmod 600 {SOCKETS}/lmtp.sock", "lmtp.sock may not be opened for postfix", "namei -l"),
        (f"chgrp root {SOCKETS}/policy.sock", "policy.sock may not be opened", 'mta_group = "postfix"'),
    ],
    [
        (f"postconf -M 'bounce-sidecar/unix={PIPE}'", "has the flags h and u", "take h and u out"),
        (":", "gives ${user}", "give ${recipient}"),
        (":", "starts /no/where", "run the script"),
        (":", "bounce-sidecar_destination_recipient_limit is", "=1"),
        (
            POLICY % "{ unix:bounce-sidecar/policy.sock, default_action=DUNNO }",
            "default_action is DUNNO, and [mta] when_down is defer",
            "run the script",
        ),
    ],
    [
        (
            f"sed -i s,{SOCKETS},/run/bounce-sidecar, {CONFIG}",
            "nobody listens on /run/bounce-sidecar/lmtp.sock",
            "start it",
        ),
        (
            ":",
            "the sidecar listens on /run/bounce-sidecar/lmtp.sock",
            'set [sockets] mta_directory = "/var/spool/postfix/bounce-sidecar"',
        ),
    ],
]
