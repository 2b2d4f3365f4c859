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
  --skip-direct  take the tests that passed directly from the last run
  TEST           these tests, e.g. main.union; default: the suite "main"

PYPROXY_PLUGIN names a library to test instead of building one. The suite takes about a quarter of an
hour for each of the two runs. tests/mariadb-suite-differences.txt has what is known to differ, and
why.
TEXT
}

TESTS=/usr/share/mysql/mysql-test
WORK=$TARGET_DIR/mariadb-suite
# A unix socket's path has at most 107 bytes.
VAR=/tmp/pyproxy-suite-$(id -u)
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

install_packages "${BUILD_PACKAGES[@]}" "${SERVER_PACKAGES[@]}" mariadb-test
plugin=${PYPROXY_PLUGIN:-}
if [ -z "$plugin" ] || [ -z "$host" ]; then
    require_rust
    cargo build --quiet --locked --release -p pyproxy -p host
    plugin=${plugin:-$TARGET_DIR/release/libpyproxy.so}
    host=${host:-$TARGET_DIR/release/mysql-proxy}
fi

as_root rm -rf "$VAR"
mkdir -p "$WORK" "$VAR/proxy/plugins"
cp "$plugin" "$VAR/proxy/plugins/libpyproxy.so"
[ -z "$script" ] || cp "$script" "$VAR/proxy/script.py"

# The server runs as another user than root, and so do its clients.
as_tester=()
if [ "$(id -u)" -eq 0 ]; then
    as_tester=(setpriv --reuid="$USER_OF_TESTS" --regid="$USER_OF_TESTS" --init-groups --)
fi

# Stands in for the program that runs one test: what it knows of the server's socket is the proxy's.
cat >"$VAR/through-proxy" <<'TEXT'
#!/usr/bin/env bash
direct=$SUITE_VAR/var/tmp/mysqld.1.sock
proxied=$SUITE_VAR/proxy.sock
config=$SUITE_VAR/var/my.cnf
sed "s|$direct|$proxied|; s|^port=.*||" "$config" >"$SUITE_VAR/proxied.cnf"
while IFS='=' read -r name value; do
    case $value in
        *"$config"* | *"$direct"*)
            value=${value//"$config"/"$SUITE_VAR/proxied.cnf"}
            export "$name=${value//"$direct"/"$proxied"}"
            ;;
    esac
done < <(env | grep -E '^(MYSQL|MARIADB|MASTER)[A-Z_0-9]*=')
for argument; do
    shift
    argument=${argument//"$config"/"$SUITE_VAR/proxied.cnf"}
    set -- "$@" "${argument//"$direct"/"$proxied"}"
done
exec mariadb-test "$@"
TEXT
chmod 755 "$VAR/through-proxy"

# run NAME TEST...: the results of the tests, one a line.
run() {
    local name=$1
    shift
    local list=(--suite=main)
    [ $# -eq 0 ] || list=("$@")
    (
        cd "$TESTS"
        "${as_tester[@]}" env SUITE_VAR="$VAR" ${through:+MYSQL_TEST="$through"} ./mtr --vardir="$VAR/var" \
            --force --max-test-fail=0 --retry=0 --parallel=1 --testcase-timeout=3 \
            --suite-timeout=120 "${list[@]}"
    ) >"$WORK/$name.log" 2>&1 || true
    sed -n "s/^\([a-z_]*\.[^ ]*\) *\('[^']*'\)\{0,1\}.*\[ \(pass\|fail\) \].*/\3 \1/p" "$WORK/$name.log" |
        sort -u >"$WORK/$name.txt"
    echo "$name: $(grep -c ^pass "$WORK/$name.txt") passed, $(grep -c ^fail "$WORK/$name.txt") failed"
}

[ "$(id -u)" -ne 0 ] || chown -R "$USER_OF_TESTS" "$VAR"
if ! $skip_direct; then
    heading "directly"
    through='' run direct "${tests[@]}"
fi

heading "through the proxy"
{
    echo '[mysql-proxy]'
    echo 'plugins=pyproxy'
    echo "plugin-dir=$VAR/proxy/plugins"
    echo "log-file=$VAR/proxy/log"
    echo "pyproxy-address=$VAR/proxy.sock"
    echo "pyproxy-backend-addresses=$VAR/var/tmp/mysqld.1.sock"
    [ -z "$script" ] || echo "pyproxy-python-script=$VAR/proxy/script.py"
    [ ${#ini[@]} -eq 0 ] || printf '%s\n' "${ini[@]}"
} >"$VAR/proxy/ini"
chmod 600 "$VAR/proxy/ini"
[ "$(id -u)" -ne 0 ] || chown "$USER_OF_TESTS" "$VAR/proxy/ini"
"${as_tester[@]}" "$host" --defaults-file="$VAR/proxy/ini" &
proxy=$!
trap 'kill "$proxy" 2>/dev/null' EXIT
mapfile -t passed < <(sed -n 's/^pass //p' "$WORK/direct.txt" | sort -u)
[ ${#tests[@]} -eq 0 ] || passed=("${tests[@]}")
through=$VAR/through-proxy run proxied "${passed[@]}"

heading "what differs"
kill -0 "$proxy" || die "the proxy has ended: $VAR/proxy/log"
known=$ROOT/tests/mariadb-suite-differences.txt
new=0
while read -r name; do
    if grep -q "^$name " "$known"; then
        echo "$name: known: $(sed -n "s/^$name  *//p" "$known")"
    else
        echo "$name: fails through the proxy"
        new=$((new + 1))
    fi
done < <(comm -23 <(sed -n 's/^pass //p' "$WORK/direct.txt" | sort -u) \
    <(sed -n 's/^pass //p' "$WORK/proxied.txt" | sort -u))
echo "$new tests differ that are not known (logs: $WORK)"
[ "$new" -eq 0 ]
