"""A way to sign that has a mistake. Alone in its file: another process imports it in no time."""

from sidecar.domain.verp import SidecarFormat

__all__ = ["Broken"]


class Broken(SidecarFormat):
    """Cannot be signed by."""

    def local_part(self, *_: object, **__: object) -> str:
        raise LookupError
