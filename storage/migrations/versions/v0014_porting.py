"""Port orders with their numbers, timeline, papers, signatures and notices; the simulated carrier."""

from __future__ import annotations

from alembic import op

from storage.migrations.versions.v0003_tenancy import MINE

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ORDERS = """
CREATE TABLE port_orders (
    id text PRIMARY KEY,
    org_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    parent_id text REFERENCES port_orders (id) ON DELETE CASCADE,
    sub_status text NOT NULL,
    status text NOT NULL,
    kind text NOT NULL,
    port_type text NOT NULL,
    details jsonb NOT NULL,
    secrets_sealed bytea,
    carrier text NOT NULL,
    carrier_order_id text,
    carrier_profile text NOT NULL,
    losing_carrier text,
    spid text,
    trunk_id text,
    customer_reference text,
    requested_date date,
    foc_at timestamptz,
    completed_at timestamptz,
    cancel_requested_at timestamptz,
    cancel_cutoff_at timestamptz,
    standing jsonb NOT NULL,
    state jsonb,
    generation bigint NOT NULL DEFAULT 0,
    revision bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT port_orders_sub_status CHECK (sub_status IN ('draft', 'validating',
        'awaiting_documents', 'awaiting_signature', 'in_review', 'submitting', 'lsr_sent',
        'action_required', 'supp_sent', 'foc_confirmed', 'activating', 'verifying', 'completed',
        'partially_completed', 'canceled', 'expired', 'failed')),
    CONSTRAINT port_orders_status CHECK (status IN ('draft', 'waiting_for_signature', 'submitted',
        'in_progress', 'completed', 'failed', 'canceled')),
    CONSTRAINT port_orders_kind CHECK (kind IN ('local', 'toll_free')),
    CONSTRAINT port_orders_port_type CHECK (port_type IN ('full', 'partial'))
);
CREATE INDEX port_orders_of_org ON port_orders (org_id, created_at, id);
CREATE INDEX port_orders_of_parent ON port_orders (parent_id) WHERE parent_id IS NOT NULL;
CREATE UNIQUE INDEX port_orders_of_carrier ON port_orders (carrier, carrier_order_id)
    WHERE carrier_order_id IS NOT NULL;
CREATE INDEX port_orders_drafts ON port_orders (updated_at) WHERE sub_status = 'draft';

CREATE TABLE port_numbers (
    order_id text NOT NULL REFERENCES port_orders (id) ON DELETE CASCADE,
    number text NOT NULL,
    position integer NOT NULL,
    org_id text NOT NULL,
    status text NOT NULL,
    type text,
    held boolean NOT NULL,
    carrier_status_raw text,
    rejection text,
    ported_at timestamptz,
    attached_at timestamptz,
    first_inbound_at timestamptz,
    verified_at timestamptz,
    PRIMARY KEY (order_id, number),
    CONSTRAINT port_numbers_position UNIQUE (order_id, position),
    CONSTRAINT port_numbers_status CHECK (status IN ('requested', 'submitted', 'accepted',
        'activating', 'ported', 'verified', 'rejected', 'dropped', 'canceled', 'failed')),
    CONSTRAINT port_numbers_type CHECK (type IN ('landline', 'mobile', 'toll_free'))
);
CREATE UNIQUE INDEX port_numbers_held ON port_numbers (number) WHERE held;
CREATE INDEX port_numbers_of_org ON port_numbers (org_id, number);

CREATE TABLE port_timeline (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id text NOT NULL REFERENCES port_orders (id) ON DELETE CASCADE,
    org_id text NOT NULL,
    at timestamptz NOT NULL,
    entry_key text NOT NULL,
    kind text NOT NULL,
    from_sub_status text,
    to_sub_status text,
    actor text NOT NULL,
    text text NOT NULL,
    raw text,
    data jsonb NOT NULL,
    public boolean NOT NULL,
    CONSTRAINT port_timeline_once UNIQUE (order_id, entry_key)
);
CREATE INDEX port_timeline_of_order ON port_timeline (order_id, id);
"""

PAPERS = """
CREATE TABLE port_documents (
    id text PRIMARY KEY,
    org_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    media_type text NOT NULL,
    size bigint NOT NULL,
    sha256 text NOT NULL,
    pages integer,
    name text NOT NULL,
    kind text NOT NULL,
    document_date date,
    stored_key text NOT NULL,
    created_at timestamptz NOT NULL,
    deleted_at timestamptz
);
CREATE INDEX port_documents_of_org ON port_documents (org_id, created_at, id);
CREATE INDEX port_documents_counted ON port_documents (org_id) WHERE deleted_at IS NULL;

CREATE TABLE port_loas (
    id text PRIMARY KEY,
    order_id text NOT NULL REFERENCES port_orders (id) ON DELETE CASCADE,
    org_id text NOT NULL,
    revision integer NOT NULL,
    template_version text NOT NULL,
    content jsonb NOT NULL,
    unsigned_sha256 text NOT NULL,
    unsigned_key text NOT NULL,
    signed_sha256 text,
    signed_key text,
    created_at timestamptz NOT NULL,
    signed_at timestamptz,
    declined_at timestamptz,
    superseded_at timestamptz,
    CONSTRAINT port_loas_once UNIQUE (order_id, revision)
);

CREATE TABLE port_signature_links (
    token_sha256 text PRIMARY KEY,
    order_id text NOT NULL REFERENCES port_orders (id) ON DELETE CASCADE,
    loa_id text NOT NULL REFERENCES port_loas (id) ON DELETE CASCADE,
    org_id text NOT NULL,
    email text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    opened_at timestamptz,
    used_at timestamptz,
    invalidated_at timestamptz
);
CREATE INDEX port_signature_links_of_order ON port_signature_links (order_id, created_at);

CREATE TABLE port_signature_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    loa_id text NOT NULL REFERENCES port_loas (id) ON DELETE CASCADE,
    order_id text NOT NULL,
    org_id text NOT NULL,
    seq integer NOT NULL,
    at timestamptz NOT NULL,
    action text NOT NULL,
    event jsonb NOT NULL,
    previous text NOT NULL,
    hash text NOT NULL,
    CONSTRAINT port_signature_events_chain UNIQUE (loa_id, seq)
);

CREATE TABLE port_notices (
    id text PRIMARY KEY,
    order_id text NOT NULL REFERENCES port_orders (id) ON DELETE CASCADE,
    org_id text NOT NULL,
    transition_key text NOT NULL,
    channel text NOT NULL,
    recipient text NOT NULL,
    message_id text NOT NULL,
    content jsonb NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    next_at timestamptz,
    ended_at timestamptz,
    last_error text,
    CONSTRAINT port_notices_channel CHECK (channel IN ('email', 'webhook')),
    CONSTRAINT port_notices_state CHECK (state IN ('pending', 'claimed', 'sent', 'given_up')),
    CONSTRAINT port_notices_once UNIQUE (order_id, transition_key, channel, recipient)
);
CREATE INDEX port_notices_pending ON port_notices (order_id, next_at)
    WHERE state IN ('pending', 'claimed');
"""

SHARED = """
CREATE TABLE portability_checks (
    carrier text NOT NULL,
    number text NOT NULL,
    result jsonb NOT NULL,
    checked_at timestamptz NOT NULL,
    PRIMARY KEY (carrier, number)
);
CREATE INDEX portability_checks_age ON portability_checks (checked_at);

CREATE TABLE port_link_requests (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id text NOT NULL,
    source text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX port_link_requests_of_order ON port_link_requests (order_id, at);
CREATE INDEX port_link_requests_of_source ON port_link_requests (source, at);
CREATE INDEX port_link_requests_age ON port_link_requests (at);

CREATE TABLE port_seal_keys (
    id text PRIMARY KEY,
    key_sealed bytea NOT NULL,
    certificate_pem text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE simulated_ports (
    carrier_order_id text PRIMARY KEY,
    order_id text NOT NULL,
    state jsonb NOT NULL,
    webhook_at timestamptz,
    updated_at timestamptz NOT NULL,
    CONSTRAINT simulated_ports_order UNIQUE (order_id)
);
CREATE INDEX simulated_ports_due ON simulated_ports (webhook_at) WHERE webhook_at IS NOT NULL;
"""

WRITABLE = (
    "port_orders",
    "port_numbers",
    "port_documents",
    "port_loas",
    "port_signature_links",
    "port_notices",
)
# What happened is not rewritten, the trail of a signature least of all.
APPENDED = ("port_timeline", "port_signature_events")
WITHOUT_TENANT = (
    "portability_checks",
    "port_link_requests",
    "port_seal_keys",
    "simulated_ports",
)

# A tenant has no business with what a carrier keeps, nor with who asked for links of others.
SYSTEM_TABLES = ("port_link_requests", "simulated_ports")
SYSTEM_ONLY = "current_setting('trunkline.org_id', true) = '*'"


def upgrade() -> None:
    op.execute(ORDERS)
    op.execute(PAPERS)
    op.execute(SHARED)
    mine = MINE.format(column="org_id")
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().opts["app_role"])
    for table in (*WRITABLE, *APPENDED):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({mine}) WITH CHECK ({mine})")
    for table in SYSTEM_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY system ON {table} USING ({SYSTEM_ONLY}) WITH CHECK ({SYSTEM_ONLY})"
        )
    writable = ", ".join((*WRITABLE, *WITHOUT_TENANT))
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {writable} TO {role}")
    op.execute(f"GRANT SELECT, INSERT ON {', '.join(APPENDED)} TO {role}")


def downgrade() -> None:
    for table in (
        "simulated_ports",
        "port_seal_keys",
        "port_link_requests",
        "portability_checks",
        "port_notices",
        "port_signature_events",
        "port_signature_links",
        "port_loas",
        "port_documents",
        "port_timeline",
        "port_numbers",
        "port_orders",
    ):
        op.execute(f"DROP TABLE {table}")
