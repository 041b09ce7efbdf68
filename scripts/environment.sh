#!/bin/sh
# Makes .venv from requirements-dev.lock, with uv where it is installed, else with venv and pip, and
# puts this project into it as it stands here. Does nothing when that was done before.
set -eu
cd "$(dirname "$0")/.."

lock=requirements-dev.lock
stamp=.venv/made-from

say() { echo "trunkline: $*" >&2; }

# The folder is part of it: the project is installed by its path.
wanted="$(pwd) $(cat "$lock" pyproject.toml | sha256sum)"
is_made() {
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null
}
is_made && exit 0

# One at a time; the next one finds the work done.
if command -v flock >/dev/null 2>&1; then
    exec 9<Makefile
    flock 9
    is_made && exit 0
fi

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}
python=
for candidate in python3.13 python3.12 python3.11 python3; do
    if is_new_enough "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    say "no Python 3.11 or newer found (looked for python3.13, python3.12, python3.11, python3)"
    exit 1
fi

if [ -e .venv ] && ! is_new_enough .venv/bin/python; then
    say "removing .venv: its Python is gone or too old"
    rm -rf .venv
fi

with_uv() {
    command -v uv >/dev/null 2>&1 || return 1
    [ -e .venv ] || uv venv --quiet --python "$python" .venv || return 1
    uv pip install --quiet --python .venv/bin/python --require-hashes -r "$lock" &&
        uv pip install --quiet --python .venv/bin/python --offline --no-deps --no-build-isolation -e .
}

with_pip() {
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        rm -rf .venv
        if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
            version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
            say "$python cannot make virtual environments: its module ensurepip is missing."
            say "On Debian and Ubuntu: apt-get install python$version-venv (or install uv)"
            return 1
        fi
        "$python" -m venv .venv
    fi
    set -- --quiet --disable-pip-version-check --no-input --root-user-action=ignore
    .venv/bin/python -m pip install "$@" --require-hashes -r "$lock"
    .venv/bin/python -m pip install "$@" --no-index --no-deps --no-build-isolation -e .
}

say "making .venv with $("$python" --version)"
rm -f "$stamp"
if ! with_uv; then
    if command -v uv >/dev/null 2>&1; then
        say "uv could not do it, trying venv and pip"
        rm -rf .venv
    fi
    with_pip
fi
echo "$wanted" >"$stamp"
