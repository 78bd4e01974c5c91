"""Mails that hypothesis makes: what holds of any, and what holds of a report that keeps to the RFCs."""

import pytest
from hypothesis import given, settings

from sidecar.domain.notice import read
from tests.fuzz.examine import examine
from tests.fuzz.strategies import Recipient, mails, reported

pytestmark = pytest.mark.slow


@settings(max_examples=400, deadline=None)
@given(mails())
def test_no_mail_of_any_shape_breaks_a_promise(raw: bytes) -> None:
    examine(raw)


@settings(max_examples=200, deadline=None)
@given(reported())
def test_a_report_that_keeps_to_the_rfcs_is_read_recipient_by_recipient(
    made: tuple[bytes, list[Recipient]],
) -> None:
    raw, told = made
    reports = read(raw).reports
    assert [report.address for report in reports] == [one.address for one in told]
    assert [report.action for report in reports] == [one.action for one in told]
    assert [report.status for report in reports] == [one.status for one in told]
    for report, one in zip(reports, told, strict=True):
        assert not one.diagnostic or report.diagnostic == one.diagnostic
    examine(raw)
