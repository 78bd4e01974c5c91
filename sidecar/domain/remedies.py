"""THE table of troubles: how each is called, how soon somebody has to look, and what to do.

Knows words. Does not know when anything is a trouble: trouble.py judges that. docs/runbook.md has a section
for each, and deploy/prometheus an alert.
"""

from enum import StrEnum

__all__ = ["REMEDIES", "SEVERITIES", "Kind", "Severity"]


class Severity(StrEnum):
    """How soon somebody has to look."""

    CRITICAL = "critical"  #: now: bounces or actions stand still, or soon will
    WARNING = "warning"  #: today


class Kind(StrEnum):
    """What may be wrong. The value is its name in `status`, in the alerts and in the runbook."""

    DATABASE = "database"
    NO_DAEMON = "no-daemon"
    NODE_SILENT = "node-silent"
    DISK_FULL = "disk-full"
    DISK_LOW = "disk-low"
    CLOCK = "clock"
    SILENCE = "silence"
    CANARY_LOST = "canary-lost"
    CANARY_SLOW = "canary-slow"
    WIKI_LOGIN = "wiki-login"
    WIKI_MISCONFIGURED = "wiki-misconfigured"
    WIKI_CERTIFICATE = "wiki-certificate"
    WIKI_DOWN = "wiki-down"
    ACTIONS_LATE = "actions-late"
    ACTIONS_REFUSED = "actions-refused"
    BRAKE = "brake"
    SET_ASIDE = "set-aside"


#: What to do.
REMEDIES = {
    Kind.DATABASE: "Bounces wait in the mail server's queue and nothing is lost. `db status` and the log say "
    "what the database lacks; mend that, and all goes on by itself. If an SQLite file is locked, `fuser -v` "
    "names who has it open; if it is gone, put it back and restart.",
    Kind.NO_DAEMON: "`systemctl status bounce-sidecar` and `journalctl -u bounce-sidecar` say why it ended; "
    "`check-config` says whether the configuration is good.",
    Kind.NODE_SILENT: "Look at that host: `systemctl status bounce-sidecar`. A node that is gone for good is "
    "forgotten after a week.",
    Kind.DISK_FULL: "Make room on the disk of the database now. Bounces wait in the mail server's queue and "
    "nothing is lost.",
    Kind.DISK_LOW: "Make room on the disk of the database, or let keep_mail_days be fewer.",
    Kind.CLOCK: "Start time synchronisation: `timedatectl`, `chronyc tracking`. A clock that is wrong has "
    "return paths refused as too late, or signed in the future. Where the host of a virtual machine keeps "
    'it: `[alarms] ignore = ["clock"]`.',
    Kind.SILENCE: "Mail is signed, and nothing comes back: look at the mail server's queue (`postqueue -p`, "
    "`exim4 -bp`) and at `mta postfix --check` or `mta exim --check`; is the MX of the domain this host?",
    Kind.CANARY_LOST: "Does a mail server listen at `[canary] smtp`? It does not bring bounces here: "
    "`mta postfix --check` or `mta exim --check`, and its queue and log.",
    Kind.CANARY_SLOW: "The mail server is slow to bring bounces here: look at its queue, and at the load of "
    "this host.",
    Kind.WIKI_LOGIN: "Make a new bot password (Special:BotPasswords), put it into the file, and "
    "`systemctl reload bounce-sidecar`. What is owed is kept.",
    Kind.WIKI_MISCONFIGURED: "The wiki says what is wrong; `doctor --wiki` tells how to mend it. Then "
    "`systemctl reload bounce-sidecar` has it tried at once. What is owed is kept.",
    Kind.WIKI_CERTIFICATE: "Renew the certificate of the wiki, or mend api, and "
    "`systemctl reload bounce-sidecar`, which has it tried at once. What is owed is kept.",
    Kind.WIKI_DOWN: "Whoever runs the wiki mends it. What is owed is kept, and tried again within six "
    "hours; `systemctl reload bounce-sidecar` has it tried at once.",
    Kind.ACTIONS_LATE: "`outbox` says what waits and why; `wikis list --trouble` says which wiki does not "
    "answer.",
    Kind.ACTIONS_REFUSED: "`outbox` has the wiki's own words; mend the cause, then `outbox retry ID`.",
    Kind.BRAKE: "Too many users failed at once, or somebody pulled it. `brake list` says whose; then "
    "`brake release ID` or `brake discard ID`.",
    Kind.SET_ASIDE: "Read `aside list`; write a rule or configure the wiki, then `aside reread`; or "
    "`aside drop`.",
}

SEVERITIES = {
    kind: Severity.WARNING
    if kind
    in (
        Kind.NODE_SILENT, Kind.DISK_LOW, Kind.CLOCK, Kind.SILENCE, Kind.CANARY_SLOW, Kind.WIKI_DOWN,
        Kind.ACTIONS_LATE, Kind.ACTIONS_REFUSED, Kind.BRAKE, Kind.SET_ASIDE,
    )
    else Severity.CRITICAL
    for kind in Kind
}  # fmt: skip
