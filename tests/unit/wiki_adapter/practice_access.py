"""A practice wiki by pywikibot: the way there, and what is asked of it."""

from datetime import UTC, datetime

from sidecar.domain.wiki import Unconfirm
from wiki_adapter import Adapter, BotPassword, WikiAccess
from wiki_adapter.practice_wiki import PracticeWiki

CONTACT = "https://example.org/{ops}"  # pywikibot would fill in what is in braces
CONFIRMED, SENT = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 20, tzinfo=UTC)


def unconfirm(user_id: int) -> Unconfirm:
    return Unconfirm("practice", user_id, SENT, "a test")


def access_to(wiki: PracticeWiki) -> WikiAccess:
    return WikiAccess(wiki.api_url, BotPassword(wiki.account, wiki.password), CONTACT, Adapter.PYWIKIBOT)
