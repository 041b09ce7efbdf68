"""Real parts that several test folders need."""
