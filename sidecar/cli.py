"""The operator's words."""


def main() -> None:
    """Entry point."""
