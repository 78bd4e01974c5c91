"""[farm]: wikis that a sitematrix lists, with the settings that all of them share.

Knows names and shapes. Does not know what a matrix says: farm.py does.
"""

from typing import Literal

from pydantic import Field

from sidecar.configuration.policy_settings import PolicySection
from sidecar.configuration.setting_kinds import AbsolutePath, Account, ApiPath, ApiUrl, Domain, Section

__all__ = ["FarmSection"]


class FarmSection(Section):
    sitematrix: ApiUrl = Field(
        description="Final URL of the api.php of a wiki with the extension SiteMatrix, which lists the others"
    )
    adapter: Literal["mwclient", "pywikibot"] = Field("mwclient", description="How all of them are reached")
    account: Account | None = Field(None, description="Bot password name, the same on all of them")
    password_file: str = Field("", description="File with the bot password")
    oauth1_file: str = Field("", description="Instead: file with an owner-only consumer of OAuth 1.0a")
    oauth2_token_file: str = Field("", description="Instead: file with an owner-only token of OAuth 2.0")
    api_path: ApiPath = Field("/w/api.php", description="Where api.php is, behind each wiki's listed URL")
    domains: list[Domain] = Field(
        [],
        description="Only wikis at these hosts or below them get the password; if empty, below the parent "
        "domain of the sitematrix' host",
    )
    only: list[str] = Field(
        [], description='Ids of the wikis that are taken, as "*wiktionary"; if empty, all'
    )
    without: list[str] = Field([], description="Ids of wikis that are not taken, in the same spelling")
    leave_out: list[Literal["closed", "private", "fishbowl", "nonglobal", "special"]] = Field(
        ["closed", "private", "nonglobal"], description="Kinds of wikis that are not taken"
    )
    central: bool = Field(
        False, description="Whether their accounts may be global ones (CentralAuth): one person, one streak"
    )
    refresh_hours: float = Field(
        24, ge=1, le=24 * 30, description="How often the sitematrix is asked for, less up to a tenth"
    )
    cache: AbsolutePath = Field(
        "/var/lib/bounce-sidecar/sitematrix.json",
        description="File in which the wikis are remembered; the daemon starts from it",
    )
    policy: PolicySection = Field(PolicySection(), description="What differs from [policy] for these wikis")
