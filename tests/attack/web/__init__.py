"""Words of strangers that the dashboard shows, and pages of strangers that would speak for its operators."""
