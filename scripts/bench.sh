#!/usr/bin/env bash
# Measures what a query costs the host process in time and in instructions, how much memory large results and idle connections take,
# and what others notice of a hook that waits. PYPROXY_HOST=/path/to/mysql-proxy compares with the Lua
# plugin of that installation; without it the bundled host is measured alone.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

arguments=("$@")
packages=("${BUILD_PACKAGES[@]}")
case ${1:-} in
    --instructions)
        profiles=$TARGET_DIR/callgrind
        rm -rf "$profiles"
        mkdir -p "$profiles"
        # The start of Python takes as many instructions each time if its dicts have the same order.
        export PYTHONHASHSEED=0
        export PYPROXY_HOST_WRAPPER="valgrind --tool=callgrind --callgrind-out-file=$profiles/%p"
        arguments=(--instructions "$profiles" "${@:2}")
        packages+=(valgrind)
        ;;
    --splitting)
        install_packages sysbench
        prepare_test_library
        exec "$venv/bin/python3" -m benches.splitting "${@:2}"
        ;;
    -h | --help)
        cat <<'TEXT'
usage: [PYPROXY_HOST=/path/to/mysql-proxy] scripts/bench.sh [OPTION...]

processor time per query, of pairs: the Lua plugin (with PYPROXY_HOST), HAProxy (if installed),
an async hook and a sync one, TLS on both hops and none, statements counted and not
  --queries N       point selects in one round (default 30000)
  --rounds N        rounds; each measures both of a pair, in turn (default 11)
  --only TEXT       only the lines whose name contains TEXT
  --system-calls    count system calls per query, too (if strace is installed)

other measurements
  --instructions [--only TEXT]
                    instructions per query, counted by callgrind: exact to a tenth of a percent, on a busy machine, too. The
                    profiles stay in <target>/callgrind. PYPROXY_PLUGIN and PYPROXY_HOST name builds of another commit
  --splitting       sysbench through the splitting scripts, no script and none of all: transactions a second, and what each costs
    --rounds N, --seconds N, --threads N
    --lua PATH      a script of the Lua plugin of PYPROXY_HOST, too
    --prepared      with prepared statements
  --gigabyte        the host's peak memory while results of 1 GiB pass
  --idle            the host's memory for each idle connection
    --connections N so many of them (default 1000)
  --waiting         rate and 99th percentile of 50 clients, beside one whose hook sleeps and without it
    --pairs N       pairs (default 5)
    --seconds N     seconds of each of the two, in slices of one (default 4)
TEXT
        exit
        ;;
esac

install_packages "${packages[@]}"
require_rust
# A connection takes three descriptors here, and two in the host.
ulimit -n "$(ulimit -Hn)"
exec cargo bench --quiet --bench host_cost -- "${arguments[@]}"
