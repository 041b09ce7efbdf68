"""Sub-commands of `trunkline`; heavy imports are inside their functions."""
