"""The kernel's word on its clock: adjtimex(2), asked without changing anything.

Knows struct timex as far as it is read. chrony (with rtcsync, as Debian sets it up), ntpd and
systemd-timesyncd tell the kernel that the clock is synchronised; it forgets that some hours after they have
gone.
"""

import ctypes

__all__ = ["synchronised"]

STA_UNSYNC = 0x40
TIME_ERROR = 5


class _Timex(ctypes.Structure):
    _fields_ = (
        ("modes", ctypes.c_uint),  # 0: only asked
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 512),
    )


def synchronised() -> bool | None:
    """Whether the clock of this host is kept right; None where the kernel does not tell."""
    timex = _Timex()
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):  # no such call in this C library
        return None
    return None if state == -1 else state != TIME_ERROR and not timex.status & STA_UNSYNC
