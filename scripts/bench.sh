#!/usr/bin/env bash
# Measures what a query costs the host process, and with --gigabyte how much memory a large result
# takes. PYPROXY_HOST=/path/to/mysql-proxy compares with the Lua plugin of that installation;
# without it the bundled host is measured alone.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

case ${1:-} in
    -h | --help)
        cat <<'TEXT'
usage: [PYPROXY_HOST=/path/to/mysql-proxy] scripts/bench.sh [--queries N] [--rounds N] [--gigabyte]
TEXT
        exit
        ;;
esac

install_packages "${BUILD_PACKAGES[@]}"
require_rust
exec cargo bench --quiet --bench host_cost -- "$@"
