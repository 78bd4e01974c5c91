"""Makes fixtures/bounces afresh: seven real mail servers fail, and what they say is written down.

Does not judge: what is right to think of each mail stands in tests/support/bounce_cases.py and
bounce_readings.py.
"""
