"""The words of main.cf and master.cf: lists with braces, restrictions, services.

Pure. Knows Postfix's spelling (postconf(5), master(5)). Does not know what is right.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

__all__ = ["Policy", "Service", "chrooted", "maps_in", "policy", "seconds", "service", "socket_path", "words"]


@dataclass(frozen=True)
class Service:
    """A line of master.cf."""

    name: str
    kind: str
    chroot: str  #: "y", "n" or "-"
    command: str
    rest: tuple[str, ...]

    @property
    def is_pipe(self) -> bool:
        return self.command == "pipe"

    @property
    def argv(self) -> tuple[str, ...]:
        """The command of a pipe service."""
        for position, word in enumerate(self.rest):
            if word.startswith("argv="):
                return (word.removeprefix("argv="), *self.rest[position + 1 :])
        return ()

    def attribute(self, name: str) -> str:
        """Of a pipe service, as "flags"; "" if it is not given."""
        for word in self.rest:
            if word.startswith("argv="):
                break
            if word.startswith(f"{name}="):
                return word.partition("=")[2]
        return ""


@dataclass(frozen=True)
class Policy:
    """What stands behind check_policy_service."""

    endpoint: str
    default_action: str  #: "" if none is given


def words(text: str) -> list[str]:
    """A list of main.cf, parted by commas and blanks outside of braces."""
    found, word, depth = [], "", 0
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth <= 0 and (character in ", \t\n"):
            found.append(word)
            word = ""
        else:
            word += character
    return [one for one in [*found, word] if one]


def service(line: str) -> Service | None:
    """A line of `postconf -M`."""
    fields = words(line.replace(",", "\0"))
    if len(fields) < 8:
        return None
    name, kind, _, _, chroot, _, _, command, *rest = (field.replace("\0", ",") for field in fields)
    return Service(name, kind, chroot, command, tuple(rest))


def maps_in(text: str) -> Iterator[str]:
    """The lookup tables that a value names, as type:name."""
    for word in words(text):
        if re.match(r"[a-z]+:[^\s]", word) and not re.match(r"(unix|inet|lmtp|smtp|relay|error):", word):
            yield word


def policy(word: str) -> Policy:
    """What stands behind check_policy_service, with braces or without."""
    if not word.startswith("{"):
        return Policy(word, "")
    endpoint, *attributes = words(word[1:-1])
    for attribute in attributes:
        name, _, value = attribute.strip("{} ").partition("=")
        if name.strip() == "default_action":
            return Policy(endpoint, value.strip())
    return Policy(endpoint, "")


def chrooted(one: Service, compatibility_level: str) -> bool:
    """Whether it works in the queue directory; "-" was yes before Postfix 3.0 (compatibility_level)."""
    if one.chroot == "-":
        return compatibility_level.partition(".")[0] in ("", "0")
    return one.chroot == "y"


def socket_path(endpoint: str, chroot: bool, queue_directory: PurePath) -> PurePath | None:
    """The file that unix:... means for a service; None if it means no file."""
    if not endpoint.startswith("unix:"):
        return None
    named = PurePath(endpoint.removeprefix("unix:"))
    return queue_directory / (str(named).lstrip("/") if chroot else named)


def seconds(text: str) -> float | None:
    """A time of main.cf; days if it has no unit, as for the lifetimes in the queue."""
    found = re.fullmatch(r"(\d+)([smhdw]?)", text)
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    return float(found[1]) * units[found[2] or "d"] if found else None
