"""From [alarms] and [canary] to what is borne without a word, and to when a canary is sent.

Knows units. Does not know who judges by it, nor how a canary is sent.
"""

from datetime import timedelta

from sidecar.configuration.alarm_settings import AlarmsSection, CanarySection
from sidecar.configuration.configured import CanaryConfig
from sidecar.configuration.setting_kinds import host_and_port
from sidecar.domain.trouble import Tolerance

__all__ = ["canary_of", "tolerance_of"]

MIB = 2**20


def canary_of(section: CanarySection) -> CanaryConfig | None:
    """None where it is off."""
    if not section.smtp:
        return None
    return CanaryConfig(host_and_port(section.smtp), timedelta(minutes=section.every_minutes))


def tolerance_of(alarms: AlarmsSection, canary: CanarySection) -> Tolerance:
    """What is borne without a word."""
    return Tolerance(
        full=alarms.disk_full_mib * MIB,
        low=alarms.disk_low_mib * MIB,
        silence=timedelta(hours=alarms.silence_hours),
        silence_mails=alarms.silence_mails,
        canary=timedelta(minutes=canary.patience_minutes),
        slow=timedelta(seconds=canary.slow_seconds),
        canary_every=timedelta(minutes=canary.every_minutes) if canary.smtp else None,
        wiki=timedelta(minutes=alarms.wiki_down_minutes),
        late=timedelta(hours=alarms.actions_late_hours),
        aside=timedelta(days=alarms.aside_days),
        ignore=frozenset(alarms.ignore),
    )
