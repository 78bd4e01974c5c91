"""Return paths and messages that somebody else made, or changed: none is believed."""
