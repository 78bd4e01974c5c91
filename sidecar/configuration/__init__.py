"""The configuration: its sections, its files, and the frozen values that the daemon is made from."""
