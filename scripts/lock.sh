#!/bin/sh
# Writes both locked requirement files from pyproject.toml: versions and hashes, for every Python and
# platform, without the address of any index. Versions that still fit are kept; remove a file to
# have its newest ones.
set -eu
cd "$(dirname "$0")/.."
if ! command -v uv >/dev/null 2>&1; then
    echo "trunkline: make lock needs uv" >&2
    exit 1
fi
compile() {
    uv pip compile --quiet pyproject.toml --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url "$@"
}
compile -o requirements.lock
compile --extra local --group dev -o requirements-dev.lock
