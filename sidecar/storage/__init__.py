"""Rows in, rows out. Every function takes an open connection: whoever opened it decides when it commits."""
