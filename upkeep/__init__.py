"""Loops that keep shared state true: presence, reaping, partitions.

They run in every API and worker process. Each pass is safe beside the same pass elsewhere, so
nobody has to be elected.
"""
