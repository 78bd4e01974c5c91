"""The use cases: each is one sentence that an operator could say. Transactions begin and end here."""
