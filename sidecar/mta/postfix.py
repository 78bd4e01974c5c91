"""Postfix's side: a shell script that adds to a configuration what bounces need, and nothing else.

Knows main.cf and master.cf (postconf(5), master(5)). Does not know what is configured there already: what it
finds stays, and our own stands in parameters of our own, which the others refer to. Run again, it changes
nothing; run after a change of the configuration, it changes our own parameters.
"""

import shlex
from pathlib import PurePath

from sidecar.mta import curl
from sidecar.mta.script import comment, heading, paragraphs, words
from sidecar.mta.site import ACCOUNT, Door, Site, Unsuitable, WhenDown

__all__ = ["CHECK_CLASS", "QUEUE_DIRECTORY", "SERVICE", "script"]

QUEUE_DIRECTORY = PurePath("/var/spool/postfix")
SERVICE = "bounce-sidecar"  #: in master.cf
CHECK_CLASS = "bounce_sidecar_rcpt"  #: restriction class that asks the policy service

#: Folders below the queue directory that are Postfix's own, or its chroot's.
_POSTFIX_OWN = frozenset(
    {
        *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid"),
        *("private", "public", "saved", "trace", "dev", "etc", "lib", "usr"),
    }
)

#: Deliveries at a time: a large bounce takes many times its size in memory while it is read.
_AT_A_TIME = 8

#: What Postfix does itself while nobody answers.
_DEFAULT_ACTION = {
    WhenDown.DEFER: "DEFER 4.3.0 Return paths cannot be checked now, please try again later",
    WhenDown.ACCEPT: "DUNNO",
}


def script(site: Site, door: Door, queue_directory: PurePath = QUEUE_DIRECTORY) -> str:
    """What to run as root. Raises Unsuitable with every setting that has to change."""
    if problems := site.problems(door) + _problems(site, door, queue_directory):
        raise Unsuitable(problems)
    command = f"mta postfix --door {door}"
    parts = [
        "#!/bin/sh\n" + heading(command, site.version, site.configuration),
        comment(
            f"""Takes bounces for {", ".join(site.domains)}. Run it as root, as often as you like. It adds
            to what main.cf and master.cf say already. `bounce-sidecar mta postfix --check` tells
            afterwards whether the running Postfix does what it should.

            To undo it: take every $bounce_sidecar_... out of the parameters below, then remove `postconf
            -n | grep ^bounce_sidecar_` with postconf -X, and the service with `postconf -MX
            {SERVICE}/unix`."""
        ),
        "set -eu",
        _FRONT,
        _folders(site, door),
        _service(site, door, queue_directory),
        _routing(site, door, queue_directory),
        _recipients(site),
        _mailboxes(site),
        _check(site, queue_directory),
        _limits(site),
        _RELOAD,
    ]
    if door is Door.HTTP:
        parts.insert(4, curl.installed(site, command))
    return paragraphs(parts)


def _problems(site: Site, door: Door, queue_directory: PurePath) -> list[str]:
    used = {"policy": site.policy} | ({"lmtp": site.lmtp} if door is Door.LMTP else {})
    remedy = f'set [sockets] mta_directory = "{queue_directory / SERVICE}"'
    wrong = []
    for name, path in used.items():
        if not path.is_relative_to(queue_directory):
            wrong.append(
                f"[sockets] {name}: {path} is not below {queue_directory}: Debian's Postfix is in a chroot "
                f"there and sees nothing else; {remedy} and {name} without a folder"
            )
        elif len(inside := path.relative_to(queue_directory).parts) == 1 or inside[0] in _POSTFIX_OWN:
            wrong.append(
                f"[sockets] {name}: {path.parent} is Postfix's own folder; {remedy} and {name} without one"
            )
    if not site.mta_group:
        wrong.append('[sockets] mta_group is empty: Postfix may not connect; set mta_group = "postfix"')
    return wrong


_FRONT = (
    comment(
        """What is to be set is gathered first: Postfix waits for seconds after each change of main.cf.

        `front` says what Postfix's parameter $1 becomes with a reference to ours, $2, in front, once. In
        front, because a later entry for our domains, or for all domains, must not win."""
    )
    + r"""
set --
front() {
    old=
    [ -z "$(postconf -xh "$1")" ] || old=$(postconf -h "$1")
    case " $(printf %s "$old" | tr ',\n\t' '   ') " in
        *" \$$2 "*) echo "$1 = $old" ;;
        *) echo "$1 = \$$2${old:+, $old}" ;;
    esac
}"""
)

_RELOAD = (
    comment("Write it, and take it in use if Postfix likes what it reads.")
    + """
postconf -e "$@"
postfix check
if postfix status 2> /dev/null; then postfix reload; fi"""
)


def _folders(site: Site, door: Door) -> str:
    used = [site.policy.parent] + ([site.lmtp.parent] if door is Door.LMTP else [])
    folders = sorted(set(map(str, used)))
    return (
        comment(
            f"""The sockets' folder. The daemon makes its sockets there, and only the group
            {site.mta_group} may enter. The set-gid bit gives what is made there to that group. Postfix
            cannot connect without it, and every bounce waits in its queue."""
        )
        + "\n"
        + words("install", "-d", "-o", ACCOUNT, "-g", site.mta_group, "-m", "2750", *folders)
    )


def _service(site: Site, door: Door, queue_directory: PurePath) -> str:
    if door is Door.LMTP:
        text = f"""A delivery service of our own: its limits are nobody else's. "y" is the chroot, as for
            Debian's other lmtp; the socket's path is relative to {queue_directory} with and without. At most
            {_AT_A_TIME} at a time. One delivery may have many recipients: LMTP answers for each."""
        line = f"{SERVICE} unix - - y - {_AT_A_TIME} lmtp"
        return comment(text) + "\n" + words("postconf", "-M", f"{SERVICE}/unix={line}")
    pipe = f"user={ACCOUNT} null_sender= argv={curl.PROGRAM} ${{sender}} ${{recipient}}"
    if door is Door.PIPE:
        arguments = f"--socket {site.lmtp} --sender ${{sender}} -- ${{recipient}}"
        pipe = f"flags=q user={ACCOUNT} null_sender= argv={site.deliver} {arguments}"
    text = f"""A delivery service of our own, at most {_AT_A_TIME} commands at a time. ${{recipient}} is
    the whole envelope recipient in its own case: ${{user}} loses what stands behind a "+", and the flags
    h and u fold the case. null_sender is empty so that the sender of a bounce stays the null sender. The
    command answers 75 to all trouble, and the bounce waits in the queue; Postfix loses it on nearly every
    other code. One recipient a command: it knows no more."""
    return "\n".join(
        [
            comment(text),
            words("postconf", "-M", f"{SERVICE}/unix={SERVICE} unix - n n - {_AT_A_TIME} pipe {pipe}"),
            _set(f"{SERVICE}_destination_recipient_limit", "1"),
        ]
    )


def _routing(site: Site, door: Door, queue_directory: PurePath) -> str:
    nexthop = f"unix:{site.lmtp.relative_to(queue_directory)}" if door is Door.LMTP else ""
    return "\n".join(
        [
            comment(
                """Mail for these domains is taken, and goes to that service. Without the first, strangers
                hear "Relay access denied"; without the second, Postfix looks for an MX and finds itself.
                The domains must stand neither in mydestination nor in virtual_alias_domains or
                virtual_mailbox_domains."""
            ),
            _add("relay_domains", "domains", ", ".join(site.domains)),
            _add("transport_maps", "transport", _table(site, f"{SERVICE}:{nexthop}")),
        ]
    )


def _recipients(site: Site) -> str:
    entries = " ".join(f"{{ @{domain} = OK }}" for domain in site.domains)
    return "\n".join(
        [
            comment(
                """Where relay_recipient_maps lists the recipients of relayed domains, ours are listed as
                well, or they would be unknown. Where it is empty, all are taken, and that stays so."""
            ),
            'if [ -n "$(postconf -xh relay_recipient_maps)" ]; then',
            f"    {_add('relay_recipient_maps', 'recipients', f'inline:{{ {entries} }}')}",
            "fi",
        ]
    )


def _mailboxes(site: Site) -> str:
    owed = [
        f"{{ {name}@{domain} = postmaster }}" for domain in site.domains for name in ("postmaster", "abuse")
    ]
    return "\n".join(
        [
            comment(
                """Every mail domain owes these two mailboxes (RFC 5321 section 4.5.1, RFC 2142); this
                host's postmaster reads them. The sidecar would refuse the mail after Postfix has taken
                it."""
            ),
            _add("virtual_alias_maps", "mailboxes", f"inline:{{ {' '.join(owed)} }}"),
        ]
    )


def _check(site: Site, queue_directory: PurePath) -> str:
    service = f"unix:{site.policy.relative_to(queue_directory)}"
    action = _DEFAULT_ACTION[site.when_down]
    asks = f"check_policy_service {{ {service}, timeout=3s, {{ default_action = {action} }} }}"
    kept = (
        "such mail waits at the sender's (default_action)"
        if site.when_down is WhenDown.DEFER
        else "such mail is taken unchecked (default_action)"
    )
    return "\n".join(
        [
            comment(
                f"""At RCPT the sidecar is asked whether a return path is signed and young enough. Without
                this, forged bounces are taken, refused later by the sidecar, and dropped by Postfix
                without a word.

                It is asked for our domains alone (a restriction class): while it does not answer, {kept},
                and all other mail comes and goes as ever. It only ever refuses, defers or has no opinion,
                so it stands first and loosens nothing that you have."""
            ),
            _add("smtpd_restriction_classes", "classes", CHECK_CLASS),
            _set(CHECK_CLASS, asks),
            _add(
                "smtpd_recipient_restrictions", "check", f"check_recipient_access {_table(site, CHECK_CLASS)}"
            ),
        ]
    )


def _limits(site: Site) -> str:
    days = f"{site.accept.total_seconds() / 86400:g}"
    return (
        comment(
            f"""Not changed here; `bounce-sidecar mta postfix --check` looks at them. A bounce may come
            back as late as maximal_queue_lifetime and bounce_queue_lifetime together; [verp] accept_days
            ({days}) must not be less. message_size_limit must not be more than [sockets] max_mail_bytes
            ({site.max_mail_bytes}): a bounce that is larger waits in the queue until it is dropped.

            Postfix drops a bounce that is refused for good, and one that waited for
            bounce_queue_lifetime, without telling anybody. Where postmaster shall have a copy:"""
        )
        + "\n#     postconf -e 'notify_classes = resource, software, 2bounce'"
    )


def _set(name: str, value: str) -> str:
    return f'set -- "$@" {shlex.quote(f"{name} = {value}")}'


def _add(name: str, ours: str, value: str) -> str:
    """Sets a parameter of ours, and refers to it."""
    return f'{_set(f"bounce_sidecar_{ours}", value)} "$(front {name} bounce_sidecar_{ours})"'


def _table(site: Site, value: str) -> str:
    """A lookup table in main.cf itself: nothing to compile, nothing to forget."""
    return f"inline:{{ {' '.join(f'{{ {domain} = {value} }}' for domain in site.domains)} }}"
