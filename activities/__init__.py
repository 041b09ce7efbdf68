"""Side effects, by business word. ``contracts`` is the only module that workflows import."""
