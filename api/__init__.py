"""The REST API: everything under ``/v1``, and the process's health and metrics beside it."""
