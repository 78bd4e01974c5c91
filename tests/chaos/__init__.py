"""Nodes that are killed and a database that is restarted, under load; see __main__.py."""
