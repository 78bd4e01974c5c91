"""Stories of sends, bounces and time, played against the real services in a moment, with an expected end."""
