"""What stands in a folder of advisories is found for the versions that it is about, and for no others."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from packaging.version import InvalidVersion

from tests import audit
from tests.support.advisories import Advisories, NoAdvisories
from tests.support.advisory_window import AdvisoryWindow

#: As the list spells them: some in quotes, one range out of order, one name as its author writes it.
RECORDS = {
    "listed": ("mail-reader", "versions: [1.0.0, '1.10', 0.9-gyarados]"),
    "fixed": ("mail-reader", "ranges: [{type: ECOSYSTEM, events: [{introduced: '0'}, {fixed: 2.0.1}]}]"),
    "again": (
        "mail-reader",
        "ranges: [{type: ECOSYSTEM, events: "
        "[{fixed: '5.2'}, {introduced: '5'}, {fixed: '4.1'}, {introduced: '4'}]}]",
    ),
    "last": (
        "mail-reader",
        "ranges: [{type: ECOSYSTEM, events: [{introduced: 8.0.0}, {last_affected: 8.0.5}]}]",
    ),
    "commits": (
        "mail-reader",
        "ranges: [{type: GIT, repo: r, events: [{introduced: '0'}, {fixed: 43a9c9b}]}]",
    ),
    "both": (
        "mail-reader",
        "versions: ['20']\n- package: {name: mail-writer, ecosystem: PyPI}\n  versions: ['21']",
    ),
    "elsewhere": ("mail-writer", "ranges: [{type: ECOSYSTEM, events: [{introduced: '0'}]}]"),
    "spelled": ("Zope.Interface_x", "ranges: [{type: ECOSYSTEM, events: [{introduced: '0'}, {fixed: '3'}]}]"),
    "odd": ("odd", "ranges: [{type: ECOSYSTEM, events: [{introduced: '0'}, {fixed: 0.2.0-n653}]}]"),
    "taken back": (
        "mail-reader",
        "ranges: [{type: ECOSYSTEM, events: [{introduced: '0'}]}]\nwithdrawn: '2024-02-01'",
    ),
}
DAYS = {"listed": "2023-05-04T04:29:29.797493Z", "taken back": "2024-02-01T00:00:00Z"}

FOUND = {
    ("mail-reader", "0.dev1"): ["fixed"],  # "0" is before all versions
    ("mail-reader", "1.0"): ["fixed", "listed"],  # 1.0.0 is the same version
    ("mail-reader", "1.1"): ["fixed"],  # ... and 1.10 another one
    ("mail-reader", "1.10"): ["fixed", "listed"],
    ("mail-reader", "2.0.1rc1"): ["fixed"],
    ("mail-reader", "2.0.1"): [],
    ("mail-reader", "3"): [],
    ("mail-reader", "4.0"): ["again"],
    ("mail-reader", "4.1"): [],
    ("mail-reader", "5.1.9"): ["again"],
    ("mail-reader", "5.2"): [],
    ("mail-reader", "7.9"): [],
    ("mail-reader", "8"): ["last"],
    ("mail-reader", "8.0.5"): ["last"],
    ("mail-reader", "8.0.5+debian1"): ["last"],
    ("mail-reader", "8.0.6"): [],
    ("mail-reader", "20"): ["both"],
    ("mail-reader", "21"): [],
    ("mail-writer", "21"): ["both", "elsewhere"],
    ("Mail_Reader", "8.0.1"): ["last"],
    ("zope-interface-x", "2.9"): ["spelled"],
    ("zope.interface.x", "3.0"): [],
    ("unheard-of", "1"): [],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, (package, affected) in RECORDS.items():
        what, _, end = affected.partition("\n")
        path = tmp_path / "vulns" / package.lower() / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"id: {name}\nmodified: {DAYS.get(name, '2022-01-01T00:00:00Z')}\n"
            f"affected:\n- package: {{name: {package}, ecosystem: PyPI}}\n  {what}\n{end}\n"
        )
    return tmp_path


def ask(url: str, question: Any) -> Any:
    with urllib.request.urlopen(url, json.dumps(question).encode(), timeout=10) as answer:
        return json.load(answer)


def test_a_version_is_affected_where_it_is_listed_or_within_a_range(folder: Path) -> None:
    list_ = Advisories(folder)
    found = {asked: sorted(one["id"] for one in list_.about(*asked)) for asked in FOUND}
    assert found == FOUND


def test_what_was_withdrawn_counts_only_for_the_day_of_the_list(folder: Path) -> None:
    list_ = Advisories(folder)
    assert (list_.count, list_.newest) == (len(RECORDS) - 1, DAYS["taken back"])


def test_a_range_whose_bound_is_no_version_is_not_taken_for_clean(folder: Path) -> None:
    with pytest.raises(InvalidVersion):
        Advisories(folder).about("odd", "1.0")


def test_it_is_asked_and_answers_as_osv(folder: Path) -> None:
    with AdvisoryWindow(Advisories(folder)) as window:
        query = {"package": {"name": "zope-interface-x", "ecosystem": "PyPI"}, "version": "2.9"}
        [found] = ask(window.url, query)["vulns"]
        none = ask(window.url, {**query, "version": "3"})
        for version in ("x", None):
            with pytest.raises(urllib.error.HTTPError, match="400"):
                ask(window.url, {**query, "version": version})
    assert found == {
        "id": "spelled",
        "modified": "2022-01-01T00:00:00Z",
        "affected": [
            {
                "package": {"name": "zope-interface-x", "ecosystem": "PyPI"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3"}]}],
            }
        ],
    }
    assert none == {"vulns": []}
    assert window.asked == {"zope-interface-x"}


NO_LIST = {
    "no such folder": None,
    "no record": "",
    "not YAML": "affected: [",
    "not a record": "- one",
    "half a record": "id: x\nmodified: '2022-01-01T00:00:00Z'\n",
}


@pytest.mark.parametrize("text", NO_LIST.values(), ids=NO_LIST)
def test_what_is_no_list_is_refused_and_never_clean(
    text: str | None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "vulns" / "x"
    if text is not None:
        place.mkdir(parents=True)
    if text:
        (place / "PYSEC-1.yaml").write_text(text)
    with pytest.raises(NoAdvisories):
        Advisories(tmp_path)
    assert audit.main([str(tmp_path)]) == 2
    assert str(tmp_path) in capfd.readouterr().err
