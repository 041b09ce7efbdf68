"""Reproducible measurements, with the figures of peers and baselines of the same run beside ours."""
