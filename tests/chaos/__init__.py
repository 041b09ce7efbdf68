"""A whole system under fire: its processes die at random moments, and nothing asked of it is lost."""
