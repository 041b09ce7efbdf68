"""Every table of the first release."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ORGANIZATIONS = """
CREATE TABLE organizations (
    id text PRIMARY KEY,
    name text NOT NULL,
    region text NOT NULL,
    entitlements text[] NOT NULL,
    alert_emails text[] NOT NULL,
    alert_phones text[] NOT NULL,
    webhook_endpoints jsonb NOT NULL,
    signing_secret_sealed bytea,
    signing_secret_set_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_keys (
    id text PRIMARY KEY,
    org_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name text NOT NULL,
    role text NOT NULL,
    key_hash bytea NOT NULL,
    hint text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT api_keys_role CHECK (role IN ('viewer', 'editor', 'operator'))
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (key_hash);
CREATE INDEX api_keys_org ON api_keys (org_id, created_at);

CREATE TABLE idempotency_keys (
    org_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    key text NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    request_hash bytea NOT NULL,
    state text NOT NULL,
    status integer,
    headers jsonb,
    response_sealed bytea,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, key),
    CONSTRAINT idempotency_keys_state CHECK (state IN ('running', 'done'))
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);
"""

DISCOVERIES = """
CREATE TABLE discoveries (
    id text PRIMARY KEY,
    org_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    host text NOT NULL,
    port integer,
    transport text,
    input jsonb NOT NULL,
    status text NOT NULL,
    requested_by text,
    started_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL,
    completed_at timestamptz,
    expires_at timestamptz,
    addresses text[] NOT NULL,
    pinned jsonb,
    srv_records jsonb,
    trail jsonb,
    recommended jsonb,
    fingerprint jsonb,
    error_code text,
    error_message text,
    workflow_id text,
    CONSTRAINT discoveries_status CHECK (status IN ('running', 'completed', 'failed'))
);
CREATE UNIQUE INDEX discoveries_one_running ON discoveries (org_id) WHERE status = 'running';
CREATE INDEX discoveries_host ON discoveries (host, started_at);
CREATE INDEX discoveries_addresses ON discoveries USING gin (addresses);
CREATE INDEX discoveries_org ON discoveries (org_id, started_at, id);

CREATE TABLE discovery_attempts (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    discovery_id text NOT NULL REFERENCES discoveries (id) ON DELETE CASCADE,
    org_id text NOT NULL,
    address text NOT NULL,
    port integer NOT NULL,
    transport text NOT NULL,
    host text NOT NULL,
    outcome text NOT NULL,
    response_code integer,
    response_reason text,
    response_time_ms double precision,
    user_agent text,
    error text,
    details jsonb NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    CONSTRAINT discovery_attempts_candidate UNIQUE (discovery_id, address, port, transport)
);
CREATE INDEX discovery_attempts_order ON discovery_attempts (discovery_id, seq);
"""

CALLS = """
CREATE TABLE calls (
    id text PRIMARY KEY,
    org_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    kind text NOT NULL,
    number text NOT NULL,
    trunk_id text,
    direction text NOT NULL,
    status text NOT NULL,
    result text NOT NULL,
    sip_call_id text,
    from_user text,
    to_user text,
    target jsonb,
    started_at timestamptz NOT NULL,
    answered_at timestamptz,
    ended_at timestamptz,
    duration_ms integer,
    sip_code integer,
    sip_reason text,
    details jsonb NOT NULL,
    CONSTRAINT calls_kind CHECK (kind IN ('test', 'live')),
    CONSTRAINT calls_direction CHECK (direction IN ('inbound', 'outbound')),
    CONSTRAINT calls_status CHECK (status IN ('queued', 'initiated', 'ringing', 'in-progress',
                                              'completed', 'failed', 'busy', 'no-answer')),
    CONSTRAINT calls_result CHECK (result IN ('pending', 'connected', 'failed', 'busy',
                                              'no_answer'))
);
CREATE UNIQUE INDEX calls_one_test ON calls (org_id) WHERE kind = 'test' AND ended_at IS NULL;
CREATE INDEX calls_org ON calls (org_id, started_at, id);
CREATE INDEX calls_number ON calls (number, started_at);
CREATE INDEX calls_sip_call_id ON calls (sip_call_id);

CREATE TABLE sip_messages (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    org_id text NOT NULL,
    owner_kind text NOT NULL,
    owner_id text NOT NULL,
    at timestamptz NOT NULL,
    direction text NOT NULL,
    transport text NOT NULL,
    local_address text NOT NULL,
    local_port integer NOT NULL,
    remote_address text NOT NULL,
    remote_port integer NOT NULL,
    retransmission boolean NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (at, seq),
    CONSTRAINT sip_messages_direction CHECK (direction IN ('in', 'out'))
) PARTITION BY RANGE (at);
CREATE INDEX sip_messages_owner ON sip_messages (owner_id, seq);
"""

BOOKS = """
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org_id text NOT NULL,
    stream text NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz,
    attempts integer NOT NULL,
    retry_at timestamptz,
    last_error text
);
CREATE INDEX outbox_undelivered ON outbox (stream, id) WHERE delivered_at IS NULL;
CREATE INDEX outbox_delivered ON outbox (delivered_at);

CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    actor_kind text NOT NULL,
    actor_id text,
    action text NOT NULL,
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    request_id text,
    before jsonb,
    after jsonb
);
CREATE INDEX audit_log_org ON audit_log (org_id, id);
CREATE INDEX audit_log_subject ON audit_log (subject_id, id);

CREATE TABLE worker_presence (
    id text PRIMARY KEY,
    kind text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    task_queues text[] NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    CONSTRAINT worker_presence_kind CHECK (kind IN ('worker', 'api'))
);
CREATE INDEX worker_presence_seen ON worker_presence (kind, seen_at);
"""


def upgrade() -> None:
    for statements in (ORGANIZATIONS, DISCOVERIES, CALLS, BOOKS):
        op.execute(statements)


def downgrade() -> None:
    op.execute(
        "DROP TABLE worker_presence, audit_log, outbox, sip_messages, calls, discovery_attempts, "
        "discoveries, idempotency_keys, api_keys, organizations"
    )
