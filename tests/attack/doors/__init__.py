"""Attacks on doors and parsers: octets that no honest peer would send, and peers that never finish."""
