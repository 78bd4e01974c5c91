"""What a user was told on a real wiki: by Echo's notifications, or in sections of the talk page.

Knows the tables and the extension's words. Does not know why anybody was told.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .waiting import until

__all__ = ["KINDS", "talk_page", "told"]

KINDS = ("warn", "unconfirm", "mistyped")
TEXTS = Path(__file__).parents[2] / "wiki_adapter/BounceSidecar/i18n"

Rows = Callable[..., list[tuple[Any, ...]]]

EVENTS = """\
SELECT event_type, notification_user FROM echo_event
LEFT JOIN echo_notification ON notification_event = event_id
WHERE event_type LIKE 'emailbounce-%' AND event_extra LIKE ? ORDER BY event_id"""

TALK_PAGE = """\
SELECT old_text FROM user
JOIN page ON page_namespace = 3 AND page_title = replace(user_name, ' ', '_')
JOIN slots ON slot_revision_id = page_latest
JOIN content ON content_id = slot_content_id
JOIN text ON content_address = 'tt:' || old_id
WHERE user_id = ?"""


def told(rows: Rows, user_id: int, *, has_echo: bool) -> list[str]:
    """The kinds of what this user was told, each way's oldest first. *rows* asks the wiki's database."""
    return [*(_by_echo(rows, user_id) if has_echo else ()), *_on_the_talk_page(rows, user_id)]


def talk_page(rows: Rows, user_id: int) -> str:
    """The wikitext of the user's talk page; "" if there is none."""
    found = rows(TALK_PAGE, user_id)
    return _text(found[0][0]) if found else ""


def _by_echo(rows: Rows, user_id: int) -> list[str]:
    def events() -> list[tuple[Any, ...]]:
        return rows(EVENTS, f'%"recipient";i:{user_id};%')

    # Echo makes the notification of an event after the answer was sent.
    until(lambda: all(notified == user_id for _, notified in events()), "a notification for each event")
    return [_text(kind).removeprefix("emailbounce-") for kind, _ in events()]


def _on_the_talk_page(rows: Rows, user_id: int) -> list[str]:
    headings = re.findall(r"(?m)^== (.+) ==$", talk_page(rows, user_id))
    return [_headings().get(heading, heading) for heading in headings]


def _headings() -> dict[str, str]:
    """Which kind each heading stands for, in every language that we have."""
    languages = [json.loads((TEXTS / f"{language}.json").read_text()) for language in ("en", "de")]
    return {texts[f"emailbounce-{kind}-heading"]: kind for texts in languages for kind in KINDS}


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
