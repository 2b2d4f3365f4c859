#!/usr/bin/env bash
# Runs three proxies behind HAProxy under load, kills one, drains one, adds one, takes one over, and looks whether anything
# is lost: docs/scaling.md.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
    cat <<'TEXT'
usage: scripts/scale-out.sh [--works N] [--clerks N] [--host PATH] [--keep DIR]

  --works N    what each client does between two events, at least (100)
  --clerks N   clients that book, besides those with a quota and those of the cache (8)
  --host PATH  a mysql-proxy instead of the bundled one (the same as PYPROXY_HOST in the environment)
  --keep DIR   where data, logs and configurations are, and stay

PYPROXY_PLUGIN names a library to run instead of building one, PYPROXY_TEST_VENV a virtual environment with
the packages of scripts/requirements.txt. The status is 0 if everything holds. HAProxy, Redis and MariaDB are
Debian's; all of them are private, on the loopback address, and gone afterwards.
TEXT
}

# The paths of the user are relative to where the script was called.
arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        --works | --clerks)
            [ $# -ge 2 ] || die "$1 needs a number"
            arguments+=("$1" "$2")
            shift
            ;;
        --host)
            [ $# -ge 2 ] || die "--host needs a path"
            PYPROXY_HOST=$(user_path "$2")
            shift
            ;;
        --keep)
            [ $# -ge 2 ] || die "--keep needs a folder"
            arguments+=(--keep "$(cd "$CALLER_DIR" && realpath -m -- "$2")")
            shift
            ;;
        -h | --help)
            usage
            exit
            ;;
        *)
            usage >&2
            exit 2
            ;;
    esac
    shift
done

install_packages haproxy redis-server
prepare_test_library
exec "$venv/bin/python3" -m tests.scaling ${arguments[@]+"${arguments[@]}"}
