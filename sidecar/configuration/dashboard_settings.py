"""The section [dashboard]: where pages for people are shown, and who may see and use them.

Knows its settings and how they depend on each other. Does not know pages, nor what is in the token's file.
"""

from ipaddress import ip_network
from typing import Self

from pydantic import Field, model_validator

from sidecar.configuration.setting_kinds import HeaderName, Network, PagesUrl, PlainInterface, Section

__all__ = ["DashboardSection"]


NARROWEST = 7  # bits of a network that somebody may own, as fc00::/7; two of one bit are everybody


class DashboardSection(Section):
    listen: PlainInterface = Field(
        "", description='Where the pages are shown, as "127.0.0.1:8026"; empty: nowhere'
    )
    token_file: str = Field("", description="File with the token that lets people in; also as a bearer token")
    trusted_proxies: list[Network] = Field(
        [], description="Web servers in front that say who asks: addresses or networks"
    )
    user_header: HeaderName = Field(
        "", description='The header in which they say it, as "X-Forwarded-User"; believed from them alone'
    )
    actions: bool = Field(
        False, description="Whether the pages may act, as releasing a brake; else they only show"
    )
    public_url: PagesUrl = Field(
        "",
        description='Where people find the pages, if a web server is in front, as "https://ops.example.org/bounces"',
    )

    @model_validator(mode="after")
    def _somebody_may_come_in(self) -> Self:
        if self.user_header and not self.trusted_proxies:
            raise ValueError("user_header: anybody could send it: name the web server in trusted_proxies")
        if self.trusted_proxies and not self.user_header:
            raise ValueError("trusted_proxies: nothing is believed of them: name the header in user_header")
        if any(ip_network(network).prefixlen < NARROWEST for network in self.trusted_proxies):
            raise ValueError("trusted_proxies: a network of everybody: name the web server's address")
        if self.listen and not self.token_file and not self.user_header:
            raise ValueError(
                "listen: nobody could come in: set token_file, or trusted_proxies and user_header"
            )
        if self.actions and not self.listen:
            raise ValueError("actions: no pages are shown: set listen")
        return self
