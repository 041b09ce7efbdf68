"""Request and answer bodies, by business word."""
