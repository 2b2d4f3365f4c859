#!/usr/bin/env bash
# Runs MariaDB's own regression tests (Debian's mariadb-test) with their clients sent through the
# proxy: its server is untouched. What passes directly must pass through the proxy.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
    cat <<'TEXT'
usage: scripts/mariadb-suite.sh [--host /path/to/mysql-proxy] [--script FILE] [--ini LINE]...
                                [--skip-direct] [TEST...]

  --host         run in this mysql-proxy instead of the bundled host
  --script       with this script, e.g. tests/clients/hooks/buffered.py
  --ini          a further line for the ini file
  --skip-direct  take the tests that passed directly from an earlier run
  TEST           these tests, e.g. main.union; default: the suite "main"

PYPROXY_PLUGIN names a library to test instead of building one. On two cores the run without the
proxy takes twenty minutes, the one through it half an hour or more. What fails there is tried once
more, directly and through the proxy. Tests are known by their names and the settings that mtr runs
them with. tests/mariadb-suite-differences.txt has what is known to differ, and why.
TEXT
}

TESTS=/usr/share/mysql/mysql-test
WORK=$TARGET_DIR/mariadb-suite
USER_OF_TESTS=mysql

host=${PYPROXY_HOST:-}
script=
ini=()
skip_direct=false
tests=()
while [ $# -gt 0 ]; do
    case $1 in
        --host | --script | --ini)
            [ $# -ge 2 ] || die "$1 needs a value"
            case $1 in
                --host) host=$(user_path "$2") ;;
                --script) script=$(user_path "$2") ;;
                --ini) ini+=("$2") ;;
            esac
            shift
            ;;
        --skip-direct) skip_direct=true ;;
        -h | --help)
            usage
            exit
            ;;
        -*) die "unknown option $1" ;;
        *) tests+=("$1") ;;
    esac
    shift
done
through_name=through-$(basename "${script:-nothing}" .py)

install_packages "${BUILD_PACKAGES[@]}" "${SERVER_PACKAGES[@]}" mariadb-test
plugin=${PYPROXY_PLUGIN:-}
if [ -z "$plugin" ] || [ -z "$host" ]; then
    require_rust
    cargo build --quiet --locked --release -p pyproxy -p host
    plugin=${plugin:-$TARGET_DIR/release/libpyproxy.so}
    host=${host:-$TARGET_DIR/release/mysql-proxy}
fi

# In memory where that is possible. A unix socket's path has at most 107 bytes.
base=/tmp
[ ! -w /dev/shm ] || base=/dev/shm
VAR=$(mktemp -d "$base/pyproxy-suite-XXXX")
proxies=()
finish() {
    local proxy
    for proxy in "${proxies[@]}"; do
        stop_process "$proxy"
    done
    as_root rm -rf "$VAR"
}
trap finish EXIT
mkdir -p "$WORK" "$VAR/proxy/plugins"
cp "$plugin" "$VAR/proxy/plugins/libpyproxy.so"
[ -z "$script" ] || cp "$script" "$VAR/proxy/script.py"

# The server runs as another user than root, and so do its clients.
as_tester=()
if [ "$(id -u)" -eq 0 ]; then
    as_tester=(setpriv --reuid="$USER_OF_TESTS" --regid="$USER_OF_TESTS" --init-groups --)
fi

# mtr gives the ports from 20 * thread + 13000 on to its servers.
export MTR_BUILD_THREAD=${MTR_BUILD_THREAD:-400}
server_port=$((MTR_BUILD_THREAD * 20 + 13000))
proxy_port=$(free_port)

# Stands in for the program that runs one test: what it knows of the server's socket and port are
# the proxy's.
cat >"$VAR/through-proxy" <<'TEXT'
#!/usr/bin/env bash
socket=$SUITE_VAR/var/tmp/mysqld.1.sock
config=$SUITE_VAR/var/my.cnf
# Sets `proxied` to the text $1. It starts no process: there are many texts, and thousands of tests.
proxy_text() {
    proxied=${1//"$config"/"$SUITE_VAR/proxied.cnf"}
    proxied=${proxied//"$socket"/"$SUITE_VAR/proxy.sock"}
    proxied=${proxied//"$SUITE_SERVER_PORT"/"$SUITE_PROXY_PORT"}
}
# The programs that this config starts are clients; a server starts with mtr's own.
proxy_text "$(<"$config")"
printf '%s\n' "$proxied" >"$SUITE_VAR/proxied.cnf.$$"
mv "$SUITE_VAR/proxied.cnf.$$" "$SUITE_VAR/proxied.cnf"
for name in "${!MYSQL@}" "${!MARIADB@}" "${!MASTER@}"; do
    case $name in
        MYSQLD | MYSQLD_*) ;;
        *)
            proxy_text "${!name}"
            export "$name=$proxied"
            ;;
    esac
done
for argument; do
    shift
    proxy_text "$argument"
    set -- "$@" "$proxied"
done
# mtr goes on when its server has a pid file. A client that comes too early is refused for a while,
# and the program that runs a test tries again only if it could not connect.
for _ in $(seq 600); do
    ! grep -qE " 00010000 .* $socket\$" /proc/net/unix || break
    sleep 0.1
done
# Tests of this program start it themselves.
depth=${SUITE_DEPTH:-0}
export SUITE_DEPTH=$((depth + 1))
mariadb-test "$@" && exit
status=$?
# A test that restarts the server may leave it DOWN for the proxy, which tries again after some seconds.
skipped=62
[ "$status" -eq "$skipped" ] || [ "$depth" -gt 0 ] || sleep 7
exit "$status"
TEXT
chmod 755 "$VAR" "$VAR/through-proxy"

# run NAME CLIENT TEST...: the results of the tests, one a line, into $WORK/NAME.txt. CLIENT stands in
# for the program that runs one test, if it is not empty.
run() {
    local name=$1 client=$2
    shift 2
    (
        cd "$TESTS"
        "${as_tester[@]}" env SUITE_VAR="$VAR" SUITE_SERVER_PORT="$server_port" \
            SUITE_PROXY_PORT="$proxy_port" ${client:+MYSQL_TEST="$client"} ./mtr \
            --vardir="$VAR/var" --force --max-test-fail=0 --retry=0 --parallel=1 \
            --testcase-timeout=3 --suite-timeout=120 "$@"
    ) >"$WORK/$name.log" 2>&1 || true
    # A test may run several times, with settings that its line shows: main.x 'a,b'.
    sed -nE "s/^([a-z_]+\.[^ ]+)( '[^']*')? +\[ (pass|fail) \].*/\3 \1\2/p" "$WORK/$name.log" |
        sort -u >"$WORK/$name.txt"
    echo "$name: $(passed "$name" | wc -l) passed, $(grep -c ^fail "$WORK/$name.txt") failed"
}

# What passed in the run NAME, and never failed there.
passed() {
    comm -23 <(sed -n 's/^pass //p' "$WORK/$1.txt" | sort) <(sed -n 's/^fail //p' "$WORK/$1.txt" | sort)
}

# The tests of lines with their settings.
tests_of() {
    sed "s/ '.*//" | sort -u
}

[ "$(id -u)" -ne 0 ] || chown -R "$USER_OF_TESTS" "$VAR"
if ! $skip_direct; then
    heading "directly"
    if [ ${#tests[@]} -eq 0 ]; then
        run direct '' --suite=main
    else
        run direct '' "${tests[@]}"
    fi
fi

# start NAME ADDRESS BACKEND: a proxy. The server knows its clients by how they come: each way has one.
start() {
    local ini_file=$VAR/proxy/$1.ini
    {
        echo '[mysql-proxy]'
        echo 'plugins=pyproxy'
        echo "plugin-dir=$VAR/proxy/plugins"
        echo "log-file=$VAR/proxy/$1.log"
        echo "pyproxy-address=$2"
        echo "pyproxy-backend-addresses=$3"
        echo 'pyproxy-connect-timeout=60'
        # Tests look at the server's certificate.
        echo "pyproxy-tls-cert=$TESTS/std_data/server-cert.pem"
        echo "pyproxy-tls-key=$TESTS/std_data/server-key.pem"
        [ -z "$script" ] || echo "pyproxy-python-script=$VAR/proxy/script.py"
        [ ${#ini[@]} -eq 0 ] || printf '%s\n' "${ini[@]}"
    } >"$ini_file"
    chmod 600 "$ini_file"
    [ "$(id -u)" -ne 0 ] || chown "$USER_OF_TESTS" "$ini_file"
    "${as_tester[@]}" "$host" --defaults-file="$ini_file" &
    proxies+=($!)
}
heading "through the proxy"
start unix "$VAR/proxy.sock" "$VAR/var/tmp/mysqld.1.sock"
wait_until "${proxies[0]}" test -S "$VAR/proxy.sock" || die "no proxy: $(cat "$VAR/proxy/unix.log")"
start ipv4 "127.0.0.1:$proxy_port" "127.0.0.1:$server_port"
[ ! -e /proc/net/if_inet6 ] || start ipv6 "[::1]:$proxy_port" "[::1]:$server_port"

passed direct >"$VAR/expected"
if [ ${#tests[@]} -gt 0 ]; then
    printf '%s\n' "${tests[@]}" >"$VAR/wanted"
    awk 'NR == FNR { wanted[$1]; next } $1 in wanted' "$VAR/wanted" <(passed direct) >"$VAR/expected"
fi
# A listener of its own takes the place of the server's socket, which is the proxy's here.
sed -i '/^main\.socket_conflict$/d' "$VAR/expected"
mapfile -t wanted < <(tests_of <"$VAR/expected")
run "$through_name" "$VAR/through-proxy" "${wanted[@]}"

comm -23 "$VAR/expected" <(passed "$through_name") >"$VAR/lost"
mapfile -t again < <(tests_of <"$VAR/lost")
if [ ${#again[@]} -gt 0 ]; then
    heading "once more: ${#again[@]} tests"
    run "$through_name-again" "$VAR/through-proxy" "${again[@]}"
    run "$through_name-direct" '' "${again[@]}"
    comm -23 <(comm -12 "$VAR/lost" <(passed "$through_name-direct")) <(passed "$through_name-again") >"$VAR/differing"
else
    : >"$VAR/differing"
fi
cat "$VAR/proxy/"*.log >"$WORK/$through_name.proxy-log"
for proxy in "${proxies[@]}"; do
    kill -0 "$proxy" || die "a proxy has ended: $WORK/$through_name.proxy-log"
done

heading "what differs"
known=$ROOT/tests/mariadb-suite-differences.txt
new=0
while read -r line; do
    name=${line%% *}
    if grep -q "^$name " "$known"; then
        echo "$line: known: $(sed -n "s/^$name  *//p" "$known")"
    else
        echo "$line: fails through the proxy"
        new=$((new + 1))
    fi
done <"$VAR/differing"
echo "$new tests differ that are not known (logs: $WORK)"
[ "$new" -eq 0 ]
