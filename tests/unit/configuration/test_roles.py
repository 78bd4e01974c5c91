"""What a node is for: what its configuration must say, need not, and may not."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from sidecar import host
from sidecar.cli import main
from sidecar.configuration.configured import Config, ConfigError, NodeConfig
from sidecar.domain.access import BotPassword

TOKEN = "a-token-of-some-length-0123456789"
VERP = '[verp]\ndomain = "bounces.example.org"\n'
NAMED = '[[wikis]]\nid = "enwiki"\n'
REACHED = NAMED + (
    'api = "https://wiki.example.org/w/api.php"\n'
    'account = "BounceBot@sidecar"\npassword_file = "bot.password"\n'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, secret in (("verp.keys", "k7Hq2ZfW9sXc4Vb1Nm8Lp3Tj6Ry5Gd0aEuIo"), ("token", TOKEN)):
        (tmp_path / name).touch(0o600)
        (tmp_path / name).write_text(secret)
    return tmp_path


def read(folder: Path, text: str) -> Config:
    (folder / "config.toml").write_text(text)
    return host.load_config(folder / "config.toml")


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        read(folder, text)
    return refused.value.problems


def roles(*names: str, more: str = "") -> str:
    named = ", ".join(f'"{name}"' for name in names)
    return f"[node]\nroles = [{named}]\n{more}" + VERP


def test_a_web_host_needs_keys_and_the_names_of_its_wikis_alone(folder: Path) -> None:
    config = read(folder, roles("issue") + NAMED)
    assert config.node == NodeConfig(issues=True, takes=False, acts=False)
    assert not config.node.has_history
    assert config.verp.domains == {"bounces.example.org"}


def test_who_takes_bounces_reads_no_bot_password(folder: Path) -> None:
    config = read(folder, roles("take") + NAMED)
    assert config.node.has_history
    assert [(wiki.id, wiki.credentials) for wiki in config.wikis] == [("enwiki", BotPassword("", ""))]


def test_who_acts_must_know_how(folder: Path) -> None:
    nobody = "has nobody to act as: set account and password_file, or oauth1_file, or oauth2_token_file"
    assert problems(folder, roles("act") + NAMED) == [
        "[[wikis]] enwiki api is missing",
        f"[[wikis]] enwiki {nobody}",
    ]


def test_a_password_does_not_belong_where_it_is_not_used(folder: Path) -> None:
    what = "[node] roles = issue, take: no wiki is called from here"
    assert problems(folder, roles("issue", "take") + REACHED) == [
        f"[[wikis]] enwiki account: {what}",
        f"[[wikis]] enwiki password_file: {what}",
    ]


def test_nor_does_the_one_that_a_farm_shares(folder: Path) -> None:
    farm = '[farm]\nsitematrix = "https://meta.example.org/w/api.php"\n'
    assert read(folder, roles("take") + farm).farm
    what = "[node] roles = take: no wiki is called from here"
    given = 'account = "BounceBot@sidecar"\npassword_file = "bot.password"\n'
    assert problems(folder, roles("take") + farm + given) == [
        f"[farm] account: {what}",
        f"[farm] password_file: {what}",
    ]


def test_doors_for_bounces_are_refused_where_none_are_taken(folder: Path) -> None:
    doors = (
        '[http]\nlisten = "127.0.0.1:8025"\n[sockets]\nlmtp_tcp = "127.0.0.1:2424"\nsocketmap = "s.sock"\n'
    )
    digest = '[digest]\nto = ["ops@example.org"]\nsender = "b@example.org"\n'
    digest += '[summary]\nto = ["ops@example.org"]\nsender = "b@example.org"\n'
    storage = '[storage]\nurl = "sqlite:////srv/x.db"\n'
    what = "[node] roles = issue"
    assert problems(folder, roles("issue") + doors + digest + storage + NAMED) == [
        f"[http] listen: {what}: no bounces are taken here",
        f"[sockets] lmtp_tcp: {what}: no bounces are taken here",
        f"[sockets] socketmap: {what}: no bounces are taken here",
        f"[digest] to: {what}: no bounces are taken here",
        f"[summary] to: {what}: no bounces are taken here",
        f"[storage]: {what}: no database is used here",
    ]


def test_who_has_no_database_may_tell_another_node(folder: Path) -> None:
    more = 'notes_to = "http://192.0.2.7:8025"\nnotes_token_file = "token"\n'
    node = read(folder, roles("issue", more=more) + NAMED).node
    assert (node.notes_to, node.notes_token) == ("http://192.0.2.7:8025", TOKEN)
    assert TOKEN not in repr(node)


@pytest.mark.parametrize(
    ("names", "more", "said"),
    [
        (
            ["issue"],
            'notes_to = "http://192.0.2.7:8025"\n',
            "[node] notes_to: needs notes_token_file, with the [http] token of that node",
        ),
        (
            ["issue", "take"],
            'notes_to = "http://192.0.2.7:8025"\nnotes_token_file = "token"\n',
            "[node] notes_to: this node has a database, and notes for itself what it issues",
        ),
        (
            ["issue"],
            'notes_to = "192.0.2.7"\nnotes_token_file = "token"\n',
            "[node] notes_to = '192.0.2.7': want http://host:port, without a path",
        ),
        (
            ["issue"],
            'notes_token_file = "missing"\n',
            "[node] notes_token_file = 'missing': No such file or directory",
        ),
        (["ask"], "", "[node] roles = 'ask': should be 'issue', 'take' or 'act'"),
        ([], "", "[node] roles is empty"),
        (
            ["issue"],
            'notes_token_file = "token"\n',
            "[node] notes_token_file: nobody is told: notes_to is missing",
        ),
    ],
)
def test_what_cannot_be_is_told(folder: Path, names: list[str], more: str, said: str) -> None:
    assert said in problems(folder, roles(*names, more=more) + NAMED)


def test_one_role_without_brackets_is_told_how_a_list_is_written(folder: Path) -> None:
    text = '[node]\nroles = "issue"\n' + VERP + NAMED
    assert '[node] roles wants a list, as ["...", "..."]' in problems(folder, text)


@pytest.mark.parametrize(
    "words",
    ["outbox", "why 7", "db status", "db upgrade", "brake list", "aside list", "undo --since 2026-11-20"],
)
def test_a_web_host_has_no_database_to_ask_and_none_is_made(folder: Path, words: str) -> None:
    read(folder, roles("issue") + NAMED)
    asked = CliRunner().invoke(main, ["--config", str(folder / "config.toml"), *words.split()])
    assert (asked.exit_code, asked.stderr) == (
        1,
        "[node] roles = issue: this node has no database; ask a node that takes bounces\n",
    )


@pytest.mark.parametrize("server", ["postfix", "exim"])
def test_a_web_host_sets_no_mail_server_up(folder: Path, server: str) -> None:
    read(folder, roles("issue") + NAMED)
    asked = CliRunner().invoke(main, ["--config", str(folder / "config.toml"), "mta", server])
    assert (asked.exit_code, "no bounces are taken here" in asked.stderr, asked.stdout) == (1, True, "")
