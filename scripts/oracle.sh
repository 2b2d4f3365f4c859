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

install_packages "${SERVER_PACKAGES[@]}" python3-venv
venv=${PYPROXY_TEST_VENV:-}
if [ -z "$venv" ]; then
    venv=$TARGET_DIR/test-venv
    mkdir -p "$TARGET_DIR"
    python_venv "$venv" scripts/requirements.txt
fi
if [ -z "${PYPROXY_PLUGIN:-}" ] || [ -z "${PYPROXY_HOST:-}" ]; then
    install_packages "${BUILD_PACKAGES[@]}"
    require_rust
    cargo build --locked --release -p pyproxy -p host
fi
export PYPROXY_PLUGIN=${PYPROXY_PLUGIN:-$TARGET_DIR/release/libpyproxy.so}
export PYPROXY_HOST=${PYPROXY_HOST:-$TARGET_DIR/release/mysql-proxy}
exec "$venv/bin/python3" -m tests.oracle ${arguments[@]+"${arguments[@]}"}
