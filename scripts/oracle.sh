#!/usr/bin/env bash
# Runs random sessions directly on a server and through the proxy with a splitting script, and
# compares all answers: tests/oracle/README.md.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
    cat <<'TEXT'
usage: scripts/oracle.sh [--server DIR] [--sessions N] [--faults N] [--seconds N] [--seed SEED]
                         [--only-seed SEED] [--script NAME] [--host PATH] [OPTION]...

All options are those of `python -m tests.oracle`, see tests/oracle/README.md. PYPROXY_PLUGIN names a
library to test instead of building one, PYPROXY_HOST or --host a mysql-proxy instead of the bundled
one, PYPROXY_TEST_VENV a virtual environment with the packages of scripts/requirements.txt.
TEXT
}

# The paths of the user are relative to where the script was called.
arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        --host)
            [ $# -ge 2 ] || die "--host needs a path"
            PYPROXY_HOST=$(user_path "$2")
            shift
            ;;
        --server)
            [ $# -ge 2 ] || die "--server needs a folder"
            arguments+=(--server "$(user_path "$2")")
            shift
            ;;
        --report | --keep)
            [ $# -ge 2 ] || die "$1 needs a path"
            arguments+=("$1" "$(cd "$CALLER_DIR" && realpath -m -- "$2")")
            shift
            ;;
        -h | --help)
            usage
            exit
            ;;
        *) arguments+=("$1") ;;
    esac
    shift
done

prepare_test_library
exec "$venv/bin/python3" -m tests.oracle ${arguments[@]+"${arguments[@]}"}
