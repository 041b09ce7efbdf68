"""PostgreSQL: tables, migrations, repositories and the one tenancy mechanism.

``engine.Database`` opens transactions that see one organization or, said explicitly, all of them.
Repositories are modules of functions over an ``AsyncSession`` of such a transaction; they never
commit. Row-level security stands behind every table that has an ``org_id``.
"""
