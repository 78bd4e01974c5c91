"""The dashboard's pages, by path, behind its door.

Knows which pages there are. Does not know what they show.
"""

from collections.abc import Callable
from datetime import datetime

from sidecar.domain.admission import Admission
from sidecar.edges.dashboard.aside_page import aside_pages
from sidecar.edges.dashboard.brakes_page import brakes_pages
from sidecar.edges.dashboard.desk import Desk
from sidecar.edges.dashboard.gate import Gate
from sidecar.edges.dashboard.login_page import entrance
from sidecar.edges.dashboard.outbox_page import outbox_pages
from sidecar.edges.dashboard.overview_page import overview_pages
from sidecar.edges.dashboard.rates_page import rates_pages
from sidecar.edges.dashboard.seals import Seals
from sidecar.edges.dashboard.server import COOKIE, LIMITS, DashboardServer
from sidecar.edges.dashboard.user_page import user_pages
from sidecar.edges.dashboard.wikis_page import wikis_pages
from sidecar.edges.http_listener import HttpLimits
from sidecar.services.showing import Showing
from sidecar.telemetry import Door

__all__ = ["dashboard"]


def dashboard(
    admission: Admission,
    showing: Showing,
    clock: Callable[[], datetime],
    door: Door,
    limits: HttpLimits = LIMITS,
) -> DashboardServer:
    """Not yet listening."""
    seals = Seals(admission.session_key)
    gate = Gate(admission.token, seals, admission.proxies)
    desk = Desk(admission.base, seals, actions=admission.actions)
    pages = {
        **overview_pages(desk, showing),
        **rates_pages(desk, showing),
        **user_pages(desk, showing),
        **outbox_pages(desk, showing),
        **aside_pages(desk, showing),
        **brakes_pages(desk, showing),
        **wikis_pages(desk, showing),
        **entrance(desk, gate, COOKIE, secure=admission.encrypted),
    }
    desk.knows(pages)
    return DashboardServer(pages, gate, desk, clock, admission, door, limits)
