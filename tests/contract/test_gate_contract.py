"""The contract of gate mode: kept by the stand-in for BounceHandler, and by BounceHandler itself.

The real one is asked where BOUNCE_SIDECAR_BOUNCEHANDLER names a checkout of it (docs/testing.md). Knows the
port, BounceHandler's settings and the wiki's own database. What the gate does wrong is written down, too.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar.domain.access import Adapter
from sidecar.domain.examination import Examinable, Step
from sidecar.domain.verp import BounceHandlerFormat, Verp
from sidecar.domain.wiki import (
    Action,
    Effect,
    Outcome,
    Wiki,
    WikiMisconfigured,
    WikiRefused,
    WikiUnavailable,
)
from tests.contract.bench import Mailbox, Mood
from tests.contract.wiki_words import (
    ADDRESS,
    CONFIRMED,
    LATER,
    MOODS,
    NOT_REPEATED,
    SENT,
    a_user,
    mistyped,
    refusal,
    restore,
    unconfirm,
    warn,
)
from tests.support.leaks import secret
from tests.support.mediawiki import MediaWiki
from tests.support.mediawiki_site import HERE, WIKI_ID
from wiki_adapter import Signer, WikiAccess
from wiki_adapter.bouncehandler_wiki import BounceHandlerWiki

STAND_IN = HERE / "BounceHandler"
REAL = os.environ.get("BOUNCE_SIDECAR_BOUNCEHANDLER", "")
SECRET = secret("a test's secret of the gate, 0123456789")
DOMAIN = "bounces.wiki.example.org"

SETTINGS = f"""\
$wgVERPsecret = {json.dumps(SECRET)};
$wgVERPalgorithm = 'sha256';
$wgVERPdomainPart = '{DOMAIN}';
$wgBounceRecordLimit = 1;
$wgBounceHandlerUnconfirmUsers = true;
$wgGenerateVERP = false;
"""

#: The others have to do with an account, a right, the companion extension, or with what only the job does.
MOODS_HERE = [Mood.READ_ONLY, Mood.LAGGED, Mood.HTTP_500, Mood.HTTP_503, Mood.HTTP_429, Mood.NOT_JSON]


def signer(
    secret: str = SECRET, wiki: str = WIKI_ID, age: timedelta = timedelta(0), prefix: str = "wiki"
) -> Signer:
    form = BounceHandlerFormat(prefix, DOMAIN, secret.encode(), "sha256")
    theirs = Verp((form,), [wiki], accept=timedelta(days=10))
    return Signer(
        lambda user: theirs.issue(wiki, user, "", datetime.now(UTC) - age), lambda: datetime.now(UTC)
    )


class GateContract:
    """A subclass brings the ``extension``'s folder."""

    @pytest.fixture
    def bench(self, mediawiki: MediaWiki, extension: Path) -> Iterator[MediaWiki]:
        """A wiki with BounceHandler, and without anything of ours."""
        self.configure(mediawiki, extension)
        with mediawiki.mood(Mood.NO_EXTENSION):
            yield mediawiki

    def configure(self, bench: MediaWiki, extension: Path, more: str = "") -> None:
        """BounceHandler as gate mode wants it, and *more* PHP."""
        load = f"wfLoadExtension( 'BounceHandler', '{extension}/extension.json' );"
        bench.configure(f"{load}\n{SETTINGS}\n{more}")

    @pytest.fixture
    def slept(self) -> list[float]:
        return []

    @pytest.fixture
    def wiki(self, bench: MediaWiki, slept: list[float]) -> Wiki:
        return self.signed_by(bench, signer(), slept)

    def signed_by(self, bench: MediaWiki, hand: Signer, slept: list[float]) -> Wiki:
        access = WikiAccess(bench.api_url, hand, "postmaster@wiki.example.org", Adapter.BOUNCEHANDLER)
        return BounceHandlerWiki(access, sleep=slept.append)

    def test_what_was_decided_is_done_when_the_wiki_runs_its_jobs(self, bench: MediaWiki, wiki: Wiki) -> None:
        user, other = a_user(bench), a_user(bench)
        assert wiki.perform(unconfirm(user)) == Outcome(Effect.SUBMITTED)
        assert bench.mailbox(user) == Mailbox(ADDRESS, CONFIRMED)
        bench.run_jobs()
        assert bench.mailbox(user) == Mailbox(ADDRESS, confirmed_at=None)
        assert bench.mailbox(other) == Mailbox(ADDRESS, CONFIRMED)

    def test_the_first_bounce_decides_and_so_does_each_that_follows(
        self, bench: MediaWiki, wiki: Wiki
    ) -> None:
        user = a_user(bench)
        assert [wiki.perform(unconfirm(user)).effect for _ in range(3)] == [Effect.SUBMITTED] * 3
        bench.run_jobs()
        assert bench.mailbox(user) == Mailbox(ADDRESS, confirmed_at=None)

    def test_a_confirmation_given_in_between_is_taken_by_a_repeated_call(
        self, bench: MediaWiki, wiki: Wiki
    ) -> None:
        user = a_user(bench)
        wiki.perform(unconfirm(user))
        bench.run_jobs()
        bench.confirm(user, LATER)
        wiki.perform(unconfirm(user))
        bench.run_jobs()
        assert bench.mailbox(user) == Mailbox(ADDRESS, confirmed_at=None)

    def test_the_address_of_the_moment_pays_whichever_it_is(self, bench: MediaWiki, wiki: Wiki) -> None:
        user = a_user(bench)
        bench.change_address(user, "new.place@mail.example.org")
        bench.confirm(user, LATER)
        wiki.perform(unconfirm(user))
        bench.run_jobs()
        assert bench.mailbox(user) == Mailbox("new.place@mail.example.org", confirmed_at=None)

    @pytest.mark.parametrize(
        "reason", ["", "line\r\n\r\nTo: x@y.example\nStatus: 4.0.0", "ü" * 999, "5.1.1 " * 99]
    )
    def test_no_reason_disturbs_the_report(self, bench: MediaWiki, wiki: Wiki, reason: str) -> None:
        user = a_user(bench)
        action = unconfirm(user)
        wiki.perform(type(action)(action.wiki, user, SENT, reason))
        bench.run_jobs()
        assert bench.mailbox(user).confirmed_at is None

    def test_a_user_who_does_not_exist_is_submitted_and_nothing_follows(
        self, bench: MediaWiki, wiki: Wiki
    ) -> None:
        assert wiki.perform(unconfirm(999_999)) == Outcome(Effect.SUBMITTED)
        bench.run_jobs()
        assert bench.logged("exception") == ""

    def test_a_bouncehandler_that_may_not_act_answers_the_same(
        self, bench: MediaWiki, wiki: Wiki, extension: Path
    ) -> None:
        self.configure(bench, extension, "$wgBounceHandlerUnconfirmUsers = false;")
        user = a_user(bench)
        assert wiki.perform(unconfirm(user)) == Outcome(Effect.SUBMITTED)
        bench.run_jobs()
        assert bench.mailbox(user) == Mailbox(ADDRESS, CONFIRMED)

    @pytest.mark.parametrize(
        "hand",
        [signer(secret="another secret, 0123456789"), signer(age=timedelta(days=4))],
        ids=["another secret", "too old"],
    )
    def test_what_is_not_believed_is_misconfigured(
        self, bench: MediaWiki, slept: list[float], hand: Signer
    ) -> None:
        user = a_user(bench)
        error = refusal(self.signed_by(bench, hand, slept), unconfirm(user), WikiMisconfigured, SECRET)
        assert "$wgVERPsecret" in str(error)
        assert bench.mailbox(user) == Mailbox(ADDRESS, CONFIRMED)

    def test_another_wikis_id_is_an_exception_of_the_wikis(
        self, bench: MediaWiki, slept: list[float]
    ) -> None:
        """BounceHandler looks the user up in a database of that name, before it answers."""
        wiki = self.signed_by(bench, signer(wiki="otherwiki"), slept)
        assert "internal_api_error_" in str(refusal(wiki, unconfirm(a_user(bench)), WikiUnavailable, SECRET))

    def test_a_host_that_is_not_internal_is_told_the_setting(
        self, bench: MediaWiki, wiki: Wiki, extension: Path
    ) -> None:
        replace = "$GLOBALS['wgBounceHandlerInternalIPs'] = [ '192.0.2.1' ];"  # not added to the default
        self.configure(bench, extension, f"$wgExtensionFunctions[] = static function () {{ {replace} }};")
        error = refusal(wiki, unconfirm(a_user(bench)), WikiMisconfigured)
        assert "$wgBounceHandlerInternalIPs" in str(error)

    def test_a_wiki_without_the_extension_is_told_which(self, bench: MediaWiki, wiki: Examinable) -> None:
        bench.configure("")
        error = refusal(wiki, unconfirm(a_user(bench)), WikiMisconfigured)
        assert "install the extension BounceHandler" in str(error)
        assert wiki.examine().done == {Step.ANSWER}

    def test_looking_at_it_submits_nothing(self, bench: MediaWiki, wiki: Examinable) -> None:
        user = a_user(bench)
        found = wiki.examine()
        bench.run_jobs()
        assert (found.done, found.trouble) == ({Step.ANSWER, Step.ACT}, None)
        assert found.about is not None
        assert found.about.wiki == WIKI_ID
        assert (bench.mailbox(user), bench.logged("exception")) == (Mailbox(ADDRESS, CONFIRMED), "")

    def test_a_private_wiki_is_told_that_nobody_logs_in(
        self, bench: MediaWiki, wiki: Wiki, extension: Path
    ) -> None:
        self.configure(bench, extension, "$wgGroupPermissions['*']['read'] = false;")
        error = refusal(wiki, unconfirm(a_user(bench)), WikiMisconfigured)
        assert "without a login" in str(error)

    @pytest.mark.parametrize("mood", MOODS_HERE)
    def test_a_mood_has_its_error_and_passes(
        self, bench: MediaWiki, wiki: Wiki, slept: list[float], mood: Mood
    ) -> None:
        user = a_user(bench)
        with bench.mood(mood):
            refusal(wiki, unconfirm(user), MOODS[mood])
        assert len(slept) == (0 if mood in NOT_REPEATED else 2)
        assert wiki.perform(unconfirm(user)) == Outcome(Effect.SUBMITTED)

    @pytest.mark.parametrize(
        "action", [warn(7), mistyped(7, SENT), restore(7, Outcome(Effect.UNCONFIRMED, SENT, "f"))]
    )
    def test_nothing_else_can_be_asked(self, wiki: Wiki, action: Action) -> None:
        assert "can un-confirm, and no more" in str(refusal(wiki, action, WikiRefused))


@pytest.mark.servers
class TestStandIn(GateContract):
    """Ours, which is always there."""

    @pytest.fixture
    def extension(self) -> Path:
        return STAND_IN


if REAL:

    @pytest.mark.servers
    class TestBounceHandler(GateContract):
        """The real one, on the MediaWiki that it is for."""

        @pytest.fixture
        def extension(self, mediawiki: MediaWiki) -> Path:
            wanted = json.loads((Path(REAL) / "extension.json").read_text())["requires"]["MediaWiki"]
            if mediawiki.version not in wanted:
                pytest.skip(f"this checkout of BounceHandler is for MediaWiki {wanted}")
            mediawiki.make_tables((Path(REAL) / "sql/sqlite/tables-generated.sql").read_text())
            return Path(REAL)
