"""Protected groups in a real MediaWiki, beyond the contract: global ones, and more than MediaWiki takes.

Knows how CentralAuth answers, which is in no package. Does not know the sidecar.
"""

import secrets
from datetime import UTC, datetime

import pytest

from tests.support.mediawiki import MediaWiki

pytestmark = pytest.mark.servers

CONFIRMED = datetime(2026, 11, 1, 12, tzinfo=UTC)

#: As CentralAuth has them; it is not in the package.
GLOBAL_GROUPS = """
class CentralUser {
    public static function getInstance( $user ) { return new self; }
    public function exists() { return true; }
    public function isAttached() { return %s; }
    public static function newPrimaryInstanceFromId( $id ) { return new self; }
    public function getId() { return 1; }
    public function getEmailAuthenticationTimestamp() { return null; }
    public function getGlobalGroups() { return [ 'steward' ]; }
}
class_alias( CentralUser::class, 'MediaWiki\\Extension\\CentralAuth\\User\\CentralAuthUser' );
"""


def unconfirm(wiki: MediaWiki, protect: str) -> str:
    """The result for a user in no group of this wiki, or the code of the error."""
    user = wiki.add_user(f"Member {secrets.token_hex(4)}", "member@example.org", CONFIRMED)
    answer = wiki.bot().act(
        action="emailbounce",
        op="unconfirm",
        userid=user,
        confirmedbefore="2026-11-02T00:00:00Z",
        protect=protect,
    )
    said: str = answer["emailbounce"]["result"] if "emailbounce" in answer else answer["error"]["code"]
    return said


@pytest.mark.parametrize(("attached", "result"), [("true", "protected"), ("false", "unconfirmed")])
def test_members_of_global_groups_are_protected_where_there_are_such(
    mediawiki: MediaWiki, attached: str, result: str
) -> None:
    mediawiki.configure(GLOBAL_GROUPS % attached)
    assert unconfirm(mediawiki, "sysop|steward") == result


def test_more_groups_than_mediawiki_takes_are_refused_and_not_forgotten(mediawiki: MediaWiki) -> None:
    assert unconfirm(mediawiki, "|".join(f"group{number}" for number in range(51))) == "toomanyvalues"
