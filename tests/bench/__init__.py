"""How fast bounces are read and judged, by us and by others, side by side: ``make bench``."""
