"""The schema's history, run by ``storage.migrate``.

A revision is a file in ``versions``: ``vNNNN_what.py``. It spells out its own SQL and imports nothing
of ours, so that it does the same for ever. A new table with an ``org_id`` enables row-level security
and grants the app's role what it needs in the same revision; a test refuses one that does not.
"""
