#!/usr/bin/env bash
# Runs real clients against a private server directly and through the proxy, and compares what they
# saw: nothing that works directly may fail through the proxy. tests/clients/README.md tells what a
# client does.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
    cat <<'TEXT'
usage: scripts/client-matrix.sh [--quick] [--host /path/to/mysql-proxy] [--server DIR]
                                [--tls] [--only NAME]... [--keep DIR]

  --quick  only what needs no more than the other tests do: the mariadb command line, and PyMySQL
           in the virtual environment PYPROXY_TEST_VENV
  --host   run in this mysql-proxy instead of the bundled host (the same as PYPROXY_HOST in the
           environment)
  --server run the server of this folder instead of the system's MariaDB: target/servers/mysql or
           target/servers/mariadb, which scripts/servers.sh made
  --tls    every connection has TLS, to the proxy and to the server: both require it
  --only   only this client, or the clients of this folder of tests/clients
  --keep   write what the clients printed, and the logs, to this directory

PYPROXY_PLUGIN names a library to test instead of building one.
TEXT
}

CLIENTS_DIR=$ROOT/tests/clients
WORK=$TARGET_DIR/client-matrix
# The ways to the server: directly, and through a proxy without script or with one of
# tests/clients/hooks.
WAYS=(direct plain empty buffered waiting)
# Accounts of MariaDB, and of the scripted server for the methods that MariaDB does not have.
MARIADB_LOGINS=(ed old)
SCRIPTED_LOGINS=(native sha2 sha2_full sha256 clear dialog parsec factors)
PROGRAM_SECONDS=120
# Seconds for a connect and a login: 50 at a time may take a while, and what clients see is not to depend on how busy the
# machine is.
PATIENCE=60
export CLIENTS_DIR WORK PROGRAM_SECONDS

host=${PYPROXY_HOST:-}
plugin=${PYPROXY_PLUGIN:-}
only=()
keep=
server=
tls=()
proxy_tls=()
unset MATRIX_TLS
while [ $# -gt 0 ]; do
    case $1 in
        --host | --server | --only | --keep)
            [ $# -ge 2 ] || die "$1 needs a value"
            case $1 in
                --host) host=$(user_path "$2") ;;
                --server) server=$(user_path "$2") ;;
                --only) only+=("$2") ;;
                --keep) keep=$(cd "$CALLER_DIR" && realpath -m -- "$2") ;;
            esac
            shift
            ;;
        --tls)
            tls=(--require-secure-transport=ON)
            proxy_tls=(--pyproxy-tls=required --pyproxy-backend-tls=required)
            export MATRIX_TLS=1
            ;;
        --quick)
            [ -n "${PYPROXY_TEST_VENV:-}" ] || die "--quick needs PYPROXY_TEST_VENV"
            MATRIX_VENV=$(user_path "$PYPROXY_TEST_VENV")
            export MATRIX_VENV
            only+=(mariadb-cli pymysql)
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

started=()
clean_up() {
    local pid
    for pid in ${started[@]+"${started[@]}"}; do
        stop_process "$pid"
    done
    if [ -n "$keep" ]; then
        mkdir -p "$keep"
        cp -rp "$dir/seen" "$dir"/*.log "$keep/"
    fi
    rm -rf "$dir"
}

# in_folder FOLDER COMMAND...: runs a command in a shell that has read the folder's client.sh.
in_folder() {
    local folder=$1
    shift
    (
        set -e
        # shellcheck source=/dev/null
        source "$CLIENTS_DIR/$folder/client.sh"
        "$@"
    )
}

print_clients() {
    printf '%s\n' "${CLIENTS[@]}"
}

print_packages() {
    local package
    # shellcheck disable=SC2153 # client.sh sets it
    for package in ${PACKAGES[@]+"${PACKAGES[@]}"}; do
        echo "$package"
    done
}

# Tells whether --only asks for one of the names.
wanted() {
    local name asked
    [ ${#only[@]} -gt 0 ] || return 0
    for name in "$@"; do
        for asked in "${only[@]}"; do
            [ "$name" != "$asked" ] || return 0
        done
    done
    return 1
}

# Sets `selected` to lines of a folder and a client.
select_clients() {
    local file folder client
    selected=()
    for file in "$CLIENTS_DIR"/*/client.sh; do
        folder=$(basename "$(dirname "$file")")
        for client in $(in_folder "$folder" print_clients); do
            ! wanted "$folder" "$client" || selected+=("$folder $client")
        done
    done
    [ ${#selected[@]} -gt 0 ] || die "there is no client ${only[*]}"
}

# Prints fixture.sql without what MySQL does not have: its types, the methods of some accounts, times with fractions at the
# ends of the range; and tables in place of MariaDB's sequences.
mysql_fixture() {
    sed -e '/auth_ed25519/d; /secure_auth/d; /IDENTIFIED VIA/d' -e "s/, 'ed'@'%', 'old'@'%'//" \
        -e 's/ UUID,/ CHAR(36),/; s/ INET[46],/ VARCHAR(39),/' \
        -e "s/838:59:59\.999999/838:59:58.999999/" \
        "$CLIENTS_DIR/fixture.sql"
    cat <<'TEXT'
SET cte_max_recursion_depth = 50000;
CREATE TABLE seq_1_to_50000 (seq INT PRIMARY KEY);
INSERT INTO seq_1_to_50000
    WITH RECURSIVE numbers (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM numbers WHERE seq < 50000)
    SELECT seq FROM numbers;
CREATE VIEW seq_1_to_1000 AS SELECT seq FROM seq_1_to_50000 WHERE seq <= 1000;
CREATE VIEW seq_1_to_3 AS SELECT seq FROM seq_1_to_50000 WHERE seq <= 3;
TEXT
}

# Prepares the data folder $dir/data, and sets $program, $client and $fixture.
prepare_server() {
    client=(mariadb --no-defaults)
    fixture=(cat "$CLIENTS_DIR/fixture.sql")
    if [ -n "$server" ]; then
        cp -r "$server/data" "$dir/data"
        if [ -x "$server/mysqld" ]; then
            program=("$server/mysqld" --mysqlx=OFF)
            client=("$server/mysql")
            fixture=(mysql_fixture)
            MARIADB_LOGINS=()
        else
            program=("$server/mariadbd")
        fi
        return
    fi
    program=(mariadbd --no-defaults)
    mariadb-install-db --no-defaults --datadir="$dir/data" "${user[@]}" \
        --auth-root-authentication-method=normal --skip-test-db >"$dir/install.log" 2>&1 ||
        die "mariadb-install-db failed: $(tail -n 5 "$dir/install.log")"
}

start_server() {
    local user=() program client fixture
    [ "$(id -u)" -ne 0 ] || user=(--user=root)
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
        -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
    prepare_server
    "${program[@]}" --datadir="$dir/data" --socket="$dir/sock" --pid-file="$dir/server.pid" \
        --bind-address=127.0.0.1 --port="$MATRIX_PORT" --skip-log-bin --skip-name-resolve \
        --ssl-cert="$dir/cert.pem" --ssl-key="$dir/key.pem" --max-allowed-packet=64M \
        --connect-timeout=$PATIENCE --local-infile=1 --innodb-buffer-pool-size=64M \
        "${tls[@]}" "${user[@]}" </dev/null >"$dir/server.log" 2>&1 &
    started+=($!)
    wait_until $! "${client[@]}" --socket="$dir/sock" -u root -e 'SELECT 1' ||
        die "the server does not start: $(tail -n 5 "$dir/server.log")"
    "${fixture[@]}" | "${client[@]}" --default-character-set=utf8mb4 --socket="$dir/sock" -u root
}

start_login_server() {
    local certificate=()
    [ ${#tls[@]} -eq 0 ] || certificate=("$dir/cert.pem" "$dir/key.pem")
    "$login_server" "$1" "${certificate[@]}" </dev/null >"$dir/login-server.log" 2>&1 &
    started+=($!)
    wait_until $! port_is_open "$1" || die "the login server does not start: $(cat "$dir/login-server.log")"
}

# start_proxy WAY BACKEND PORT: starts a proxy whose log is $dir/WAY.PORT.log.
start_proxy() {
    local way=$1 backend=$2 port=$3 script=() log=$dir/$1.$3
    [ "$way" = plain ] || script=(--pyproxy-python-script="$CLIENTS_DIR/hooks/$way.py")
    "$host" --plugins=pyproxy --plugin-dir="$dir/plugins" --log-file="$log.log" \
        --log-level=message --pyproxy-address="127.0.0.1:$port" --max-open-files=4096 \
        --pyproxy-connect-timeout=$PATIENCE --pyproxy-login-timeout=$PATIENCE \
        --pyproxy-backend-addresses="127.0.0.1:$backend" "${proxy_tls[@]}" "${script[@]}" \
        </dev/null >"$log.out.log" 2>&1 &
    started+=($!)
    wait_until $! port_is_open "$port" ||
        die "the proxy does not start: $(tail -n 5 "$log.log" "$log.out.log")"
}

# Prints the accounts that are reached on a way, each with its port.
logins() {
    [ ${#MARIADB_LOGINS[@]} -eq 0 ] || printf "%s:${ports[$1]} " "${MARIADB_LOGINS[@]}"
    printf "%s:${login_ports[$1]} " "${SCRIPTED_LOGINS[@]}"
}

# run_client FOLDER CLIENT WAY: writes what the client prints to $dir/seen/CLIENT.WAY.
run_client() {
    local folder=$1 client=$2 way=$3 status=0 file=$dir/seen/$2.$3
    # A shell of its own, because timeout runs programs only.
    # shellcheck disable=SC2016 # the inner shell expands
    MATRIX_PORT=${ports[$way]} MATRIX_LOGINS=$(logins "$way") timeout "$PROGRAM_SECONDS" "$BASH" -c '
        source "$CLIENTS_DIR/$0/client.sh"
        run "$1"' "$folder" "$client" </dev/null >"$file" 2>"$file.stderr" || status=$?
    [ "$status" -eq 0 ] || echo "the program ended with status $status" >>"$file"
}

# compare CLIENT WAY: prints how the way differs from the direct one.
compare() {
    diff "$dir/seen/$1.direct" "$dir/seen/$1.$2"
}

# Runs a client on every way and prints its line of the table.
matrix_line() {
    local folder=$1 client=$2 way start=$SECONDS checks errors lines results=()
    for way in "${WAYS[@]}"; do
        run_client "$folder" "$client" "$way"
        [ "$way" != direct ] || continue
        if compare "$client" "$way" >"$dir/seen/$client.$way.diff"; then
            results+=("same")
        else
            lines=$(grep -c '^[<>]' "$dir/seen/$client.$way.diff")
            results+=("**$lines lines differ**")
            differences+=("$dir/seen/$client.$way.diff")
        fi
    done
    checks=$(grep -c ': ' "$dir/seen/$client.direct") || true
    errors=$(grep -c ': error ' "$dir/seen/$client.direct") || true
    [ "$checks" -gt 0 ] || failures+=("$client: no check ran: $(tail -n 3 "$dir/seen/$client.direct.stderr")")
    ! grep -q '^the program ended' "$dir/seen/$client.direct" ||
        failures+=("$client: $(tail -n 1 "$dir/seen/$client.direct"): $(tail -n 3 "$dir/seen/$client.direct.stderr")")
    printf '| %s | %s | %s | %s |' "$client" "$(in_folder "$folder" version "$client")" "$checks" "$errors"
    printf ' %s |' "${results[@]}"
    printf ' %s s |\n' "$((SECONDS - start))"
}

heading "Preparing"
select_clients
mapfile -t folders < <(printf '%s\n' "${selected[@]}" | cut -d ' ' -f 1 | sort -u)
packages=("${BUILD_PACKAGES[@]}" "${SERVER_PACKAGES[@]}" openssl)
for folder in "${folders[@]}"; do
    mapfile -t -O ${#packages[@]} packages < <(in_folder "$folder" print_packages)
done
install_packages "${packages[@]}"
require_rust
if [ -z "$host" ]; then
    cargo build --quiet --locked --release -p host
    host=$TARGET_DIR/release/mysql-proxy
fi
if [ -z "$plugin" ]; then
    cargo build --quiet --locked --release -p pyproxy
    plugin=$TARGET_DIR/release/libpyproxy.so
fi
cargo build --quiet --locked -p testkit --bin login-server
login_server=$TARGET_DIR/debug/login-server
[ -x "$host" ] || die "$host is no program"
for folder in "${folders[@]}"; do
    mkdir -p "$WORK/$folder"
    in_folder "$folder" prepare >"$WORK/$folder.log" 2>&1 || {
        tail -n 30 "$WORK/$folder.log" >&2
        die "the clients of $folder cannot be prepared (all of the output: $WORK/$folder.log)"
    }
done

dir=$(mktemp -d "${TMPDIR:-/tmp}/pyproxy-clients.XXXXXX")
trap clean_up EXIT
trap 'exit 130' INT TERM
mkdir "$dir/seen" "$dir/plugins" "$dir/files"
cp "$plugin" "$dir/plugins/libpyproxy.so"
export MATRIX_DIR=$dir/files MATRIX_PORT
for number in $(seq 5000); do
    printf '%s\ttext %s\n' "$number" "$number"
done >"$MATRIX_DIR/rows.txt"
: >"$MATRIX_DIR/empty.txt"

# A port is chosen when it is needed: somebody else may take it at any time.
declare -A ports login_ports
ports[direct]=$(free_port)
MATRIX_PORT=${ports[direct]}
start_server
login_ports[direct]=$(free_port)
start_login_server "${login_ports[direct]}"
for way in "${WAYS[@]:1}"; do
    ports[$way]=$(free_port)
    start_proxy "$way" "${ports[direct]}" "${ports[$way]}"
    login_ports[$way]=$(free_port)
    start_proxy "$way" "${login_ports[direct]}" "${login_ports[$way]}"
done

heading "Clients through $host, with ${server:-MariaDB of this system}${MATRIX_TLS:+, all with TLS}"
differences=()
failures=()
echo "| client | version | checks | errors directly | no script | empty hook | buffered | waiting | time |"
echo "|---|---|---|---|---|---|---|---|---|"
for line in "${selected[@]}"; do
    # shellcheck disable=SC2086 # a folder and a client
    matrix_line $line
done

for way in "${WAYS[@]:1}"; do
    # The host's own critical lines blame clients, and some of the clients err on purpose.
    grep -h '(critical) pyproxy: ' "$dir/$way".*.log >"$dir/critical" || continue
    failures+=("the proxy's log ($way): $(head -n 3 "$dir/critical")")
done
for file in ${differences[@]+"${differences[@]}"}; do
    heading "$(basename "$file")"
    cut -c 1-400 "$file" | head -n 40
done
for line in ${failures[@]+"${failures[@]}"}; do
    echo "FAILED $line"
done
echo
echo "client-matrix.sh: ${#selected[@]} clients, ${#differences[@]} runs differ, $SECONDS s"
[ ${#differences[@]} -eq 0 ] && [ ${#failures[@]} -eq 0 ]
