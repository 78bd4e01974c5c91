"""stats: the table at 80 columns, the file for a spreadsheet, JSON, the picture."""

import asyncio
import csv
import io
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sidecar import host
from sidecar.storage import rates
from sidecar.storage.database import Database
from sidecar.storage.rates import Count, What
from tests.support.desk import say
from tests.support.practice import configured, load, start_once

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FORMULA = "=cmd|' /c calc'!A1"

GOLDEN = """\
Bounces by day, 2026-11-26 to 2026-11-28 (UTC)

day         hard   soft   share  un-confirmed  warned  restored  signed   rate
------------------------------------------------------------------------------
2026-11-26    20  12000   95.1%             0       0         0       -      -
2026-11-27   600      0    4.7%             7     120         1  120000  0.50%
2026-11-28     0     20    0.2%             0       0         0       0      -
------------------------------------------------------------------------------
total        620  12020  100.0%             7     120         1  120000  0.52%
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days that are summed; nobody changes anything."""
    folder = tmp_path_factory.mktemp("stats")
    configured(folder)
    start_once(folder)

    async def enter() -> None:
        database = Database(load(folder).storage_url)
        await database.open()
        for days, counts in DAYS.items():
            day = NOW.date() - days * DAY
            await database.write(lambda c, day=day, counts=counts: rates.close(c, day, made(day, counts)))
        signed = {("enwiki", NOW.date() - DAY): 120000}
        await database.write(lambda c: rates.add_signed(c, "node1", signed))
        await database.close()

    asyncio.run(enter())
    return folder


DONE = ["unconfirmed", "submitted", "warned", "restored", "would_unconfirm", "would_warn"]
Counts = dict[What, list[tuple[str, str, bool, int]]]
DAYS: dict[int, Counts] = {
    2: {
        What.CATEGORY: [("enwiki", "mailbox-full", False, 12000), ("dewiki", "user-unknown", True, 20)],
        What.PROVIDER: [("", "gmail.com", False, 12000), ("", FORMULA, True, 20)],
    },
    1: {
        What.CATEGORY: [("enwiki", "user-unknown", True, 600)],
        What.PROVIDER: [("", "yahoo.com", True, 600)],
        What.ACTION: [
            ("enwiki", "unconfirmed", False, 7),
            ("enwiki", "warned", False, 120),
            ("enwiki", "restored", False, 1),
            ("dewiki", "shadow unconfirm", False, 3),
        ],
    },
    0: {
        What.CATEGORY: [("enwiki", "from-an-older-version", False, 20)],
        What.PROVIDER: [("", "gmail.com", False, 20)],
    },
}


def made(day: date, counts: Counts) -> dict[What, list[Count]]:
    return {what: [Count(day, *one) for one in ones] for what, ones in counts.items()}


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "now", lambda: NOW)


def stats(folder: Path, *words: str) -> str:
    result = say(folder, "stats", *words)
    assert result.exit_code == 0, result.output
    return result.stdout_bytes.decode()


def test_the_table_of_days_fits_a_terminal(folder: Path) -> None:
    text = stats(folder, "--since", "2026-11-26")
    assert text.startswith(GOLDEN)
    assert "Shadow mode would have un-confirmed 3 and warned 0; `shadow report` says whom.\n" in text
    assert max(map(len, text.splitlines())) <= 80


def test_it_says_where_its_knowledge_begins(folder: Path) -> None:
    text = stats(folder)
    assert text.startswith("Bounces by day, 2026-10-30 to 2026-11-28 (UTC)\n")
    assert "Nothing is known of the time before 2026-11-26.\n" in text


def test_categories_come_with_their_meaning_as_far_as_there_is_room(folder: Path) -> None:
    text = stats(folder, "--by", "category")
    assert re.search(r"^mailbox-full +0  12000   94\.9%  somebody will tidy up$", text, flags=re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 80


def test_the_others_are_in_one_row(folder: Path) -> None:
    rows = stats(folder, "--by", "provider", "--limit", "1").splitlines()
    assert [row.split()[:3] for row in rows if re.match("gmail|others|total", row)] == [
        ["gmail.com", "0", "12020"],
        ["others", "620", "0"],
        ["total", "620", "12020"],
    ]
    days = stats(folder, "--limit", "1").splitlines()
    assert [row.split()[0] for row in days if re.match(r"\d{4}|others", row)] == ["others", "2026-11-28"]


def test_one_wiki_alone(folder: Path) -> None:
    text = stats(folder, "--wiki", "enwiki", "--until", "2026-11-27", "--since", "2026-11-27")
    assert "total        600     0  100.0%             7     120         1  120000  0.50%\n" in text
    told = json.loads(stats(folder, "--by", "wiki", "--json"))
    assert [row["wiki"] for row in told["rows"]] == ["enwiki", "dewiki"]
    assert (told["rows"][1]["would_unconfirm"], told["rows"][1]["signed"]) == (3, None)
    assert (told["kept_since"], told["total"]["hard"]) == ("2026-11-26", 620)


def test_a_spreadsheet_reads_it_and_computes_nothing(folder: Path) -> None:
    text = stats(folder, "--by", "provider", "--csv")
    assert text.count("\r\n") == text.count("\n") == 4
    assert list(csv.DictReader(io.StringIO(text, newline=""))) == [
        {"provider": "gmail.com", "hard": "0", "soft": "12020"},
        {"provider": "yahoo.com", "hard": "600", "soft": "0"},
        {"provider": f"'{FORMULA}", "hard": "20", "soft": "0"},
    ]


def test_the_columns_of_a_spreadsheet_keep_their_names(folder: Path) -> None:
    rows = list(csv.reader(io.StringIO(stats(folder, "--csv", "--since", "2026-11-27"), newline="")))
    assert rows == [
        [
            "day",
            "hard",
            "soft",
            "unconfirmed",
            "submitted",
            "warned",
            "restored",
            "would_unconfirm",
            "would_warn",
            "signed",
            "rate",
        ],
        ["2026-11-27", "600", "0", "7", "0", "120", "1", "3", "0", "120000", "0.005"],
        ["2026-11-28", "0", "20", "0", "0", "0", "0", "0", "0", "0", ""],
    ]


@pytest.mark.parametrize("by", ["day", "provider", "category", "wiki"])
def test_the_picture_is_alone_and_told_in_words(folder: Path, tmp_path: Path, by: str) -> None:
    assert stats(folder, "--by", by, "--svg", str(tmp_path / "it.svg")) == ""
    text = (tmp_path / "it.svg").read_text("utf-8")
    assert stats(folder, "--by", by, "--svg", "-") == text, "the same numbers make the same picture"
    root = ElementTree.fromstring(text)
    assert {str(element.tag).rpartition("}")[2] for element in root.iter()}.isdisjoint({"script", "image"})
    assert set(re.findall(r"https?:[^\"' <]*", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|url\(|<\?xml-stylesheet|href=", text)
    named = {element.get("id"): element.text for element in root.iter()}
    title, about = (named[one] for one in root.attrib["aria-labelledby"].split())
    assert title == f"Bounces by {by}, 2026-10-30 to 2026-11-28"
    assert about == f"620 hard and 12020 soft bounces, 2026-10-30 to 2026-11-28, by {by}."
    assert "@media (prefers-color-scheme: dark)" in text


def test_a_history_without_anything_says_so(tmp_path: Path) -> None:
    configured(tmp_path)
    start_once(tmp_path)
    assert "No bounce and no action is known of that time.\n" in stats(tmp_path)
    assert stats(tmp_path, "--csv").count("\n") == 1
    ElementTree.fromstring(stats(tmp_path, "--svg", "-"))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--csv", "--json"], "--csv, --json and --svg: one of them"),
        (["--by", "provider", "--wiki", "enwiki"], "for all wikis together"),
        (["--since", "2026-11-20", "--until", "2026-11-19"], "--since is later than --until"),
        (["--wiki", "nowiki"], "--wiki must be one of: enwiki"),
        (["--svg", "/proc/none/it.svg"], "/proc/none/it.svg: "),
    ],
)
def test_what_cannot_be_is_refused(folder: Path, words: list[str], why: str) -> None:
    result = say(folder, "stats", *words)
    assert result.exit_code == 2
    assert why in result.stderr
