"""The program: its version, its Python, and whether what the configuration needs is installed.

Knows which setting needs which library. Does not know what they are good for.
"""

import platform
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from sidecar import __version__
from sidecar.configuration.configured import Config
from sidecar.domain.access import Adapter
from sidecar.domain.finding import Finding, ok, wrong

__all__ = ["libraries", "version"]

PIP = f"{sys.executable} -m pip"

#: The beginning of [storage] url -> the module, and the extra of our package that brings it.
DRIVERS = {"mariadb+pymysql": ("pymysql", "mariadb"), "postgresql+psycopg": ("psycopg", "postgresql")}


def version() -> Finding:
    return ok(f"bounce-sidecar {__version__}, Python {platform.python_version()} ({sys.executable})")


def libraries(config: Config) -> Iterator[Finding]:
    """Only what is missing: the program itself has found the others."""
    scheme = config.storage_url.partition(":")[0]
    if config.node.has_history and scheme in DRIVERS:
        module, extra = DRIVERS[scheme]
        if find_spec(module) is None:
            yield wrong(
                f"[storage] url wants {module}, which is not installed",
                f"{PIP} install '.[{extra}]'",
            )
    wanted = {"pywikibot"} if any(one.adapter is Adapter.PYWIKIBOT for one in config.wikis) else {"mwclient"}
    for module in sorted(wanted) if config.node.acts and config.wikis else ():
        if find_spec(module) is None:
            yield wrong(f"{module} is not installed", f"{PIP} install {module}")
