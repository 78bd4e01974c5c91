"""The mails to the operators, as configured: whom, from whom, by which mail server, when.

Knows [digest] and [summary]. Does not know what is in either.
"""

from typing import Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from sidecar.configuration.configured import DigestConfig, SummaryConfig
from sidecar.configuration.setting_kinds import Loopback, MailAddress, Section, host_and_port

__all__ = ["DigestSection", "SummarySection"]

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class DigestSection(Section):
    to: list[MailAddress] = Field([], description="Who is told daily of what was set aside; empty: nobody")
    sender: MailAddress | None = Field(None, description="From address of that mail")
    smtp: Loopback = Field("127.0.0.1:25", description="Mail server that takes it; loopback only")
    hour: int = Field(6, ge=0, le=23, description="Hour of the day, in UTC, from which it is sent")

    @field_validator("smtp")
    @classmethod
    def _given(cls, value: str) -> str:
        host_and_port(value)
        return value

    @model_validator(mode="after")
    def _signed(self) -> Self:
        if self.to and not self.sender:
            raise ValueError("to needs a sender")
        return self

    def config(self) -> DigestConfig | None:
        """None where nobody is told."""
        if not self.to or not self.sender:
            return None
        return DigestConfig(tuple(self.to), self.sender, host_and_port(self.smtp), self.hour)


class SummarySection(DigestSection):
    to: list[MailAddress] = Field([], description="Who is told weekly how it went; empty: nobody")
    weekday: Weekday = Field("monday", description="When it is sent; it tells of the seven days before")

    @property
    def day(self) -> int:
        """0 is Monday."""
        return get_args(Weekday).index(self.weekday)

    def config(self) -> SummaryConfig | None:
        """None where nobody is told."""
        told = super().config()
        return SummaryConfig(**vars(told), weekday=self.day) if told else None
