"""What the package says about itself, made of what the program knows: `commands`, `settings` and `libraries`.

The first two are pages of the manual in reStructuredText, which rst2man turns into bounce-sidecar(1) and
bounce-sidecar.toml(5); the third lists the Python libraries that are installed. Knows click's commands and
the settings' descriptions. What they say, the manual says.
"""

import inspect
import json
import re
import sys
import typing
from collections.abc import Iterator, Sequence
from importlib.metadata import distributions
from textwrap import dedent

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sidecar import __version__
from sidecar.cli import main as program
from sidecar.configuration.settings import Settings

NAME = "bounce-sidecar"
CONFIG = "/etc/bounce-sidecar/config.toml"

HEAD = """\
{bar}
{title}
{bar}

{bar2}
{what}
{bar2}

:Version: {version}
:Manual section: {section}
:Manual group: bounce-sidecar

"""

FILES = f"""\
FILES
=====

{CONFIG}
    The configuration: ``{NAME}.toml``\\(5).

/etc/bounce-sidecar/rules.d
    Rules of your own.

/var/lib/bounce-sidecar
    The history, if it is SQLite, and the list of a farm's wikis.

/run/bounce-sidecar
    The sockets, where no other folder is configured.

/usr/share/doc/bounce-sidecar
    The documentation: ``docs/operating.md`` says what to do when.

ENVIRONMENT
===========

BOUNCE_SIDECAR_CONFIG
    The configuration file; ``--config`` goes before it.

BOUNCE_SIDECAR_SECTION__SETTING
    A setting, as ``BOUNCE_SIDECAR_LOG__LEVEL=debug``; goes before the configuration file.

"""


def commands() -> Iterator[str]:
    """bounce-sidecar(1): every command with its options, in the words of its --help."""
    yield head(NAME, 1, "bounce handling beside a MediaWiki")
    yield f"SYNOPSIS\n========\n\n**{NAME}** [*options*] *command* ...\n\n"
    context = click.Context(program, info_name=NAME)
    yield f"DESCRIPTION\n===========\n\n{words(program)}"
    yield f"OPTIONS\n=======\n\n{options(program.get_params(context), context)}"
    yield "COMMANDS\n========\n\n"
    for command, inner in below(program, context):
        title = inner.command_path.removeprefix(f"{NAME} ")
        usage = " ".join(plain(piece) for piece in command.collect_usage_pieces(inner))
        yield f"{title}\n{'-' * len(title)}\n\n**{inner.command_path}** {usage}\n\n{words(command)}"
        yield options(command.params, inner)
    yield f"EXIT STATUS\n===========\n\n{plain((program.epilog or '').removeprefix('Exit codes: '))}\n\n"
    yield f"{FILES}SEE ALSO\n========\n\n``{NAME}-deliver``\\(1), ``{NAME}.toml``\\(5)\n"


def below(group: click.Group, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Every command that does something, with those of its groups."""
    for name in sorted(group.list_commands(context)):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from below(command, inner)
        else:
            yield command, inner


def words(command: click.Command) -> str:
    """A docstring, of which click reads a form feed as the end and a backspace as "leave the lines alone"."""
    text = inspect.cleandoc(command.help or "").split("\f")[0]
    return "".join(f"{plain(paragraph)}\n\n" for paragraph in re.split(r"\n\s*\n", text.replace("\b\n", "")))


def options(parameters: Sequence[click.Parameter], context: click.Context) -> str:
    """Those with a help of their own, as a list of definitions."""
    records = [record for one in parameters if (record := one.get_help_record(context))]
    return "".join(f"{plain(names)}\n    {plain(meaning)}\n\n" for names, meaning in records if meaning)


def settings() -> Iterator[str]:
    """bounce-sidecar.toml(5): every setting with its default."""
    yield head(f"{NAME}.toml", 5, "configuration of bounce-sidecar")
    yield dedent(f"""\
        DESCRIPTION
        ===========

        ``{CONFIG}`` is a TOML file. ``{NAME} check-config`` says all that is wrong with it, and
        ``systemctl reload {NAME}`` has the daemon read it again. Secrets never stand in it but in files
        of their own, which it names: absolute, or among systemd's credentials (``LoadCredential=``), or
        beside it. An example lies in /usr/share/doc/bounce-sidecar/examples.

        """)
    yield "SETTINGS\n========\n\n"
    told = dict[type[BaseModel], str]()
    for heading, shape in sections(Settings):
        title = plain(heading or "Top of the file")
        yield f"{title}\n{'-' * len(title)}\n\n"
        if shape in told:
            yield f"The settings of {plain(told[shape])}, where they differ.\n\n"
            continue
        told[shape] = heading
        for key, field in shape.model_fields.items():
            if field.description:
                yield f"**{plain(key)}** ({plain(default(field))})\n    {plain(field.description)}.\n\n"
    yield f"SEE ALSO\n========\n\n``{NAME}``\\(1); /usr/share/doc/bounce-sidecar/docs/configuration.md\n"


def sections(
    shape: type[BaseModel], path: str = "", heading: str = ""
) -> Iterator[tuple[str, type[BaseModel]]]:
    """Each section with its heading; a section that holds nothing but sections has none of its own."""
    if any(field.description for field in shape.model_fields.values()):
        yield heading, shape
    for key, field in shape.model_fields.items():
        shapes = (field.annotation, *typing.get_args(field.annotation))
        inner = next((one for one in shapes if isinstance(one, type) and issubclass(one, BaseModel)), None)
        if inner:
            many = typing.get_origin(field.annotation) is list
            yield from sections(inner, f"{path}{key}.", f"[[{key}]]" if many else f"[{path}{key}]")


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is None or isinstance(field.default, BaseModel):
        return "no default"
    return f"default {json.dumps(field.default)}"


def libraries() -> Iterator[str]:
    """Name, version and licence of each, by name."""
    yield "The Python libraries that this package was built with: name, version, licence.\n\n"
    for one in sorted(distributions(), key=lambda found: found.metadata["Name"].lower()):
        about = one.metadata
        named = [line.split(" :: ")[-1] for line in about.get_all("Classifier", []) if "License ::" in line]
        licence = (
            about.get("License-Expression") or ", ".join(named) or about.get("License") or "see its files"
        )
        yield f"{about['Name']} {about['Version']}: {licence.splitlines()[0]}\n"


def head(title: str, section: int, what: str) -> str:
    bar, bar2 = "=" * len(title), "-" * len(what)
    return HEAD.format(bar=bar, title=title, bar2=bar2, what=what, version=__version__, section=section)


def plain(text: str) -> str:
    """One line in which nothing is markup."""
    return re.sub(r"([\\*`|_<>:\[\]])", r"\\\1", " ".join(text.split()))


if __name__ == "__main__":
    sys.stdout.writelines({"commands": commands, "settings": settings, "libraries": libraries}[sys.argv[1]]())
