"""Routes, by business word."""
