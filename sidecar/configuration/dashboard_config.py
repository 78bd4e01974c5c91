"""What the dashboard is made from.

Knows how its settings become values. Does not know what is wrong with them: dashboard_settings.py does.
"""

from sidecar.configuration.configured import DashboardConfig
from sidecar.configuration.dashboard_settings import DashboardSection
from sidecar.configuration.secrets import Secrets
from sidecar.configuration.setting_kinds import host_and_port
from sidecar.domain.admission import Admission

__all__ = ["dashboard_config"]


def dashboard_config(section: DashboardSection, secrets: Secrets) -> DashboardConfig | None:
    """None if no pages are shown."""
    if not section.listen:
        return None
    admission = Admission(
        secrets.dashboard_token,
        secrets.session_key(),
        tuple(section.trusted_proxies),
        section.user_header,
        section.actions,
        section.public_url,
    )
    return DashboardConfig(host_and_port(section.listen), admission)
