"""Exim's side: a shell script that puts our pieces into Debian's configuration, split or not.

Knows where Debian's update-exim4.conf(8) looks for what. Does not know what stands in the pieces;
exim_pieces.py does.
"""

from collections.abc import Callable

from sidecar.mta import curl, exim_pieces
from sidecar.mta.script import comment, heading, paragraphs, words, written
from sidecar.mta.site import Door, Site, Unsuitable

__all__ = ["script"]

ETC = "/etc/exim4"
LONGEST_SOCKET_PATH = 107  # octets, unix(7)
OWN = f"{ETC}/bounce-sidecar"  #: our pieces, where the configuration is not split

#: Where a piece lies in Debian's split configuration. Files are read in the order of their names: the
#: routers come before 150 (hubbed_hosts) and 200 (by DNS), the retry rule before 30 (everything).
_SPLIT = {
    "main": "main/00_bounce-sidecar",
    "routers": "router/120_bounce-sidecar",
    "transports": "transport/30_bounce-sidecar",
    "retry": "retry/20_bounce-sidecar",
}

_PIECES: dict[str, Callable[[Site, Door], str]] = {
    "main": lambda site, _: exim_pieces.main(site),
    "routers": exim_pieces.routers,
    "transports": exim_pieces.transports,
    "retry": lambda site, _: exim_pieces.retry(site),
}


def script(site: Site, door: Door, *, split: bool = True) -> str:
    """What to run as root. Raises Unsuitable with every setting that has to change."""
    if problems := site.problems(door) + _problems(site):
        raise Unsuitable(problems)
    command = f"mta exim --door {door}" + ("" if split else " --unsplit")
    parts = [
        "#!/bin/sh\n" + heading(command, site.version, site.configuration),
        comment(
            f"""Takes bounces for {", ".join(site.domains)}. Run it as root, as often as you like; it is
            for Debian's configuration ({ETC}). `bounce-sidecar mta exim --check` tells afterwards whether
            the running Exim does what it should. To undo it: remove the files that it names, take the
            domains out of dc_relay_domains in {ETC}/update-exim4.conf.conf, and run update-exim4.conf."""
        ),
        "set -eu",
        _fits(split),
    ]
    if door is Door.HTTP:
        parts.append(curl.installed(site, command))
    parts += _split(site, door, command) if split else _unsplit(site, door, command)
    return paragraphs([*parts, _relay_domains(site), _RELOAD])


def _problems(site: Site) -> list[str]:
    wrong = []
    if not site.mta_group:
        wrong.append(
            f'[sockets] mta_group is empty: Exim may not connect; set mta_group = "{exim_pieces.GROUP}"'
        )
    if len(str(site.policy)) + exim_pieces.PADDING > LONGEST_SOCKET_PATH:
        wrong.append(f"[sockets] policy: {site.policy} is too long for Exim; choose a shorter folder")
    return wrong


def _fits(split: bool) -> str:
    wanted, other = ("true", "with --unsplit") if split else ("false", "without --unsplit")
    return (
        comment("Pieces in the place that is not read would have no effect.")
        + f"""
if [ -e {ETC}/exim4.conf ]; then
    echo "{ETC}/exim4.conf exists, so Debian's configuration is not used: put the pieces below into it" >&2
    exit 1
fi
if [ "$(. {ETC}/update-exim4.conf.conf; echo "${{dc_use_split_config:-false}}")" != {wanted} ]; then
    echo "dc_use_split_config is not {wanted}: write this script {other}" >&2
    exit 1
fi"""
    )


def _split(site: Site, door: Door, command: str) -> list[str]:
    return [_piece(site, door, command, name, f"{ETC}/conf.d/{place}") for name, place in _SPLIT.items()]


def _piece(site: Site, door: Door, command: str, name: str, path: str) -> str:
    text = f"{heading(command, site.version, site.configuration)}\n{_PIECES[name](site, door)}"
    return written(path, text)


def _unsplit(site: Site, door: Door, command: str) -> list[str]:
    pieces = [_piece(site, door, command, name, f"{OWN}/{name}") for name in _SPLIT]
    template, macros = f"{ETC}/exim4.conf.template", f"{ETC}/exim4.conf.localmacros"
    return [
        f"install -d -m 755 {OWN}",
        *pieces,
        comment(f"""Debian reads {macros} before the template: there the domains and sockets are named.""")
        + f"""
touch {macros}
grep -qxF '.include {OWN}/main' {macros} || echo '.include {OWN}/main' >> {macros}""",
        comment(
            """Routers, transports and retry rules can only come from the template itself: one line is
            added at the beginning of each section. When a new exim4-config asks whether to replace your
            template, keep yours, or run this script again afterwards. The template as it was is kept
            beside it, once."""
        )
        + f"""
[ -e {template}.before-bounce-sidecar ] || cp -p {template} {template}.before-bounce-sidecar
for section in routers transports retry; do
    grep -qxF ".include {OWN}/$section" {template} ||
        sed -i "s|^begin $section[[:space:]]*$|&\\n.include {OWN}/$section|" {template}
    grep -qxF ".include {OWN}/$section" {template}
done""",
    ]


def _relay_domains(site: Site) -> str:
    return (
        comment(
            """Debian's ACL takes mail for these domains, and for no stranger's: they are added to
            dc_relay_domains, where dpkg-reconfigure keeps them. Not to dc_other_hostnames: for local
            domains the ACL refuses a "/", which a fifth of BounceHandler's return paths have; and its
            macro against that (CHECK_RCPT_LOCAL_LOCALPARTS) would loosen all local domains."""
        )
        + f"""
settings={ETC}/update-exim4.conf.conf
domains=$(. "$settings"; echo "${{dc_relay_domains:-}}")
for domain in {" ".join(site.domains)}; do
    case "$domains" in *\\;*) separator=' ; ' ;; *) separator=' : ' ;; esac
    case " $(echo "$domains" | tr ':;' '  ') " in
        *" $domain "*) ;;
        *) domains="${{domains:+$domains$separator}}$domain" ;;
    esac
done
if [ "$(. "$settings"; echo "${{dc_relay_domains:-}}")" != "$domains" ]; then
    grep -v '^dc_relay_domains=' "$settings" > "$settings.new"
    echo "dc_relay_domains='$domains'" >> "$settings.new"
    cat "$settings.new" > "$settings"
    rm "$settings.new"
fi"""
    )


_RELOAD = (
    comment(
        """Debian's tool puts it together; a configuration that Exim cannot read is not installed, and the
        one before stays in use. What is in an expansion shows only when mail comes: hence --check."""
    )
    + "\n"
    + words("update-exim4.conf")
    + """
exim4 -bV > /dev/null
invoke-rc.d exim4 reload || echo 'Exim was not reloaded; it reads this when it starts' >&2"""
)
