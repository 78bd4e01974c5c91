"""The HTTP door's command: a mail on standard input, handed over by curl.

Knows curl and exit codes. Does not know which mail server starts it.
"""

from pathlib import PurePath

from sidecar.mta.script import comment, heading, written
from sidecar.mta.site import Site

__all__ = ["PROGRAM", "installed"]

PROGRAM = "/usr/local/lib/bounce-sidecar/hand-over"

_TEXT = """\
#!/bin/sh
{heading}
#
# Hands the mail on standard input to the sidecar. Envelope sender and recipient are its two arguments
# (Postfix), or SENDER and RECIPIENT in its environment (Exim). They become arguments of curl.
#
# Every failure ends in 75: "try again later". Postfix loses a bounce on nearly every other code, and so it
# would without --fail: an answer of 503 is a success to curl.
if [ $# -eq 2 ]; then SENDER=$1 RECIPIENT=$2; fi
[ -n "${{RECIPIENT:-}}" ] || exit 75
token=$(cat {token_file}) || exit 75
# The token goes by a descriptor: anybody may read the arguments of a command.
curl --fail --silent --show-error --output /dev/null --noproxy '*' --connect-timeout 5 --max-time 120 \\
    --header @/dev/fd/3 --header 'Content-Type: message/rfc822' --header 'Expect:' \\
    --url-query "recipient=$RECIPIENT" --url-query "sender=${{SENDER:-}}" --data-binary @- \\
    {url} 3<<HEADER || exit 75
Authorization: Bearer $token
HEADER
"""


def installed(site: Site, command: str) -> str:
    """Shell commands that put the program where mail servers start it. *site* has an HTTP door."""
    told = comment("The command that hands a bounce over; needs curl 7.87 or newer (Debian 12 has 7.88).")
    return "\n".join(
        [
            told,
            f"install -d -m 755 {PurePath(PROGRAM).parent}",
            written(PROGRAM, _program(site, command), "755"),
        ]
    )


def _program(site: Site, command: str) -> str:
    if site.http is None or site.token_file is None:
        raise ValueError("this site has no HTTP door")
    host, port = site.http
    name = f"[{host}]" if ":" in host else host
    return _TEXT.format(
        heading=heading(command, site.version, site.configuration),
        token_file=site.token_file,
        url=f"http://{name}:{port}/bounces",
    )
