"""Pure rules of Trunkline: no I/O, no clock, no randomness, no Temporal."""
