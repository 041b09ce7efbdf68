"""Trunks, the numbers bound to them, and the keys of the installation."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TRUNKS = """
CREATE TABLE trunks (
    id text PRIMARY KEY,
    org_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    implicit boolean NOT NULL,
    name text,
    provider text,
    direction text NOT NULL,
    fingerprint bytea NOT NULL,
    revision bigint NOT NULL,
    sip_endpoint text,
    auth_mode text NOT NULL,
    register_username text,
    options jsonb NOT NULL,
    headers jsonb,
    failover jsonb,
    alerts jsonb,
    sip_password_sealed bytea,
    register_password_sealed bytea,
    pbx_password_sealed bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT trunks_owner UNIQUE (org_id, id),
    CONSTRAINT trunks_direction CHECK (direction IN ('inbound', 'outbound', 'both')),
    CONSTRAINT trunks_auth_mode CHECK (auth_mode IN ('ip', 'register'))
);
CREATE UNIQUE INDEX trunks_settings ON trunks (org_id, fingerprint) WHERE implicit;
CREATE INDEX trunks_org ON trunks (org_id, created_at, id);

CREATE TABLE server_keys (
    name text PRIMARY KEY,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
"""

NUMBERS = """
CREATE TABLE number_bindings (
    id text PRIMARY KEY,
    org_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    phone_number text NOT NULL,
    direction text NOT NULL,
    trunk_id text NOT NULL,
    priority integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT number_bindings_slot UNIQUE (org_id, phone_number, direction, priority),
    CONSTRAINT number_bindings_once UNIQUE (org_id, phone_number, direction, trunk_id),
    CONSTRAINT number_bindings_trunk FOREIGN KEY (org_id, trunk_id)
        REFERENCES trunks (org_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT number_bindings_direction CHECK (direction IN ('inbound', 'outbound'))
);
CREATE INDEX number_bindings_number ON number_bindings (phone_number, direction);
CREATE INDEX number_bindings_by_trunk ON number_bindings (trunk_id, phone_number);

CREATE TABLE inbound_numbers (
    phone_number text PRIMARY KEY,
    org_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    claimed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbound_numbers_org ON inbound_numbers (org_id);
"""

TENANT_TABLES = ("trunks", "number_bindings", "inbound_numbers")

POLICY = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON {table}
    USING (current_setting('trunkline.org_id', true) = '*'
           OR org_id = nullif(current_setting('trunkline.org_id', true), ''))
    WITH CHECK (current_setting('trunkline.org_id', true) = '*'
                OR org_id = nullif(current_setting('trunkline.org_id', true), ''));
"""


def upgrade() -> None:
    op.execute(TRUNKS)
    op.execute(NUMBERS)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().opts["app_role"])
    for table in TENANT_TABLES:
        op.execute(POLICY.format(table=table))
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {role}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON server_keys TO {role}")


def downgrade() -> None:
    op.execute("DROP TABLE inbound_numbers, number_bindings, server_keys, trunks")
