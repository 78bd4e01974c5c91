"""The doctor, part by part."""
