"""The dashboard: pages for people, over HTTP, that need no script."""
