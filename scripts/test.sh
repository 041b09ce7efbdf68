#!/bin/sh
# The checks and the tests. Arguments go to pytest, and then there is no coverage gate: it is for
# the whole suite. After the whole suite, pytest's closing line is the last one.
set -eu
cd "$(dirname "$0")/.."
python=.venv/bin/python

sh scripts/peers.sh install
missing=$(sh scripts/peers.sh missing)
not_run() {
    [ -n "$missing" ] || return 0
    files=$(grep -rlE 'mark\.peer' --include='*.py' tests | sort | paste -sd ' ' -)
    echo "NOT RUN: tests marked peer (${files:-none}); install first: sudo apt-get install -y $missing"
}
not_run
if [ -n "$missing" ] && [ -n "${CI:-}" ]; then
    echo "trunkline: in CI every test must run" >&2
    exit 1
fi

if [ $# -gt 0 ]; then
    run="$python -m pytest"
else
    make --no-print-directory check
    # Most tests wait for the timers of real peers, so more of them run than there are cores. A file
    # stays in one process: its servers are started once.
    run="$python -m pytest --numprocesses=4 --dist=loadfile --cov --cov-report="
fi
if [ -t 1 ]; then
    set -- --color=yes "$@"
fi
if [ -n "$missing" ]; then
    set -- -m "not peer" "$@"
fi

kept=$(mktemp -d)
trap 'rm -rf "$kept"' EXIT
{
    status=0
    $run "$@" || status=$?
    echo "$status" >"$kept/status"
} 2>&1 | tee "$kept/output"
status=$(cat "$kept/status")

case $run in
*--cov*)
    if ! $python -m coverage report; then
        echo "trunkline: the coverage of sip/ and domain/ is below its gate" >&2
        [ "$status" != 0 ] || status=2
    fi
    not_run
    tail -n 1 "$kept/output"
    ;;
*) not_run ;;
esac
exit "$status"
