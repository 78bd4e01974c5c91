"""Real servers for the tests, private and on loopback, and what the tests share."""
