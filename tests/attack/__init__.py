"""Attacks on everything that strangers can reach: ``make attack``.

A campaign is a module below this package with a function

    def campaign(seed: int, seconds: float) -> Tally

It attacks for *seconds*, at least once, the same for the same seed, and counts. Nothing else has to know it.
"""
