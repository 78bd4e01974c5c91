"""What everything costs, side by side with others who do the like, in one run: ``make bench``."""
