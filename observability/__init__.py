"""Logs, traces and metrics, shared by the API and the worker."""
