"""BounceHandler's settings, each with what stands in its place here.

Knows its extension.json, of today and of the versions before it kept its table elsewhere. A test holds
docs/migrating.md to this table.
"""

from dataclasses import dataclass

__all__ = ["COUNTERPARTS", "Counterpart", "Plain"]

Plain = None | bool | int | str | tuple[str, ...]


@dataclass(frozen=True)
class Counterpart:
    """One of its settings."""

    name: str  #: without $wg
    default: Plain
    here: str  #: our setting, or "" if there is none
    note: str

    @property
    def spelled(self) -> str:
        """The default as PHP spells it."""
        match self.default:
            case tuple(several):
                return f"[{', '.join(map(repr, several))}]"
            case None:
                return "null"
            case bool(truth):
                return str(truth).lower()
            case str() | int():
                return repr(self.default)


COUNTERPARTS = (
    Counterpart("VERPprefix", "wiki", "[verp] prefix, [verp.bouncehandler] prefix", "the same"),
    Counterpart(
        "VERPdomainPart",
        None,
        "[verp] domain",
        "by default the name of the wiki's server; here it must be said",
    ),
    Counterpart("VERPalgorithm", "md5", "[verp.bouncehandler] algorithm", "ours is always HMAC-SHA256"),
    Counterpart(
        "VERPsecret",
        "MediawikiVERP",
        "[verp.bouncehandler] secret_file",
        "the default is public, and refused here: anybody can sign with it",
    ),
    Counterpart(
        "VERPAcceptTime",
        259_200,
        "[verp] accept_days",
        "3 days are shorter than mail servers' queues, which live 4 to 5: the last bounces are lost",
    ),
    Counterpart(
        "BounceRecordPeriod",
        604_800,
        "[policy] period_days",
        'with preset = "bouncehandler"; in seconds there',
    ),
    Counterpart(
        "BounceRecordLimit",
        10,
        "[policy] hard_bounces",
        'with preset = "bouncehandler"; here a mail counts once, and a full mailbox never',
    ),
    Counterpart(
        "BounceRecordMaxAge", 5_184_000, "[storage] keep_bounces_days", "in seconds there; 0 is for ever"
    ),
    Counterpart(
        "BounceHandlerUnconfirmUsers",
        False,
        "[policy] mode",
        'false is "shadow", true is "enforce"; what is written for you begins in shadow mode',
    ),
    Counterpart(
        "BounceHandlerInternalIPs",
        ("127.0.0.1", "::1"),
        "[http] allow",
        "needed for bounces over HTTP alone; what LocalSettings.php sets comes to the default",
    ),
    Counterpart(
        "UnrecognizedBounceNotify",
        (),
        "[digest] to",
        "one mail a day instead of one for each bounce; the bounces themselves are in `aside show`",
    ),
    Counterpart(
        "GenerateVERP", True, "", "return paths are signed where the extension BounceSidecar is installed"
    ),
    Counterpart(
        "BounceHandlerSharedDB",
        False,
        "[storage] url",
        "one history for all wikis anyway; newer versions have it in $wgVirtualDomainsMapping",
    ),
    Counterpart("BounceHandlerCluster", False, "", "the database server of the shared table; no counterpart"),
)
