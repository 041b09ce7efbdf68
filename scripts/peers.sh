#!/bin/sh
# The SIP peers of the tests come from Debian packages, listed in scripts/debian-packages.
#   peers.sh install   installs what is missing where that needs no password; else changes nothing
#   peers.sh missing   prints the packages that are missing, on one line
set -eu
cd "$(dirname "$0")/.."

is_installed() { # package command
    if command -v dpkg-query >/dev/null 2>&1; then
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ] && return 0
    fi
    # Elsewhere, and where it was built by hand, the command is what counts.
    [ "$2" != - ] && PATH="$PATH:/usr/sbin:/sbin" command -v "$2" >/dev/null 2>&1
}

missing() {
    grep -v '^#' scripts/debian-packages | while read -r package command; do
        is_installed "$package" "$command" || printf '%s ' "$package"
    done | sed 's/ $//'
}

install() {
    packages=$(missing)
    [ -n "$packages" ] || return 0
    command -v apt-get >/dev/null 2>&1 || return 0
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif sudo -n true 2>/dev/null; then
        as_root=sudo
    else
        return 0
    fi
    echo "trunkline: installing $packages" >&2

    # The packages start their servers on public addresses; the tests start their own, on loopback.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
        trap '$as_root rm -f "$policy"' EXIT INT TERM
        $as_root chmod 755 "$policy"
    fi
    # shellcheck disable=SC2086  (several packages)
    apt_install() {
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
    }
    apt_install >/dev/null 2>&1 ||
        { $as_root apt-get update -qq >/dev/null && apt_install >/dev/null; } ||
        echo "trunkline: apt-get could not install them" >&2
}

case "${1:-}" in
install) install ;;
missing) missing ;;
*)
    echo "usage: peers.sh install|missing" >&2
    exit 2
    ;;
esac
