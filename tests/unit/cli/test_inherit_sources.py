"""import bouncehandler: an export, a shared database, or a source that cannot be read."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.bouncehandler_tables import Tables
from tests.support.desk import say
from tests.support.practice import ADDRESS, WIKI
from tests.unit.cli.inheritance import DAY, GONE, LONG_AGO, NOW, enter, held, started, tables_of, url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return started(tmp_path)


@pytest.fixture
def wiki(folder: Path) -> Tables:
    return tables_of(folder)


EXPORT = (
    "br_id,br_user_email,br_timestamp,br_reason,user_id,user_email_authenticated\n"
    f"1,{ADDRESS},{NOW - 5 * DAY:%Y%m%d%H%M%S},{GONE},7,{LONG_AGO:%Y%m%d%H%M%S}\n"
    f"2,bob@remote.example,{NOW - 5 * DAY:%Y%m%d%H%M%S},{GONE},NULL,NULL\n"
    f"3,eve@remote.example,{NOW - 5 * DAY:%Y%m%d%H%M%S},{GONE},8,{LONG_AGO:%Y%m%d%H%M%S}\n"
    f"3,eve@remote.example,{NOW - 5 * DAY:%Y%m%d%H%M%S},{GONE},9,{LONG_AGO:%Y%m%d%H%M%S}\n"
)


def test_an_export_says_itself_whose_the_addresses_are(folder: Path) -> None:
    (folder / "theirs.csv").write_text(EXPORT)
    assert enter(folder, source=str(folder / "theirs.csv"))["fates"] == {
        "entered": 1, "nobody has that address now": 1, "several users have that address": 2
    }  # fmt: skip
    assert len(held(folder)["bounce"]) == 1


def test_an_export_of_the_records_alone_is_matched_by_the_wikis_database(folder: Path, wiki: Tables) -> None:
    alone = "\n".join(line.rsplit(",", 2)[0] for line in EXPORT.splitlines())
    (folder / "theirs.csv").write_text(alone)
    result = say(folder, "import", "bouncehandler", str(folder / "theirs.csv"))
    assert (result.exit_code, "want a column user_id" in result.stderr) == (2, True)
    told = enter(folder, "--wiki", f"{WIKI}={url(folder)}", source=str(folder / "theirs.csv"))
    assert told["fates"] == {"entered": 1, "nobody has that address now": 3}


def test_records_of_many_wikis_lie_in_a_shared_database(folder: Path, wiki: Tables) -> None:
    text = (folder / "config.toml").read_text()
    more = text[text.index("[[wikis]]") :].replace(WIKI, "other-mw_")
    (folder / "config.toml").write_text(text + more)
    shared = Tables(sa.create_engine(f"sqlite:///{folder}/shared.sqlite"))
    shared.make()
    other = Tables(sa.create_engine(f"sqlite:///{folder}/other"), prefix="mw_")
    other.make(records=False)
    other.add_user(3, "bob@remote.example", LONG_AGO)
    for address in (ADDRESS, "bob@remote.example"):
        shared.add_record(address, NOW - 5 * DAY, GONE)
    named = (
        "--wiki",
        f"{WIKI}={url(folder)}",
        "--wiki",
        f"other-mw_=sqlite:///{folder}/other",
        "--prefix",
        "",
    )
    refused = say(folder, "import", "bouncehandler", f"sqlite:///{folder}/shared.sqlite", *named)
    assert "there is no table user; see --prefix" in refused.stderr
    other.engine = sa.create_engine(f"sqlite:///{folder}/other")
    moved = Tables(sa.create_engine(f"sqlite:///{folder}/other"))
    moved.make(records=False)
    moved.add_user(3, "bob@remote.example", LONG_AGO)
    assert enter(folder, *named, source=f"sqlite:///{folder}/shared.sqlite")["fates"] == {"entered": 2}
    assert say(folder, "history", "3", "--wiki", "other-mw_").exit_code == 0


WRONG = {
    ("mysql://wiki:secret@localhost/wiki",): "no password in the URL",
    ("sqlite:////nowhere/wiki.sqlite",): "there is no file /nowhere/wiki.sqlite",
    ("oracle://wiki@localhost/wiki",): "no URL of a database",
    ("mysql://wiki@127.0.0.1:9/wiki",): "Can't connect",
    ("/nowhere/theirs.csv",): "No such file",
    ("mysql://wiki@localhost/wiki", "--wiki", "nowiki"): "--wiki must be one of: enwiki",
    (
        "mysql://wiki@localhost/wiki",
        "--password-file",
        "/nowhere/secret",
    ): "--password-file /nowhere/secret: No such file",
}


@pytest.mark.parametrize("words", WRONG)
def test_what_cannot_be_read_is_told_in_a_line(folder: Path, words: tuple[str, ...]) -> None:
    result = say(folder, "import", "bouncehandler", *words)
    assert (result.exit_code, WRONG[words] in result.stderr) == (2, True), result.output
    assert "secret@" not in result.output
    assert "Traceback" not in result.output


def test_the_wikis_database_is_only_read(folder: Path, wiki: Tables) -> None:
    wiki.add_record(ADDRESS, NOW - 5 * DAY, GONE)
    wiki.engine.dispose()
    (folder / "wiki.sqlite").chmod(0o444)
    before = (folder / "wiki.sqlite").read_bytes()
    enter(folder)
    assert (folder / "wiki.sqlite").read_bytes() == before
    assert not list(folder.glob("wiki.sqlite-*"))
