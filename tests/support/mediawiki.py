"""A real MediaWiki for the tests, with our extension: fresh, on SQLite, in its own folder, on its own port.

It is a bench (tests/contract/bench.py), and people can log in and write mails. What reads goes straight to
the database; what writes goes through MediaWiki. Does not know what is tested.

    with MediaWiki("1.39") as wiki:
        user = wiki.add_user("Ann", "ann@example.org", None)
        wiki.send_mail(user, "Hello", "A body of ten octets or more")
        wiki.outgoing()[0].return_path
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sidecar.domain.access import BotPassword
from tests.contract.bench import Mailbox, Mood
from tests.support.leaks import secret

from .mediawiki_site import ADMIN, ADMIN_PASSWORD, WIKI_ID, MediaWikiSite
from .mediawiki_told import talk_page, told
from .mediawiki_visitor import Visitor

BOT, BOT_APP, GROUP = "BounceBot", "sidecar", "bouncesidecar"
#: Without "basic" a bot password may not even read.
GRANTS = ("basic", "emailbounce")
#: MediaWiki takes a shorter one, or one with other characters, for the account's own password.
BOT_PASSWORD, OTHER_PASSWORD = secret("0123456789abcdefghijklmnopqrstuv"), secret("v" * 32)
USER_PASSWORD = secret("UserPass-secret-1")

TIMESTAMP = "%Y%m%d%H%M%S"  # MediaWiki's TS_MW, in UTC


@dataclass(frozen=True)
class MailRun:
    """What MediaWiki said after sending a mail."""

    good: bool
    seconds: float  #: in UserMailer alone, without starting PHP


class MediaWiki(MediaWikiSite):
    """A wiki with a bot that may use action=emailbounce, on a bench."""

    account = f"{BOT}@{BOT_APP}"

    def __init__(
        self,
        version: str,
        *,
        settings: Mapping[str, object] | None = None,
        wiki_id: str = WIKI_ID,
        databases: Path | None = None,
    ) -> None:
        super().__init__(version, settings=settings, wiki_id=wiki_id, databases=databases)
        self.password = BOT_PASSWORD
        self._revoked = False

    def populate(self) -> None:
        self.bot_id = self.add_user(BOT, "", None)
        self.set_group(self.bot_id, GROUP, member=True)
        self._set_bot_password(self.password)

    def reset(self) -> None:
        super().reset()
        if self._revoked:
            self.renew_password(self.password)

    def add_user(
        self, name: str, address: str, confirmed_at: datetime | None, groups: Collection[str] = ()
    ) -> int:
        user_id: int = self._bench("addUser", **_about(name, address, confirmed_at), groups=list(groups))
        return user_id

    def add_users(self, users: Iterable[tuple[str, str, datetime]]) -> list[int]:
        """Several at once, by name, confirmed address and since when it is; the number of each."""
        return list(self._bench("addUsers", users=[{**_about(*one), "groups": []} for one in users]))

    def mailbox(self, user_id: int) -> Mailbox:
        [(address, confirmed)] = self._rows(
            "SELECT user_email, user_email_authenticated FROM user WHERE user_id = ?", user_id
        )
        return Mailbox(_text(address), _moment(confirmed))

    def effective_mailbox(self, user_id: int) -> Mailbox:
        """The same as MediaWiki itself answers, which may ask a person's global account."""
        said = self._bench("confirmation", user=user_id)
        return Mailbox(said["address"], _moment(said["confirmed"]))

    def confirm(self, user_id: int, at: datetime) -> None:
        self._bench("confirm", user=user_id, confirmed=_stamp(at))

    def change_address(self, user_id: int, address: str) -> None:
        self._bench("changeAddress", user=user_id, address=address)

    def ask_for_confirmation(self, user_id: int, at: datetime) -> None:
        self._bench("askForConfirmation", user=user_id, at=_stamp(at))

    def told(self, user_id: int) -> list[str]:
        return told(self._rows, user_id, has_echo=self.has_echo)

    def talk_page(self, user_id: int) -> str:
        """The wikitext of the user's talk page; "" if there is none."""
        return talk_page(self._rows, user_id)

    def edit_talk_page(self, user_id: int, text: str) -> None:
        """By the administrator."""
        answer = self.admin().act(action="edit", title=f"User talk:{self.name(user_id)}", text=text)
        assert answer["edit"]["result"] == "Success", answer

    def make_talk_page(self, user_id: int, model: str) -> None:
        """An empty one, of this content model."""
        self._bench("setTalkPageModel", user=user_id, model=model)

    def log(self, user_id: int) -> list[str]:
        rows = self._rows(
            """SELECT comment_text FROM logging JOIN comment ON comment_id = log_comment_id
            JOIN user ON log_namespace = 2 AND log_title = replace(user_name, ' ', '_')
            WHERE log_type = 'emailbounce' AND user_id = ? ORDER BY log_id""",
            user_id,
        )
        return [_text(comment) for (comment,) in rows]

    def acted(self) -> dict[int, tuple[int, bool]]:
        """Of each user how many acts the restricted log has, and whether the address is confirmed."""
        rows = self._rows(
            """SELECT user_id, user_email_authenticated IS NOT NULL, (
                SELECT count(*) FROM logging WHERE log_type = 'emailbounce' AND log_namespace = 2
                AND log_title = replace(user_name, ' ', '_')
            ) FROM user"""
        )
        return {user_id: (number, bool(confirmed)) for user_id, confirmed, number in rows}

    @contextmanager
    def mood(self, mood: Mood) -> Iterator[None]:
        self._turn(mood, on=True)
        try:
            yield
        finally:
            self._turn(mood, on=False)

    def lose_sessions(self) -> None:
        self._empty_cache()

    def forget_throttle(self) -> None:
        """Log in as often as you like: the 6th time within 300 seconds is refused. Sessions are lost too."""
        self._empty_cache()

    @property
    def credentials(self) -> BotPassword:
        return BotPassword(self.account, self.password)

    def revoke(self) -> None:
        self._set_bot_password(OTHER_PASSWORD)
        self._revoked = True

    def renew(self) -> None:
        self.renew_password(self.password)

    def renew_password(self, password: str) -> None:
        self._set_bot_password(password)
        self.password = password
        self._revoked = False
        self.forget_throttle()

    def set_group(self, user_id: int, group: str, *, member: bool) -> None:
        self._bench("setGroup", user=user_id, group=group, member=member)

    def rename(self, user_id: int, name: str) -> None:
        self._bench("rename", user=user_id, name=name)

    def set_preference(self, user_id: int, name: str, value: object) -> None:
        """In Special:Preferences, as the user would."""
        self._bench("setPreference", user=user_id, name=name, value=value)

    def visitor(self) -> Visitor:
        """Somebody who is not logged in."""
        return Visitor(self.api_url)

    def bot(self) -> Visitor:
        return self.visitor().log_in(self.account, self.password)

    def admin(self) -> Visitor:
        return self.visitor().log_in(ADMIN, ADMIN_PASSWORD)

    def user(self, user_id: int) -> Visitor:
        """This user, logged in with a password of their own."""
        self._bench("setPassword", user=user_id, password=USER_PASSWORD)
        return self.visitor().log_in(self.name(user_id), USER_PASSWORD)

    def send_mail(self, user_id: int, subject: str, body: str) -> bool:
        """From the wiki to this user, by User::sendMail; whether MediaWiki said it was good.

        MediaWiki refuses a body of less than ten octets.
        """
        return MailRun(**self._bench("sendMail", user=user_id, subject=subject, body=body)).good

    def mail_to(self, recipients: Sequence[tuple[str, str]], subject: str, body: str) -> MailRun:
        """One mail to these (user name, address), by UserMailer::send."""
        people = [{"name": name, "address": address} for name, address in recipients]
        return MailRun(**self._bench("mailTo", recipients=people, subject=subject, body=body))

    def email_user(self, sender: int, recipient: int, subject: str, body: str) -> dict[str, Any]:
        """One user writes to another over HTTP; both need confirmed addresses. Returns the API's answer."""
        visitor, target = self.user(sender), self.name(recipient)
        return visitor.act(action="emailuser", target=target, subject=subject, text=body)

    def _turn(self, mood: Mood, *, on: bool) -> None:
        if mood is Mood.BOT_BLOCKED:
            self._bench("block" if on else "unblock", user=self.bot_id)
        elif mood is Mood.NO_RIGHT:
            self.set_group(self.bot_id, GROUP, member=not on)
        elif mood is Mood.NO_GRANT:
            self._set_bot_password(self.password, GRANTS[:1] if on else GRANTS)
        elif on:
            (self.folder / "moods" / mood).touch()
        else:
            (self.folder / "moods" / mood).unlink()

    def _set_bot_password(self, secret: str, grants: Sequence[str] = GRANTS) -> None:
        self._bench("setBotPassword", user=self.bot_id, app=BOT_APP, grants=grants, secret=secret)

    def name(self, user_id: int) -> str:
        [(name,)] = self._rows("SELECT user_name FROM user WHERE user_id = ?", user_id)
        return _text(name)


def _about(name: str, address: str, confirmed_at: datetime | None) -> dict[str, str | None]:
    return {"name": name, "address": address, "confirmed": _stamp(confirmed_at)}


def _text(value: bytes | str) -> str:
    """MediaWiki's columns in SQLite hold either."""
    return value.decode() if isinstance(value, bytes) else value


def _stamp(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime(TIMESTAMP) if moment else None


def _moment(stamp: bytes | str | None) -> datetime | None:
    return datetime.strptime(_text(stamp), TIMESTAMP).replace(tzinfo=UTC) if stamp else None
