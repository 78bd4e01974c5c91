"""The judgement: which rule speaks, what may never count, and how a table is refused."""

import pytest

from sidecar.domain.classify import HARD_CAPABLE, Category, RuleBook, RuleError, Verdict, problems
from sidecar.domain.report import Report, ReportAction

from .rulebook import FILES, shipped

BOOK = shipped()

USER = (
    "u.toml",
    '[[rule]]\nid = "u"\ncategory = "user-unknown"\ntext = "user unknown"\nsamples = [" | User unknown"]\n',
)
CODE = (
    "c.toml",
    '[[rule]]\nid = "c"\ncategory = "mailbox-full"\nstatus = "x.2.2"\nsamples = ["5.2.2 | "]\n',
)


def failed(diagnostic: str = "", **more: str) -> Report:
    return Report(
        address=more.get("address", "a@example.org"),
        action=ReportAction(more.get("action", "failed")),
        status=more.get("status", ""),
        reply=more.get("reply", ""),
        diagnostic=diagnostic,
        remote_mta=more.get("remote_mta", ""),
    )


def test_the_verdict_names_its_rule_and_the_words() -> None:
    report = failed("550 <a@example.org>: User Unknown here", status="5.2.2")
    assert RuleBook.parse(USER, CODE).judge(report) == Verdict(
        Category.USER_UNKNOWN, True, "u", "User Unknown"
    )


def test_of_a_code_the_words_are_the_code() -> None:
    assert RuleBook.parse(CODE).judge(failed("550 Ni!", status="5.2.2")).words == "5.2.2"


def test_the_earlier_file_wins() -> None:
    book = RuleBook.parse(USER, CODE)
    assert RuleBook.parse(CODE, then=RuleBook.parse(USER)).rules == book.rules[::-1]
    assert book.judge(failed("User unknown", status="5.2.2")).rule == "u"


@pytest.mark.parametrize("status", ["", "5.0.0", "5.9.9"])
def test_nothing_matched_is_soft(status: str) -> None:
    report = failed("550 Ni!", status=status, reply="550")
    assert BOOK.judge(report) == Verdict(Category.UNDEFINED, False, "")


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_success_is_no_failure_whatever_its_words(action: str) -> None:
    report = failed("550 5.1.1 User unknown", status="5.1.1", action=action)
    assert BOOK.judge(report) == Verdict(Category.UNDEFINED, False, "")


def test_a_status_of_success_is_no_failure() -> None:
    assert not BOOK.judge(failed("User unknown", status="2.1.5")).hard


HARD = [
    failed("550 5.1.1 User unknown", status="5.1.1", reply="550"),
    failed("550 No such user here", status="5.0.0", reply="550"),
    failed("", status="5.1.1"),
    failed("550 5.1.1 User unknown", status="5.1.1", reply="550", action="unstated"),
    failed("responded with code NXDOMAIN Domain name not found: example.org", status="4.0.0"),
    failed("Name service error for name=example.org type=A: Host not found", status="5.4.4"),
    failed("Name service error for name=mx.example.org type=A: Host not found", status="5.4.4"),
    failed("550 <a@example.org>: User unknown", status="5.0.0", reply="550", remote_mta="lsean.ezweb.ne.jp"),
    failed("550 5.1.1 <full.spam-policy@example.org>: User unknown", status="5.1.1", reply="550"),
    failed(
        "550 5.1.1 User unknown, see https://example.org/policy/quota/blocked", status="5.1.1", reply="550"
    ),
    failed(
        "host spam.quota.example.org[192.0.2.1] said: 550 5.1.1 User unknown", status="5.1.1", reply="550"
    ),
    failed("550 a@example.org...User unknown", status="5.0.0", reply="550"),
    failed("The remote mail server said: user not found", status="5.0.0", reply="550"),
    failed("550 Der Benutzer wurde auf diesem Server nicht gefunden", status="5.0.0", reply="550"),
    failed("550 a@example.org was not found in LDAP server", status="5.0.0", reply="550"),
    failed("550 Utente inesistente su questo server", status="5.0.0", reply="550"),
    failed("550 5.1.1 <a@example.org>: Ni!", status="5.1.1", reply="550"),
    failed("550 a@relay.example.net: no such user", status="5.0.0", reply="550"),
    failed("550 no such user, ask help@example.net about a@example.org", status="5.0.0", reply="550"),
    failed("550 5.1.6 User has moved to a@example.net", status="5.1.6", reply="550"),
    failed("User Ann Lee/ACME@ACME not listed in Domino Directory", status="5.1.1"),
]
SOFT = [
    failed("550 5.1.1 User unknown", status="5.1.1", reply="550", action="delayed"),
    failed("450 4.1.1 User unknown", status="4.1.1", reply="450"),
    failed("450 User unknown", status="5.0.0", reply="450"),
    failed("User unknown", status="4.1.1"),
    failed("550 5.1.1 User unknown or mailbox over quota", status="5.1.1", reply="550"),
    failed("550 5.1.1 User unknown, rejected by local policy", status="5.1.1", reply="550"),
    failed("550 5.1.1 Sender address rejected: User unknown", status="5.1.1", reply="550"),
    failed("550 5.1.1 Mailbox full", status="5.1.1", reply="550"),
    failed("550 Unknown user", status="5.1.1", reply="550", remote_mta="mfsmax.docomo.ne.jp"),
    failed("550 Unknown user", status="5.1.1", reply="550", address="a@docomo.ne.jp"),
    failed("550 <>: User unknown", status="5.0.0", reply="550", remote_mta="lsean.ezweb.ne.jp"),
    failed("550 User unknown (in reply to end of DATA command)", status="5.0.0", reply="550"),
    failed("Name service error for name=example.org type=MX: Host not found, try again", status="4.4.3"),
    failed("Name service error for name=example.org type=MX: Host not found, try again", status="5.4.4"),
    # The host that is not found is our own relay.
    failed("Name service error for name=relay.example.net type=A: Host not found", status="5.4.4"),
    failed("Name service error for name=org type=A: Host not found", status="5.4.4"),
    failed("Name service error for name=notexample.org type=A: Host not found", status="5.4.4"),
    failed("Name service error for name=example.org type=A: Host not found", status="5.4.4", address=""),
    # A status that the reporting server made of a reply without one.
    failed("550 Ni!", status="5.1.1", reply="550"),
    failed("553 Ni!", status="5.1.3", reply="553"),
    # Another domain than the recipient's: it may be ours.
    failed("550 wiki.example.com has no MX", status="5.0.0", reply="550"),
    failed("550 no MX record for wiki.example.com", status="5.0.0", reply="550"),
    failed("550 no such host: mail.wiki.example.com", status="5.0.0", reply="550"),
    failed("550 Unknown host mail.wiki.example.com", status="5.0.0", reply="550"),
    # What they do not accept, and not that they accept nothing.
    failed("550 This server does not accept mail that is not signed", status="5.0.0", reply="550"),
    failed("550 This host accepts no mail over IPv6", status="5.0.0", reply="550"),
    failed("550 Please try the other server", status="5.0.0", reply="550"),
    failed("550 Mailbox locked by another process", status="5.2.1", reply="550"),
    # Somebody or something else is not there: who wrote, our host, their server, their files, the mail.
    failed("550 The originating mailbox does not exist", status="5.0.0", reply="550"),
    failed("550 Die Senderadresse existiert nicht", status="5.0.0", reply="550"),
    failed("550 cannot resolve address 192.0.2.1", status="5.0.0", reply="550"),
    failed("550 The recipient's server could not be found", status="5.0.0", reply="550"),
    failed("554 user profile not found", status="5.0.0", reply="554"),
    failed("550 Mail for this user was deleted", status="5.0.0", reply="550"),
    # Codes that speak of the recipient, beside other reasons in other languages.
    failed("550 5.1.1 Ihr Server steht auf einer Sperrliste", status="5.1.1", reply="550"),
    failed("550 5.1.1 Accès refusé", status="5.1.1", reply="550"),
    failed("550 5.1.1 Brak miejsca w skrzynce", status="5.1.1", reply="550"),
    failed("550 5.1.1 Письмо похоже на спам", status="5.1.1", reply="550"),
    failed("", status="5.7.1"),
    failed("", status="5.4.4"),
    failed("", status="5.2.2"),
]  # fmt: skip


@pytest.mark.parametrize("report", HARD, ids=lambda report: report.diagnostic or report.status)
def test_hard_is_what_is_permanent_and_the_recipients_own(report: Report) -> None:
    assert BOOK.judge(report).hard


@pytest.mark.parametrize("report", SOFT, ids=lambda report: report.diagnostic or report.status)
def test_in_doubt_it_is_soft(report: Report) -> None:
    assert not BOOK.judge(report).hard


VETOED = [
    (failed("550 User unknown", action="delayed"), "only-delayed"),
    (failed("450 User unknown", reply="450"), "class-4"),
    (failed("unable to look up host relay.example.net: host not found"), "another-host"),
    (failed("DNS lookup failure: host relay.example.net not found"), "another-host"),  # dma
    (failed("550 wiki@wiki.example.com: no such user"), "another-address"),
    (failed("550 <b@example.net> account is disabled"), "another-address"),
    (failed("550 No such user, for we are full"), "veto-quota"),
]


@pytest.mark.parametrize(("report", "veto"), VETOED, ids=[veto for _, veto in VETOED])
def test_a_veto_is_named(report: Report, veto: str) -> None:
    verdict = BOOK.judge(report)
    assert verdict.category in HARD_CAPABLE
    assert (verdict.hard, verdict.veto) == (False, veto)


@pytest.mark.parametrize("category", sorted(set(Category) - {Category.FORWARDED}))
def test_no_rule_and_no_setting_makes_another_category_hard(category: Category) -> None:
    rule = f'[[rule]]\nid = "mine"\ncategory = "{category}"\nreply = "5xx"\nsamples = ["5.0.0 | 550 no"]\n'
    book = RuleBook.parse(("mine", rule))
    report = failed("550 no", reply="550")
    assert book.judge(report).hard == (category in HARD_CAPABLE)
    assert book.judge(report, frozenset(Category)).hard == (category in HARD_CAPABLE)
    assert not book.judge(report, frozenset(Category) - {category}).hard


def test_only_what_may_count_counts() -> None:
    report = failed("550 5.2.1 Mailbox disabled", status="5.2.1", reply="550")
    assert BOOK.judge(report).hard
    verdict = BOOK.judge(report, HARD_CAPABLE - {Category.MAILBOX_DISABLED})
    assert (verdict.category, verdict.hard) == (Category.MAILBOX_DISABLED, False)


def test_a_phrase_goes_on_across_the_lines_of_a_reply() -> None:
    words = "550-5.1.1 The email account that you tried to reach does 550-5.1.1 not exist. 550 5.1.1 Bye"
    assert BOOK.judge(failed(words, status="5.0.0", reply="550")).rule == "user-does-not-exist"


RULE = 'id = "a"\ncategory = "blocked"\n'
BAD = [
    ("[[rule]", "mine is not TOML"),
    ("[rule]\n", "mine: rules are written [[rule]]"),
    ("rule = 1\n", "mine: rules are written [[rule]]"),
    ("veto = 1\n", "mine: vetos are written [[veto]]"),
    ("[[rules]]\n", "mine: unknown table or key 'rules'"),
    ("[[rule]]\n", "mine: rule 1: id must be"),
    ('[[rule]]\nid = "A b"\n', "mine: rule 1: id must be"),
    (
        '[[rule]]\nid = "a"\ncategory = "bad"\ntext = "b"\nsamples = [" | b"]',
        "mine: rule a: 'bad' is not a valid",
    ),
    (f"[[rule]]\n{RULE}", "rule a: needs samples"),
    (
        '[[rule]]\nid = "a"\ncategory = "forwarded"\ntext = "b"\nsamples = [" | b"]',
        "rule a: category 'forwarded'",
    ),
    (f"[[rule]]\n{RULE}samples = []", "rule a: needs samples"),
    (f'[[rule]]\n{RULE}samples = "b"', "rule a: samples must be a list"),
    (f'[[rule]]\n{RULE}samples = ["b"]', "rule a: sample 'b' has no '|'"),
    (f'[[rule]]\n{RULE}samples = [" | b"]', "rule a: needs text, status or reply"),
    (f'[[rule]]\n{RULE}text = 5\nsamples = [" | b"]', "rule a: text must be a list of strings"),
    (f'[[rule]]\n{RULE}text = ["b", ""]\nsamples = [" | b"]', "rule a: text holds an empty phrase"),
    (f'[[rule]]\n{RULE}text = "("\nsamples = [" | b"]', "rule a: text is no regular expression"),
    (f'[[rule]]\n{RULE}text = "(b+)+"\nsamples = [" | b"]', "rule a: text repeats without end"),
    (f'[[rule]]\n{RULE}text = "(b){{2,9}}"\nsamples = [" | b"]', "rule a: text repeats a group"),
    (f'[[rule]]\n{RULE}text = "b{{2,}}"\nsamples = [" | b"]', "rule a: text repeats without end"),
    (
        f'[[rule]]\n{RULE}text = "b{{0,99}}b{{0,99}}b{{0,99}}"\nsamples = [" | b"]',
        "rule a: text can match in more",
    ),
    (
        f'[[rule]]\n{RULE}text = "{"|".join(["b{0,99}b{0,99}c"] * 80)}"\nsamples = [" | b"]',
        "rule a: text can match in more",
    ),
    (
        f'[[rule]]\n{RULE}text = "{"(?:b|bb|bbb|bbbb)" * 50}"\nsamples = [" | b"]',
        "rule a: text can match in more",
    ),
    (
        f'[[rule]]\n{RULE}text = "{"(" * 900}b{")" * 900}"\nsamples = [" | b"]',
        "rule a: text has more than 20",
    ),
    (f'[[rule]]\n{RULE}text = "b{{0,4294967295}}"\nsamples = [" | b"]', "rule a: text is no regular"),
    (f'[[rule]]\n{RULE}text = "[[b]"\nsamples = [" | b"]', "rule a: text has '[[b]'; in a set"),
    (f'[[rule]]\n{RULE}text = "[{"b" * 300}]"\nsamples = [" | b"]', "rule a: text has a set without end"),
    (f"a = {'[' * 2000}\n", "mine is not TOML: nested too deeply"),
    (f"a = {'9' * 5000}\n", "mine is not TOML: a number has too many digits"),
    (f"[[rule]]\n{RULE}text = '(b)\\1'\nsamples = [\" | b\"]", "rule a: text refers back"),
    (f'[[rule]]\n{RULE}text = "(?\ufeff)b"\nsamples = [" | b"]', "unknown extension ?\\ufeff"),
    (f'[[rule]]\n{RULE}text = "(?s)b"\nsamples = [" | b"]', "rule a: text uses '(?s'"),
    (f'[[rule]]\n{RULE}text = "{"b" * 3000}"\nsamples = [" | b"]', "rule a: text is longer"),
    (f'[[rule]]\n{RULE}status = "511"\nsamples = [" | b"]', "rule a: status '511' is not of the form"),
    (f'[[rule]]\n{RULE}reply = "5.1"\nsamples = [" | b"]', "rule a: reply '5.1' is not of the form"),
    (f'[[rule]]\n{RULE}text = "b"\nprovider = ["B"]\nsamples = [" | b"]', "rule a: provider 'B' is no"),
    (f'[[rule]]\n{RULE}text = "b"\ncertain = true\nsamples = [" | b"]', "rule a: only a text may be certain"),
    (f'[[rule]]\n{RULE}text = "b"\nunnamed = 1\nsamples = [" | b"]', "rule a: unnamed must be true or false"),
    (f'[[rule]]\n{RULE}text = "c"\nsamples = [" | b"]', "rule a: does not match its own sample ' | b'"),
    (f'[[rule]]\n{RULE}text = "b"\nhard = true\nsamples = [" | b"]', "rule a: unknown key 'hard'"),
    (f"{USER[1]}{USER[1]}", "mine: rule u: the id is taken, in mine"),
    ('[[veto]]\nid = "v"\nsamples = [" | b"]\n', "mine: veto v: needs text"),
    ('[[veto]]\nid = "v"\ntext = "c"\nsamples = [" | b"]\n', "mine: veto v: does not match its own sample"),
]


@pytest.mark.parametrize(("text", "words"), BAD, ids=[words for _, words in BAD])
def test_a_bad_rule_file_says_which_file_which_rule_and_why(text: str, words: str) -> None:
    with pytest.raises(RuleError) as refused:
        RuleBook.parse(("mine", text))
    assert words in str(refused.value)
    assert str(refused.value).startswith("mine")


def test_all_problems_are_told_at_once() -> None:
    second = ("b.toml", f"{USER[1]}[[rule]]\n")
    wrong = problems(USER, second)
    assert wrong[0].startswith("b.toml: rule u: the id is taken, in u.toml")
    assert wrong[1].startswith("b.toml: rule 2: id must be")
    assert problems(USER, CODE) == []


def test_a_sample_that_another_rule_takes_is_refused() -> None:
    mine = (
        "mine.toml",
        '[[rule]]\nid = "m"\ncategory = "spam"\ntext = "unknown"\nsamples = [" | User unknown"]\n',
    )
    assert problems(USER, mine) == ["mine.toml: rule m: sample ' | User unknown' reaches rule 'u' first"]
    assert problems(mine, then=BOOK) == []


def test_an_operators_rule_stands_before_the_built_in_ones() -> None:
    mine = (
        "mine",
        '[[rule]]\nid = "m"\ncategory = "spam"\ntext = "user unknown"\nsamples = [" | User unknown"]',
    )
    book = RuleBook.parse(mine, then=BOOK)
    assert book.judge(failed("550 User unknown", status="5.1.1")).rule == "m"
    assert len(book.rules) == len(BOOK.rules) + 1
    taken = ("mine", mine[1].replace('"m"', f'"{BOOK.rules[0].id}"'))
    assert problems(taken, then=BOOK) == [
        f"mine: rule {BOOK.rules[0].id}: the id is taken by a built-in rule"
    ]


def test_the_shipped_table_has_no_problem() -> None:
    assert problems(*FILES) == []
