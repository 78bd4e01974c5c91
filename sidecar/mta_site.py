"""From the configuration to what the mail server has to know, and to what may be tried on it.

Knows which setting is which fact. Does not know any mail server.
"""

import shutil
import sys
from collections.abc import Callable
from datetime import datetime
from itertools import count, islice
from pathlib import Path

from sidecar import __version__
from sidecar.configuration.configured import Config
from sidecar.domain.verp import Verp
from sidecar.mta.rcpt import Probes
from sidecar.mta.site import Site, WhenDown

__all__ = ["named", "probes_of", "site_of"]

#: Return paths that are tried until one has a "/": every fifth of BounceHandler's has one.
TRIES = 200


def named(server: tuple[str, int]) -> str:
    return f"{server[0]}:{server[1]}"


def site_of(path: Path, config: Config) -> Site:
    """Of a node that takes bounces; *path* is its configuration's."""
    listen = config.listen
    http = listen.http
    return Site(
        version=__version__,
        configuration=str(path),
        domains=tuple(sorted(config.verp.domains)),
        lmtp=listen.lmtp,
        policy=listen.policy,
        mta_group=listen.mta_group,
        when_down=WhenDown(config.when_down),
        max_mail_bytes=listen.max_mail_bytes,
        accept=config.verp.accept,
        deliver=_deliver(),
        http=http.address if http else None,
        # Not from systemd's credentials: the mail server starts the command that reads it.
        token_file=path.absolute().parent / http.token_file if http and http.token_file else None,
    )


def _deliver() -> Path:
    """Where pip puts it, beside the interpreter; else wherever it is found."""
    beside = Path(sys.executable).with_name("bounce-sidecar-deliver")
    elsewhere = None if beside.exists() else shutil.which(beside.name)
    return Path(elsewhere) if elsewhere else beside


def probes_of(config: Config, clock: Callable[[], datetime]) -> Probes:
    """Signed now for the first wiki, one in each format; the last character of the first is changed for the
    forged one.
    """
    signed = tuple(_sample(verp, config.wikis[0].id, clock()) for verp in config.verp.in_each_format())
    local, _, domain = signed[0].rpartition("@")
    other = "b" if local[-1] in "aA" else "a"
    return Probes(signed, f"{local[:-1]}{other}@{domain}")


def _sample(verp: Verp, wiki: str, now: datetime) -> str:
    """With a "/" in it if the format has any: some mail servers refuse that."""
    issued = (verp.issue(wiki, user, "probe@example.org", now) for user in count(1))
    samples = list(islice(issued, TRIES))
    return next((one for one in samples if "/" in one), samples[0])
