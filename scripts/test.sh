#!/usr/bin/env bash
# Runs everything that is checked. Needs cargo, git and a Debian 12 (or later) where packages may be
# installed: as root, or with sudo.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
    cat <<'TEXT'
usage: scripts/test.sh [--quick] [--host /path/to/mysql-proxy]

  --quick   leave out the fuzz targets
  --host    run the integration tests in this mysql-proxy instead of the bundled host
            (the same as PYPROXY_HOST in the environment)
TEXT
}

FUZZ_SECONDS=12
# The same inputs in each run: what fails there is what was changed. Longer runs from other seeds are made by hand.
FUZZ_SEED=1
FUZZ_JOBS=2
TEST_PACKAGES=(python3-venv libclang-dev binutils openssl redis-server haproxy prometheus chromium shellcheck lua5.1)

quick=false
while [ $# -gt 0 ]; do
    case $1 in
        --quick) quick=true ;;
        --host)
            [ $# -ge 2 ] || die "--host needs a path"
            PYPROXY_HOST=$(user_path "$2")
            export PYPROXY_HOST
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

passed=0
failed=()

# step TITLE COMMAND...: runs the command, in a shell of its own, and goes on if it fails.
step() {
    local title=$1 start=$SECONDS status
    shift
    heading "$title"
    set +e
    (
        set -e
        "$@"
    )
    status=$?
    set -e
    if [ "$status" -eq 0 ]; then
        passed=$((passed + 1))
        echo "--- $title: passed, $((SECONDS - start)) s"
    else
        failed+=("$title")
        echo "--- $title: FAILED with status $status, $((SECONDS - start)) s"
    fi
}

set_up() {
    install_packages "${BUILD_PACKAGES[@]}" "${SERVER_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
    require_rust
    require_component fmt rustfmt
    require_component clippy clippy
    mkdir -p "$TARGET_DIR"
    python_venv "$VENV" scripts/requirements.txt
    python_venv "$VENV" scripts/site/requirements.txt
    cargo --version
    "$BUILD_PYTHON" --version
    mariadbd --version
    echo "host: ${PYPROXY_HOST:-the bundled one}"
}

check_format() {
    cargo fmt --all --check
    cargo fmt --manifest-path fuzz/Cargo.toml --check
    "$VENV/bin/ruff" format --check "${PYTHON_SOURCES[@]}"
}

lint() {
    cargo clippy --locked --workspace --all-targets -- -D warnings
    cargo clippy --locked -p native --features testing --all-targets -- -D warnings
    "$VENV/bin/ruff" check "${PYTHON_SOURCES[@]}"
    shellcheck -x scripts/*.sh .ci/run
}

build_docs() {
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --lib
}

# The documentation site. Every warning is an error: a link or a heading that is not there, a page that no menu has.
build_site() {
    NO_MKDOCS_2_WARNING=1 "$VENV/bin/python3" -m mkdocs build --strict --site-dir "$TARGET_DIR/site"
}

check_bindings() {
    cargo test --locked -p chassis-sys --features bindgen
}

run_tests() {
    cargo build --locked -p pyproxy -p host
    cargo test --locked --workspace --no-fail-fast
    cargo test --locked -p native --features testing
    if [ -n "${PYPROXY_HOST:-}" ]; then
        # What needs the plugins of the original mysql-proxy beside ours.
        cargo test --locked -p pyproxy --test integration -- --ignored
    fi
}

# What depends most on who moves the bytes, with mysql-proxy's loop.
run_tests_with_the_hosts_loop() {
    PYPROXY_TEST_EVENT_LOOP=chassis cargo test --locked -p pyproxy --test integration -- \
        logins:: commands:: results:: failures:: pooling:: panics::
}

# A few clients, directly and through the proxy; client-matrix.sh alone has many more.
compare_clients() {
    use_debug_builds
    scripts/client-matrix.sh --quick
}

check_release_symbols() {
    cargo build --locked --release -p pyproxy
    PYPROXY_PLUGIN=$TARGET_DIR/release/libpyproxy.so cargo test --locked -p pyproxy --test symbols
}

# The Python library outside a proxy, as pip installs it.
check_library() {
    "$VENV/bin/python3" -m pip install --quiet --disable-pip-version-check ./python
    "$VENV/bin/python3" -m mypy --strict python/pyproxy
    "$VENV/bin/python3" -m pytest -q python
}

# What the following steps run, unless the environment names something else.
use_debug_builds() {
    export PYPROXY_PLUGIN=${PYPROXY_PLUGIN:-$TARGET_DIR/debug/libpyproxy.so}
    export PYPROXY_HOST=${PYPROXY_HOST:-$TARGET_DIR/debug/mysql-proxy}
}

# The Python library in a proxy, with real clients and servers.
check_library_in_proxy() {
    use_debug_builds
    # Two files at a time: they wait for servers most of the time.
    "$VENV/bin/python3" -m pytest -q -n 2 --dist loadfile tests/library
    "$VENV/bin/python3" -m pytest -q tests/conformance
    PYPROXY_TEST_EVENT_LOOP=chassis "$VENV/bin/python3" -m pytest -q tests/conformance
}

# Several proxies behind HAProxy, for a short while; scale-out.sh has the same for longer.
check_scaling() {
    use_debug_builds
    "$VENV/bin/python3" -m pytest -q tests/scaling
}

# What the pages show: Python, configurations, commands, data.
check_code_of_documentation() {
    use_debug_builds
    "$VENV/bin/python3" -m pytest -q tests/docs
}

# Behind the proxy the demo shows a rewritten query, a refused one, and what the script printed.
run_demo() {
    local deed
    scripts/demo.sh | tee "$TARGET_DIR/demo.log"
    for deed in "| Grace |" "DROP is not allowed here" "('Warning', '1365', 'Division by 0')"; do
        sed '1,/^==> Through the proxy/d' "$TARGET_DIR/demo.log" | grep -F "$deed" >/dev/null ||
            die "the demo does not show: $deed"
    done
}

fuzz() {
    local targets
    if ! cargo fuzz --version >/dev/null 2>&1; then
        cargo install --quiet --locked --root "$TARGET_DIR/tools" cargo-fuzz
    fi
    cargo fuzz build -s none
    targets=$(cargo fuzz list)
    # shellcheck disable=SC2086 # the names are words
    printf '%s\n' $targets |
        xargs -P "$FUZZ_JOBS" -I '{}' "$BASH" -c 'fuzz_one {}'
    echo "$(wc -w <<<"$targets") fuzz targets ran $FUZZ_SECONDS s each, nothing found"
}

fuzz_one() {
    local target=$1 log=$TARGET_DIR/fuzz-$1.log
    mkdir -p "fuzz/corpus/$target"
    if cargo fuzz run -s none "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -seed="$FUZZ_SEED" -max_total_time="$FUZZ_SECONDS" -rss_limit_mb=2048 >"$log" 2>&1; then
        printf '%-14s %s\n' "$target" "$(grep -a '^Done' "$log")"
    else
        printf '%-14s FAILED\n' "$target"
        tail -n 40 "$log"
        # Tells xargs to start no further target.
        return 255
    fi
}

VENV=$TARGET_DIR/test-venv
export PYPROXY_TEST_VENV=$VENV
export TARGET_DIR FUZZ_SECONDS FUZZ_SEED
export -f fuzz_one
PATH=$TARGET_DIR/tools/bin:$PATH
export CARGO_TERM_PROGRESS_WHEN=never
# Without a terminal nobody could answer a prompt.
exec </dev/null
PYTHON_SOURCES=(benches examples python scripts/site src/embed tests)

step "set up" set_up
if [ ${#failed[@]} -gt 0 ]; then
    die "without the set-up nothing else can run"
fi
step "format" check_format
step "lint" lint
step "documentation" build_docs
step "documentation site" build_site
step "bindings" check_bindings
step "tests" run_tests
step "tests with mysql-proxy's loop" run_tests_with_the_hosts_loop
step "symbols of the release library" check_release_symbols
step "Python library" check_library
step "Python library in a proxy" check_library_in_proxy
step "many proxies" check_scaling
step "code of the documentation" check_code_of_documentation
step "clients" compare_clients
step "demo" run_demo
if ! $quick; then
    step "fuzz targets" fuzz
fi

echo
for title in ${failed[@]+"${failed[@]}"}; do
    echo "failed: $title"
done
echo "test.sh: $passed steps passed, ${#failed[@]} failed, $SECONDS s"
[ ${#failed[@]} -eq 0 ]
