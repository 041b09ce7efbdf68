#!/bin/sh
# Roles and databases of docker-compose.yml, made once by the PostgreSQL image when its volume is
# empty. The app's role owns nothing, so row-level security holds for it.
set -eu

create() { # role password database...
    role=$1 password=$2
    shift 2
    psql --quiet --set ON_ERROR_STOP=1 --set role="$role" --set password="$password" \
        --username postgres <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
SQL
    for database in "$@"; do
        createdb --username postgres --owner "$role" "$database"
    done
}

create trunkline_owner "$OWNER_DB_PASSWORD" trunkline
create trunkline_app "$APP_DB_PASSWORD"
create temporal "$TEMPORAL_DB_PASSWORD" temporal temporal_visibility
