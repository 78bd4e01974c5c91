"""Mail that nobody would send, in quantity: ``make fuzz``."""
