"""classify and rules: what a mail is, which rule says so, and what is wrong with a rule, without a set-up."""

import json
import mailbox
from pathlib import Path

import pytest

from sidecar.cli.classify import KINDS
from sidecar.domain.notice import Kind
from sidecar.recorded import names, recorded
from tests.support.desk import NEW_RULE, STRANGE, say
from tests.support.practice import configured

HARD, AUTO_REPLY = recorded("postfix/01-no-such-user"), recorded("exim/18-auto-reply")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Mails, and no configuration."""
    (tmp_path / "hard.eml").write_bytes(HARD.raw)
    (tmp_path / "strange.eml").write_bytes(STRANGE)
    return tmp_path


def rule(folder: Path, text: str) -> Path:
    """A configuration with a rule of one's own."""
    configured(folder)
    (folder / "rules.d").mkdir()
    file = folder / "rules.d" / "own.toml"
    file.write_text(text)
    return file


def test_a_mail_is_told_with_its_rule_and_the_words(folder: Path) -> None:
    result = say(folder, "classify", str(folder / "hard.eml"))
    assert (result.exit_code, result.stdout) == (
        0,
        f"{folder}/hard.eml: bounce\n"
        f"  {HARD.recipient}  hard  user-unknown  5.1.1  550\n"
        "    rule user-unknown, on: User unknown\n",
    )


def test_what_no_rule_knows_is_soft_and_shows_its_words(folder: Path) -> None:
    result = say(folder, "classify", str(folder / "strange.eml"))
    assert (
        "  soft  undefined  5.0.0  550\n    no rule matched: 550 zzyzx frobnicated the gizmo\n"
        in result.stdout
    )


def test_json_has_all_of_it(folder: Path) -> None:
    [mail] = json.loads(say(folder, "classify", "--json", str(folder / "hard.eml")).stdout)
    [report] = mail["reports"]
    assert (mail["kind"], mail["decision"]) == ("bounce", "hard")
    assert report.pop("diagnostic").startswith("550 5.1.1 ")
    assert report == {
        "address": HARD.recipient, "action": "failed", "status": "5.1.1", "reply": "550", "veto": "",
        "category": "user-unknown", "decision": "hard", "rule": "user-unknown", "words": "User unknown",
    }  # fmt: skip


def test_a_mail_on_standard_input_and_archives_of_every_form_are_read(folder: Path) -> None:
    maildir, mbox = mailbox.Maildir(folder / "Maildir"), mailbox.mbox(folder / "old.mbox")
    for box in (maildir, mbox):
        box.add(HARD.raw)
        box.flush()
    for path, stdin in ((folder / "Maildir", None), (folder / "old.mbox", None), ("-", HARD.raw)):
        [mail] = json.loads(say(folder, "classify", "--json", str(path), stdin=stdin).stdout)
        assert mail["reports"][0]["address"] == HARD.recipient


def test_what_is_in_a_mail_does_nothing_to_a_terminal(folder: Path) -> None:
    raw = STRANGE.replace(b"frobnicated", b"\x1b[31mfrob").replace(
        b"remote.example\nAction", b"a[b]\x9b2J\nAction"
    )
    shown = say(folder, "classify", "-", stdin=raw).stdout
    assert "frob" in shown
    assert not {*shown} & {"\x1b", "\x9b"}


def test_a_path_that_is_not_there_and_no_path_are_wrong_usage(folder: Path) -> None:
    assert say(folder, "classify", str(folder / "nowhere")).exit_code == 2
    assert say(folder, "classify").exit_code == 2
    assert say(folder, "classify", "--batch", "x").exit_code == 2


def test_a_batch_answers_line_by_line_and_last_says_how_long_it_took(folder: Path) -> None:
    lines = f"a\t{folder}/hard.eml\nb\t{folder}/nowhere\nc\t{folder}/auto reply\n"
    (folder / "auto reply").write_bytes(AUTO_REPLY.raw)
    answers = [
        json.loads(line)
        for line in say(folder, "classify", "--batch", stdin=lines.encode()).stdout.splitlines()
    ]
    assert [(a["id"], a["kind"], a["decision"]) for a in answers[:-1]] == [
        ("a", "bounce", "hard"), ("b", "none", "none"), ("c", "auto-reply", "none"),
    ]  # fmt: skip
    assert [(r["address"], r["status"], r["decision"]) for r in answers[0]["recipients"]] == [
        (HARD.recipient, "5.1.1", "hard")
    ]
    assert "error" in answers[1]
    assert answers[-1]["_timing"]["n"] == 2
    assert answers[-1]["_timing"]["seconds"] > 0


def test_every_kind_has_a_word_in_the_batch() -> None:
    assert set(KINDS) == set(Kind)


@pytest.mark.parametrize("name", list(names()))
def test_recorded_mails_are_what_they_were_recorded_as(folder: Path, name: str) -> None:
    mail = recorded(name)
    [answer] = json.loads(say(folder, "classify", "--json", "-", stdin=mail.raw).stdout)
    assert (answer["kind"], answer["decision"] == "hard") == (mail.kind, mail.hard)


def test_a_rule_of_ones_own_is_tried_first(folder: Path) -> None:
    rule(folder, NEW_RULE)
    [mail] = json.loads(say(folder, "classify", "--json", str(folder / "strange.eml")).stdout)
    assert (mail["decision"], mail["reports"][0]["rule"]) == ("hard", "frobnicated")


def test_built_in_leaves_ones_own_rules_out_even_bad_ones(folder: Path) -> None:
    rule(folder, "[[rule]]\n")
    result = say(folder, "classify", "--built-in", str(folder / "strange.eml"))
    assert (result.exit_code, "no rule matched" in result.stdout) == (0, True)


@pytest.mark.slow
def test_neither_needs_the_secrets(folder: Path) -> None:
    rule(folder, NEW_RULE)
    (folder / "verp.keys").unlink()
    assert say(folder, "classify", str(folder / "strange.eml")).exit_code == 0
    assert say(folder, "rules", "check").exit_code == 0


@pytest.mark.slow
def test_good_rules_are_called_good(folder: Path) -> None:
    file = rule(folder, NEW_RULE)
    for words in ((), (str(file),), (str(file.parent),)):
        result = say(folder, "rules", "check", *words)
        assert (result.exit_code, result.stdout.startswith("good: 1 rules of your own, ")) == (0, True)


@pytest.mark.slow
def test_every_problem_is_told_with_file_rule_and_reason(folder: Path) -> None:
    file = rule(folder, NEW_RULE.replace("user-unknown", "no-such") + NEW_RULE.replace("gizmo\\b", "gizmo["))
    (file.parent / "z.toml").write_bytes(b"\xff")
    result = say(folder, "rules", "check")
    assert result.exit_code == 1
    problems = result.stderr.splitlines()
    assert all(problem.startswith(str(file.parent)) for problem in problems)
    assert sum("rule frobnicated: " in problem for problem in problems) >= 2
    assert f"{file.parent}/z.toml: cannot be read: not UTF-8" in problems
    assert json.loads(say(folder, "rules", "check", "--json").stdout) == problems
    for words in (("rules", "list"), ("classify", "-")):
        assert say(folder, *words, stdin=STRANGE).exit_code == 78
    for words in (("check-config",), ("run",), ("replay", str(folder / "hard.eml"))):
        refused = say(folder, *words)
        assert (refused.exit_code, refused.stderr.splitlines()) == (78, problems)


@pytest.mark.slow
def test_the_list_names_each_rule_its_category_and_its_file_in_the_order_of_trying(folder: Path) -> None:
    file = rule(folder, NEW_RULE)
    entries = json.loads(say(folder, "rules", "list", "--json").stdout)
    assert entries[0] == {"id": "frobnicated", "category": "user-unknown", "hard": True, "file": str(file)}
    assert {entry["hard"] for entry in entries if entry["category"] == "mailbox-full"} == {False}
    assert len({entry["id"] for entry in entries}) == len(entries)
    assert "frobnicated" in say(folder, "rules", "list").stdout


@pytest.mark.slow
def test_without_any_configuration_the_built_in_rules_are_listed(tmp_path: Path) -> None:
    assert "mailbox-full" in say(tmp_path, "rules", "list").stdout


def test_a_rules_folder_that_is_no_text_is_told(folder: Path) -> None:
    configured(folder)
    path = folder / "config.toml"
    path.write_text(path.read_text().replace(f'"{folder}/rules.d"', "7"))
    result = say(folder, "rules", "check")
    assert (result.exit_code, result.stderr) == (
        78,
        f"{path}: [rules] directory = 7: should be a valid string\n",
    )
