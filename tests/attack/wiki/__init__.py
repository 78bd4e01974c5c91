"""Wikis that are hostile, or were taken over: whatever they answer, the daemon and its secrets stay whole."""
