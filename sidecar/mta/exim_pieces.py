"""What Exim has to be told: domains, routers, transports, a retry rule, each with its reason.

Knows Exim's language (4.94 and newer, which distrusts what comes from outside). Does not know where the
pieces go; exim.py does.
"""

from sidecar.mta import curl
from sidecar.mta.script import comment
from sidecar.mta.site import ACCOUNT, Door, Site, WhenDown

__all__ = ["GROUP", "ROUTER", "TRANSPORTS", "USER", "main", "retry", "routers", "transports"]

USER = GROUP = "Debian-exim"  #: built into Debian's Exim
ROUTER = "bounce_sidecar"
TRANSPORTS = {door: f"bounce_sidecar_{door}" for door in Door}

#: Octets by which the path of the policy socket may grow on the way.
PADDING = 36
#: "/" for some digits, "/." for the others: all spell the root.
_PADDED = "${sg{${sg{${randint:1000000000}${randint:1000000000}}{[0-4]}{/}}}{[5-9]}{/.}}"

#: What Exim takes for the answer while nobody answers.
_SILENCE = {WhenDown.DEFER: "action=DEFER", WhenDown.ACCEPT: "action=DUNNO"}
#: What lets the mail in. A hang-up leaves an empty answer, which is silence, too.
_PASSES = {WhenDown.DEFER: r"^action=DUNNO\b", WhenDown.ACCEPT: r"^(action=DUNNO\b|$)"}


def main(site: Site) -> str:
    """Of the main section."""
    return f"""\
# The domains of the return paths, and the sockets of the daemon.
domainlist bounce_sidecar_domains = {" : ".join(site.domains)}
BOUNCE_SIDECAR_LMTP = {site.lmtp}
BOUNCE_SIDECAR_POLICY = {site.policy}
"""


def routers(site: Site, door: Door) -> str:
    """They must stand before all others that know these domains."""
    return f"""\
# Every mail domain owes these two mailboxes (RFC 5321 section 4.5.1, RFC 2142). This host's postmaster reads
# them.
bounce_sidecar_postmaster:
  driver = redirect
  domains = +bounce_sidecar_domains
  local_parts = postmaster : abuse
  data = postmaster@$qualify_domain

{_verify(site)}

# Delivery itself. Nothing goes on from here: no alias, no .forward, no MX.
{ROUTER}:
  driver = accept
  domains = +bounce_sidecar_domains
  # Exim folds local parts otherwise. No local_part_prefix or _suffix here: they cut return paths.
  caseful_local_part
  transport = {TRANSPORTS[door]}
  no_more
"""


def _verify(site: Site) -> str:
    silence = _SILENCE[site.when_down]
    kept = "waits at the sender's" if site.when_down is WhenDown.DEFER else "is taken unchecked"
    told = comment(
        f"""Only while mail is received ("require verify = recipient" of Debian's ACL): asks the sidecar
        whether a return path is signed and young enough. Without it, forged bounces are taken, and freeze
        in the queue when the sidecar refuses them. While it does not answer, such mail {kept}; all other
        mail comes and goes as ever. It passes what it does not refuse on to the next router. Hosts in
        relay_from_hosts, this one among them, are not asked: Debian's ACL trusts them."""
    )
    return f"""\
{told}
bounce_sidecar_verify:
  driver = redirect
  domains = +bounce_sidecar_domains
  verify_only
  # The keys of BounceHandler's return paths are base64.
  caseful_local_part
  allow_fail
  allow_defer
  # Exim 4.96 keeps a connection that failed, uses it for the next recipient, and breaks off with a panic.
  # What it keeps goes by the path; so each recipient has its own, which begins like //.///.//. at random.
  address_data = ${{readsocket\\
    {{{_PADDED}BOUNCE_SIDECAR_POLICY}}\\
    {{request=smtpd_access_policy\\nrecipient=$local_part@$domain\\n\\n}}{{2s}}{{}}{{{silence}}}}}
  data = ${{if match{{$address_data}}{{\\N{_PASSES[site.when_down]}\\N}}{{}}\\
    {{${{if match{{$address_data}}{{\\N^action=5\\d\\d (.+)\\N}}{{:fail: $1}}\\
    {{:defer: 4.3.0 Return paths cannot be checked now, please try again later}}}}}}}}"""


def transports(site: Site, door: Door) -> str:
    """The one that the door needs."""
    if door is Door.LMTP:
        return _lmtp(site)
    return _pipe(door, curl.PROGRAM if door is Door.HTTP else f"{site.deliver} --socket BOUNCE_SIDECAR_LMTP")


def _lmtp(site: Site) -> str:
    return f"""\
# By LMTP to the daemon. 4xx, no answer and no socket leave the bounce in the queue.
{TRANSPORTS[Door.LMTP]}:
  driver = lmtp
  socket = BOUNCE_SIDECAR_LMTP
  # Exim drops all other groups before it delivers: this one may open the socket.
  user = {USER}
  group = {site.mta_group}
  # One recipient a delivery: each bounce has one.
  batch_max = 1
  # The daemon answers within 60 seconds, or says that it was too long.
  timeout = 2m
"""


def _pipe(door: Door, command: str) -> str:
    return f"""\
# By a command that reads RECIPIENT and SENDER from its environment. $local_part in the command would be
# tainted, and freeze each bounce.
{TRANSPORTS[door]}:
  driver = pipe
  command = {command}
  user = {ACCOUNT}
  home_directory = /
  current_directory = /
  path = /usr/local/bin:/usr/bin:/bin
  # The mail as it came: no mbox line, no empty line at the end.
  message_prefix =
  message_suffix =
  # Nothing is lost: whatever the exit code, on a time-out and on a signal the bounce stays.
  temp_errors = *
  timeout = 5m
  timeout_defer
  freeze_signal
  # What the command said goes to the log, and to nobody else.
  log_output
"""


def retry(site: Site) -> str:
    """Before the rule for everything."""
    rules = "\n".join(f"{domain}  *  F,1h,2m; F,14d,15m" for domain in site.domains)
    told = comment(
        """Every two minutes, after an hour every quarter of an hour, for two weeks. Debian's rule for all
        mail gives up after four days, and a bounce that is given up is dropped without a word."""
    )
    return f"{told}\n{rules}\n"
