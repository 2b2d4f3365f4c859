# Functions that the scripts share. Sourced by bash, never run alone.
# shellcheck shell=bash disable=SC2034

# The root of the repository; all scripts work from there. Paths of the user are relative to where
# the script was called.
CALLER_DIR=$PWD
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT" || exit 1

# rustup puts cargo here, and a shell that is not a login shell may not know it.
PATH=$PATH:$HOME/.cargo/bin:/usr/sbin
export PATH

TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")
# The Python that the plugin embeds (.cargo/config.toml has the same default).
BUILD_PYTHON=${PYO3_PYTHON:-/usr/bin/python3}

BUILD_PACKAGES=(build-essential ca-certificates pkg-config libglib2.0-dev libevent-dev libssl-dev python3-dev)
SERVER_PACKAGES=(mariadb-server mariadb-client)

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

heading() {
    printf '\n==> %s\n' "$*"
}

# Prints the absolute path of a file that the user named.
user_path() {
    (cd "$CALLER_DIR" && realpath -e -- "$1") || die "$1 does not exist"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        command -v sudo >/dev/null || die "needs root or sudo for: $*"
        sudo -n "$@" || die "sudo failed for: $*"
    fi
}

# Installs those of the Debian packages that are missing.
install_packages() {
    local package missing=()
    if ! command -v apt-get >/dev/null; then
        echo "no apt-get: make sure that these (Debian) packages are there: $*"
        return 0
    fi
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing: ${missing[*]}"
    local log
    log=$(mktemp)
    {
        as_root apt-get -q update &&
            without_services as_root env DEBIAN_FRONTEND=noninteractive \
                apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}"
    } >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        die "the packages cannot be installed (all of apt's output: $log)"
    }
    rm -f "$log"
}

# Runs a command while packages may not start services: the system's MariaDB is not wanted, only
# its programs.
without_services() {
    local policy=/usr/sbin/policy-rc.d status=0
    if [ -e "$policy" ]; then
        "$@"
        return
    fi
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    "$@" || status=$?
    as_root rm -f "$policy"
    return "$status"
}

# Fails early, with words, where cargo is missing or too old for this workspace.
require_rust() {
    local wanted have
    command -v cargo >/dev/null || die "cargo is missing: install Rust, see https://rustup.rs"
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    have=$(cargo --version | cut -d ' ' -f 2)
    printf '%s\n%s\n' "$wanted" "${have%%-*}" | sort -C -V ||
        die "cargo is $have, this workspace needs $wanted or later: rustup update stable"
}

# Makes sure of a cargo subcommand that rustup delivers as a component.
require_component() {
    local subcommand=$1 component=$2
    cargo "$subcommand" --version >/dev/null 2>&1 && return
    command -v rustup >/dev/null ||
        die "cargo $subcommand is missing and there is no rustup: install $component yourself"
    rustup component add "$component"
}

# Makes the virtual environment in $1 with the packages that are listed in file $2.
python_venv() {
    local dir=$1 requirements=$2
    [ -x "$dir/bin/python3" ] || "$BUILD_PYTHON" -m venv "$dir"
    "$dir/bin/python3" -m pip install --quiet --disable-pip-version-check -r "$requirements"
}

free_port() {
    "$BUILD_PYTHON" -c 'import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])'
}

# Waits up to 30 s until the command succeeds, as long as process $1 lives.
wait_until() {
    local pid=$1
    shift
    for _ in $(seq 300); do
        "$@" >/dev/null 2>&1 && return
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

port_is_open() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Starts a MariaDB server of our own in directory $1 on loopback port $2, with the statements of
# file $3. Sets MARIADB_PID; the socket is $1/sock.
start_mariadb() {
    local dir=$1 port=$2 init=$3 user=()
    # The server refuses to run as root unless told to.
    [ "$(id -u)" -ne 0 ] || user=(--user=root)
    mariadb-install-db --no-defaults --datadir="$dir/data" "${user[@]}" \
        --auth-root-authentication-method=normal --skip-test-db >"$dir/install.log" 2>&1 ||
        die "mariadb-install-db failed: $(tail -n 5 "$dir/install.log")"
    mariadbd --no-defaults --datadir="$dir/data" --socket="$dir/sock" --pid-file="$dir/mariadb.pid" \
        --bind-address=127.0.0.1 --port="$port" --init-file="$init" --skip-log-bin \
        --innodb-buffer-pool-size=32M "${user[@]}" </dev/null >"$dir/mariadb.log" 2>&1 &
    MARIADB_PID=$!
    wait_until "$MARIADB_PID" mariadb-admin --no-defaults --socket="$dir/sock" -u root ping ||
        die "MariaDB does not start: $(tail -n 5 "$dir/mariadb.log")"
}

# Ends a process that a script started, and waits for its end.
stop_process() {
    local pid=$1
    kill "$pid" 2>/dev/null || return 0
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
}

# Makes ready what runs with the test library: PYPROXY_PLUGIN and PYPROXY_HOST, which are built unless they are set, and `venv`, the
# virtual environment of PYPROXY_TEST_VENV or one of our own.
prepare_test_library() {
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
}
