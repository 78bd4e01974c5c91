"""[alarms] and [canary]: from when on something is a trouble, and the bounce that we send to ourselves.

Knows names and shapes. Does not know what is judged by them: domain/trouble.py does.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from sidecar.configuration.setting_kinds import Days, Loopback, Section
from sidecar.domain.remedies import Kind

__all__ = ["AlarmsSection", "CanarySection"]

Hours = Annotated[float, Field(gt=0, le=8760)]
Minutes = Annotated[float, Field(gt=0, le=10080)]


class AlarmsSection(Section):
    ignore: list[Kind] = Field(
        [],
        description='Troubles that nobody is told of, by their names in `status`, as "clock" on a virtual '
        "machine whose host keeps the time",
    )
    silence_hours: Hours = Field(24, description="How long no bounce may come while mail is signed")
    silence_mails: int = Field(
        500, ge=1, description="How many mails must be signed in that time for it to be strange"
    )
    disk_low_mib: int = Field(1024, ge=1, description="Less than this is free: a warning")
    disk_full_mib: int = Field(
        64, ge=1, description="Less than this is free: critical; SQLite's log alone may need 64"
    )
    wiki_down_minutes: Minutes = Field(30, description="How long a wiki may be down")
    actions_late_hours: Hours = Field(
        12, description="How long an action may wait; the longest pause between tries is 6 hours"
    )
    aside_days: Days = Field(2, description="How long mail that is set aside may wait for a person")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.disk_full_mib > self.disk_low_mib:
            raise ValueError("disk_full_mib is more than disk_low_mib")
        return self


class CanarySection(Section):
    smtp: Loopback = Field(
        "",
        description='Mail server that takes a bounce to ourselves now and then, as "127.0.0.1:25"; loopback '
        "only; empty: none is sent",
    )
    every_minutes: Minutes = Field(15, description="How often one is sent, by one of all nodes")
    patience_minutes: Minutes = Field(15, description="When it must be back; later it is lost: critical")
    slow_seconds: float = Field(120, gt=0, description="When it should be back; later is a warning")
