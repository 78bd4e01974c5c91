"""BounceHandler's settings, read out of a LocalSettings.php that is never run."""
