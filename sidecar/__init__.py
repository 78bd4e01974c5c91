"""Bounce handling beside a MediaWiki."""

__version__ = "0.1.0"
