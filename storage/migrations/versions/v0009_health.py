"""What is probed, where it stands, what was seen of it, and what follows for trunks."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PLACED = """
CREATE TABLE health_shards (
    shard smallint PRIMARY KEY,
    fence bigint NOT NULL DEFAULT 0,
    holder text,
    taken_at timestamptz,
    config_revision bigint NOT NULL DEFAULT 0
);

CREATE TABLE health_names (
    id text PRIMARY KEY,
    shard smallint NOT NULL,
    host text NOT NULL,
    port integer,
    transport text,
    profile jsonb NOT NULL,
    resolved_at timestamptz,
    expires_at timestamptz,
    error text,
    CONSTRAINT health_names_transport CHECK (transport IN ('udp', 'tcp', 'tls'))
);
CREATE INDEX health_names_shard ON health_names (shard);

CREATE TABLE health_targets (
    id text PRIMARY KEY,
    shard smallint NOT NULL,
    address text NOT NULL,
    port integer NOT NULL,
    transport text NOT NULL,
    profile jsonb NOT NULL,
    CONSTRAINT health_targets_transport CHECK (transport IN ('udp', 'tcp', 'tls'))
);
CREATE INDEX health_targets_shard ON health_targets (shard);

CREATE TABLE health_name_targets (
    name_id text NOT NULL,
    target_id text NOT NULL,
    priority integer NOT NULL,
    weight integer NOT NULL,
    position integer NOT NULL,
    PRIMARY KEY (name_id, target_id),
    CONSTRAINT health_name_targets_name FOREIGN KEY (name_id)
        REFERENCES health_names (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT health_name_targets_target FOREIGN KEY (target_id)
        REFERENCES health_targets (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX health_name_targets_by_target ON health_name_targets (target_id);

CREATE TABLE trunk_endpoints (
    trunk_id text NOT NULL,
    position integer NOT NULL,
    org_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name_id text NOT NULL,
    label text NOT NULL,
    rule_key text NOT NULL,
    rule jsonb NOT NULL,
    PRIMARY KEY (trunk_id, position),
    CONSTRAINT trunk_endpoints_name FOREIGN KEY (name_id)
        REFERENCES health_names (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX trunk_endpoints_by_name ON trunk_endpoints (name_id, org_id);
CREATE INDEX trunk_endpoints_of_org ON trunk_endpoints (org_id);
"""

# Room in each page for the next version of its rows, so that no index is touched by an update.
SEEN = """
CREATE TABLE health_states (
    target_id text NOT NULL,
    rule_key text NOT NULL,
    rule jsonb NOT NULL,
    state text NOT NULL,
    since timestamptz,
    seq bigint NOT NULL,
    misses integer NOT NULL,
    goods integer NOT NULL,
    maintenance_until timestamptz,
    last_at timestamptz,
    last_ms double precision,
    last_status integer,
    next_at timestamptz,
    reason text NOT NULL,
    PRIMARY KEY (target_id, rule_key),
    CONSTRAINT health_states_target FOREIGN KEY (target_id)
        REFERENCES health_targets (id) ON DELETE CASCADE,
    CONSTRAINT health_states_state
        CHECK (state IN ('unchecked', 'healthy', 'reachable', 'degraded', 'down'))
) WITH (fillfactor = 50);

CREATE TABLE health_transitions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target_id text NOT NULL,
    rule_key text NOT NULL,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    before text NOT NULL,
    after text NOT NULL,
    reason text NOT NULL,
    evidence jsonb NOT NULL,
    request bytea,
    reply bytea,
    CONSTRAINT health_transitions_before
        CHECK (before IN ('unchecked', 'healthy', 'reachable', 'degraded', 'down')),
    CONSTRAINT health_transitions_after
        CHECK (after IN ('unchecked', 'healthy', 'reachable', 'degraded', 'down'))
);
CREATE INDEX health_transitions_of_target ON health_transitions (target_id, id);
CREATE INDEX health_transitions_at ON health_transitions (at);

CREATE TABLE name_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name_id text NOT NULL,
    at timestamptz NOT NULL,
    added jsonb NOT NULL,
    removed jsonb NOT NULL,
    error text
);
CREATE INDEX name_changes_of_name ON name_changes (name_id, id);
CREATE INDEX name_changes_at ON name_changes (at);

CREATE TABLE health_hours (
    target_id text NOT NULL,
    hour timestamptz NOT NULL,
    probes integer NOT NULL,
    classes integer[] NOT NULL,
    total_ms bigint NOT NULL,
    max_ms integer NOT NULL,
    minutes bytea,
    PRIMARY KEY (target_id, hour)
) PARTITION BY RANGE (hour);
CREATE TABLE health_hours_default PARTITION OF health_hours DEFAULT WITH (fillfactor = 50);

CREATE TABLE health_observations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    trunk_id text NOT NULL,
    shard smallint,
    target_id text,
    at timestamptz NOT NULL,
    host text NOT NULL,
    port integer,
    transport text,
    kind text NOT NULL,
    sign text NOT NULL,
    status integer,
    detail text,
    seen_at timestamptz,
    CONSTRAINT health_observations_transport CHECK (transport IN ('udp', 'tcp', 'tls'))
);
CREATE INDEX health_observations_unseen ON health_observations (shard) WHERE seen_at IS NULL;
CREATE INDEX health_observations_of_trunk ON health_observations (trunk_id, id);
CREATE INDEX health_observations_at ON health_observations (at);
"""

FOLLOWING = """
CREATE TABLE trunk_health (
    trunk_id text PRIMARY KEY,
    org_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    state text NOT NULL,
    since timestamptz,
    CONSTRAINT trunk_health_state
        CHECK (state IN ('unchecked', 'healthy', 'reachable', 'degraded', 'down'))
);

CREATE TABLE trunk_routes (
    org_id text NOT NULL,
    trunk_id text NOT NULL,
    generation bigint NOT NULL,
    route jsonb NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, trunk_id),
    CONSTRAINT trunk_routes_trunk FOREIGN KEY (org_id, trunk_id)
        REFERENCES trunks (org_id, id) ON DELETE CASCADE
);

CREATE TABLE drills (
    id text PRIMARY KEY,
    org_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    trunk_id text NOT NULL,
    number text NOT NULL,
    state text NOT NULL,
    seconds integer NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    report jsonb
);
CREATE INDEX drills_of_trunk ON drills (trunk_id, started_at, id);
CREATE INDEX drills_open ON drills (trunk_id) WHERE ended_at IS NULL;
"""

OWN = (
    "trunk_endpoints",
    "health_observations",
    "trunk_health",
    "trunk_routes",
    "drills",
)

# A tenant sees what its own endpoints lead to; each table is reached through the one before it,
# whose own policy holds. What a rule made of a target is seen by who has that rule.
BY_NAME = "EXISTS (SELECT FROM trunk_endpoints e WHERE e.name_id = {table}.{column})"
BY_TARGET = "EXISTS (SELECT FROM health_name_targets l WHERE l.target_id = {table}.{column})"
BY_RULE = (
    "EXISTS (SELECT FROM health_name_targets l JOIN trunk_endpoints e ON e.name_id = l.name_id "
    "WHERE l.target_id = {table}.{column} AND e.rule_key = {table}.rule_key)"
)
REACHED = {
    "health_names": ("id", BY_NAME),
    "health_name_targets": ("name_id", BY_NAME),
    "health_targets": ("id", BY_TARGET),
    "health_states": ("target_id", BY_RULE),
    "health_transitions": ("target_id", BY_RULE),
    "name_changes": ("name_id", BY_NAME),
    "health_hours": ("target_id", BY_TARGET),
}

EVERYBODY = "current_setting('trunkline.org_id', true) = '*'"
MINE = "org_id = nullif(current_setting('trunkline.org_id', true), '')"

WRITABLE = (
    *OWN,
    "health_names",
    "health_name_targets",
    "health_targets",
    "health_states",
)
# Forgotten when they are old, never rewritten.
RECORDED = ("health_transitions", "name_changes")


def upgrade() -> None:
    for statements in (PLACED, SEEN, FOLLOWING):
        op.execute(statements)
    for table in OWN:
        _protect(table, MINE)
    for table, (column, condition) in REACHED.items():
        _protect(table, condition.format(table=table, column=column))
    # Reached through health_hours its policy holds; reached by name, nothing is to be seen.
    op.execute("ALTER TABLE health_hours_default ENABLE ROW LEVEL SECURITY")

    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().opts["app_role"])
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(WRITABLE)} TO {role}")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON {', '.join(RECORDED)} TO {role}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON health_shards, health_hours TO {role}")


def _protect(table: str, mine: str) -> None:
    condition = f"{EVERYBODY} OR {mine}"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({condition}) WITH CHECK ({condition})")


def downgrade() -> None:
    op.execute("DROP TABLE drills, trunk_routes, trunk_health")
    op.execute(
        "DROP TABLE health_observations, health_hours, name_changes, health_transitions, "
        "health_states"
    )
    op.execute(
        "DROP TABLE trunk_endpoints, health_name_targets, health_targets, health_names, "
        "health_shards"
    )
