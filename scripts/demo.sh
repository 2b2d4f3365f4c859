#!/usr/bin/env bash
# From a clean clone to a running proxy: builds the plugin, starts a private MariaDB and a
# mysql-proxy with the plugin and a hook script, and shows queries without and with the proxy.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
    cat <<'TEXT'
usage: scripts/demo.sh [script.py] [--keep]

  script.py  the hook script (default: examples/first_script.py)
  --keep     leave MariaDB and the proxy running, and say how to connect and how to stop them

The host is PYPROXY_HOST, else the mysql-proxy on PATH, else the one of this repository.
TEXT
}

script=$ROOT/examples/first_script.py
keep=false
while [ $# -gt 0 ]; do
    case $1 in
        --keep) keep=true ;;
        -h | --help)
            usage
            exit
            ;;
        -*)
            usage >&2
            exit 2
            ;;
        *) script=$(user_path "$1") ;;
    esac
    shift
done

QUERIES=(
    "SELECT id, name FROM customers"
    "SELECT name FROM clients WHERE id = 2"
    "SELECT 1 / 0"
    "DROP TABLE customers"
    "SELECT COUNT(*) AS customers FROM customers"
)
# The server reads one statement per line.
TABLE_SQL="CREATE TABLE IF NOT EXISTS shop.customers (id INT PRIMARY KEY, name VARCHAR(40));
REPLACE INTO shop.customers VALUES (1, 'Ada'), (2, 'Grace'), (3, 'Edsger');"
DATABASE_SQL="\
CREATE DATABASE shop;
$TABLE_SQL
CREATE USER 'demo'@'%' IDENTIFIED BY 'demo';
GRANT ALL ON shop.* TO 'demo'@'%';"

started=()
stop_all() {
    local pid
    for pid in ${started[@]+"${started[@]}"}; do
        stop_process "$pid"
    done
    rm -rf "$dir"
}

client() {
    local port=$1
    shift
    mariadb --no-defaults --host=127.0.0.1 --port="$port" --user=demo --password=demo shop "$@"
}

# Runs the queries and shows each with its answer: a table, an error, or just OK.
show_queries() {
    local port=$1 query answer
    for query in "${QUERIES[@]}"; do
        answer=$(client "$port" --table --execute="$query" 2>&1 | grep '^[+|E]' || true)
        answer=${answer:-OK}
        echo "  $query;"
        echo "    ${answer//$'\n'/$'\n    '}"
    done
}

heading "Building"
install_packages "${BUILD_PACKAGES[@]}" "${SERVER_PACKAGES[@]}"
require_rust
host=${PYPROXY_HOST:-$(command -v mysql-proxy || true)}
packages=(-p pyproxy)
if [ -z "$host" ]; then
    packages+=(-p host)
    host=$TARGET_DIR/release/mysql-proxy
fi
cargo build --quiet --locked --release "${packages[@]}"
[ -x "$host" ] || die "$host is no program"

heading "Starting MariaDB and $host with $(basename "$script")"
dir=$(mktemp -d "${TMPDIR:-/tmp}/pyproxy-demo.XXXXXX")
trap stop_all EXIT
trap 'exit 130' INT TERM
printf '%s\n' "$DATABASE_SQL" >"$dir/init.sql"
db_port=$(free_port)
start_mariadb "$dir" "$db_port" "$dir/init.sql"
started+=("$MARIADB_PID")

# The plugin alone in a folder of its own: the host loads plugins from one folder only.
mkdir "$dir/plugins"
cp "$TARGET_DIR/release/libpyproxy.so" "$dir/plugins/"
proxy_port=$(free_port)
# The host refuses an ini file that others may read.
(
    umask 077
    cat >"$dir/demo.ini" <<INI
[mysql-proxy]
plugins = pyproxy
plugin-dir = $dir/plugins
log-file = $dir/proxy.log
log-level = message
pyproxy-address = 127.0.0.1:$proxy_port
pyproxy-backend-addresses = 127.0.0.1:$db_port
pyproxy-python-script = $script
INI
)
"$host" --defaults-file="$dir/demo.ini" </dev/null >"$dir/script.out" 2>"$dir/proxy.err" &
proxy_pid=$!
started+=("$proxy_pid")
wait_until "$proxy_pid" port_is_open "$proxy_port" || {
    cat "$dir"/proxy.* >&2
    die "the proxy does not start"
}
cat "$dir/demo.ini"

heading "Without the proxy"
show_queries "$db_port"
client "$db_port" --execute="$TABLE_SQL"

heading "Through the proxy"
show_queries "$proxy_port"

heading "What the script printed"
sed 's/^/  /' "$dir/script.out"

if $keep; then
    trap - EXIT
    cat <<TEXT

Still running. Connect through the proxy:
  mariadb --host=127.0.0.1 --port=$proxy_port --user=demo --password=demo shop
Files (ini, log, what the script prints): $dir
Stop both and remove the files:
  kill ${started[*]}; rm -rf $dir
TEXT
fi
