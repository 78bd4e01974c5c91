"""The recipient of a mail that nobody names: found in its header, proven by the intake."""

import pytest

from sidecar.services.receipt import Receipt, Received
from sidecar.services.recipient import find_recipient


class Signed:
    """An intake to which every address is ours that begins with "ours"; it notes what it is to tell."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def refusal(self, recipient: str, *, tell: bool = True) -> Receipt | None:
        if tell:
            self.told.append(recipient)
        for start, receipt in (("forged", Receipt.FORGED), ("late", Receipt.TOO_LATE)):
            if recipient.startswith(start):
                return receipt
        return None if recipient.startswith("ours") else Receipt.NOT_OURS

    async def take(self, received: Received) -> Receipt:
        raise AssertionError("nobody hands in anything here")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("To: ours@b", "ours@b"),
        ("To: Some Body <x@y>, <ours@b>", "ours@b"),
        ("To: ours1@b\nDelivered-To: ours2@b", "ours2@b"),
        ("X-Original-To: ours1@b\nEnvelope-To: ours2@b", "ours1@b"),
        ("Delivered-To: x@y\nDelivered-To: ours@b\nTo: ours2@b", "ours@b"),
        ("Delivered-To: forged@b\nTo:\n ours@b", "ours@b"),
        ("From alice Sat Nov 21\nTo: ours@b", "ours@b"),
        ('To: "Body, Some" (of b) <ours@b>', "ours@b"),
        ("To: wiki:x@y,ours+/=@b;", "ours+/=@b"),
        (f"To: {'(' * 5000}\nDelivered-To: ours@b", "ours@b"),
        (f"To: {'wiki:' * 1500} <ours@b>", "ours@b"),
        ("To: x@y", Receipt.NOT_OURS),
        ("Subject: ours@b", Receipt.NOT_OURS),
        ("Cc: ours@b", Receipt.NOT_OURS),
        ("To: x@y, forged@b", Receipt.FORGED),
        ("To: forged@b, late@b, x@y", Receipt.TOO_LATE),
        ("Subject: x\n\nTo: ours@b", Receipt.NOT_OURS),
    ],
)
def test_the_first_that_is_ours(header: str, found: str | Receipt) -> None:
    assert find_recipient(f"{header}\n\nTo: ours3@b\n".encode(), Signed()) == found


def test_nothing_is_told_of_addresses_beside_the_one_that_is_ours() -> None:
    intake = Signed()
    find_recipient(b"Delivered-To: x@y\nTo: forged@b, ours@b\n\n", intake)
    assert intake.told == []


def test_one_refusal_is_told_of_a_mail_that_is_refused() -> None:
    intake = Signed()
    find_recipient(b"Delivered-To: x@y\nTo: forged@b, late@b, forged2@b\n\n", intake)
    assert intake.told == ["late@b"]


def test_the_number_of_those_that_are_looked_at_is_bounded() -> None:
    many = ", ".join(f"x{number}@y" for number in range(200))
    assert find_recipient(f"To: {many}, ours@b\n\n".encode(), Signed()) is Receipt.NOT_OURS
