"""Other processes that work for this one: how they are started, told, and ended."""
