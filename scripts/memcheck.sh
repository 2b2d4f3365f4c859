#!/usr/bin/env bash
# Looks for invalid memory access and for memory and descriptors that are not given back, in a host with the plugin:
#
#   integration  the integration tests with the host under valgrind (memcheck): no invalid access, no use of
#                uninitialised memory, no block that is definitely lost
#   growth       N and 4 N connections, and N and 4 N queries, under valgrind, through a script with all hooks: what is
#                left at the end, lost or reachable, must not depend on the number
#   threads      eight event threads, a script with busy threads, random clients, under valgrind
#   plain        at full speed, in a release build: 200000 queries, 20000 connections, 2000 vanishing clients with one
#                and with four event threads; memory and descriptors stay
#   races        when named only: tests and the load of "threads" under ThreadSanitizer, in the bundled host: no data race.
#                Needs Rust's nightly toolchain, for a standard library with the sanitizer
#
# Python allocates with malloc meanwhile, so that memcheck sees each object. tests/valgrind.supp has what CPython itself
# is known for. The logs stay in <target>/memcheck. Takes about an hour on two processors; needs the packages of
# scripts/test.sh and valgrind, which it installs.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
    cat <<'TEXT'
usage: scripts/memcheck.sh [--host /path/to/mysql-proxy] [--seconds N] [PART...]

  PART       integration, growth, threads, plain, races (default: all but races)
  --host     check the plugin in this mysql-proxy instead of the bundled host (the same as PYPROXY_HOST)
  --seconds  duration of the part threads, and of the same load in races (default: 300)
TEXT
}

# Tests that measure time or resident memory, which valgrind changes, or that move so much that it would take hours; and those
# that fork, since CPython loses its own locks in each child.
UNFIT=(
    big_packets::a_result_of_300_mb_streams_with_bounded_memory
    concurrency::a_slow_query_does_not_hold_up_another_client
    leaks::connections_leave_nothing_behind
    leaks::queries_leave_nothing_behind
    scripting::forks
)
# The tests of the part races: those in which threads share most.
SHARING=(backends:: concurrency:: failures:: pooling:: scripting:: tls:: waiting:: watchdog::)
TEST_THREADS=4
GROWTH_SESSIONS=40
GROWTH_QUERIES=300
# Bytes that the longer run may keep more than the shorter: blocks that Python caches, in another state at each end.
GROWTH_TOLERANCE=4096

parts=()
seconds=300
while [ $# -gt 0 ]; do
    case $1 in
        --host)
            [ $# -ge 2 ] || die "--host needs a path"
            PYPROXY_HOST=$(user_path "$2")
            export PYPROXY_HOST
            shift
            ;;
        --seconds)
            [ $# -ge 2 ] || die "--seconds needs a number"
            seconds=$2
            shift
            ;;
        integration | growth | threads | plain | races) parts+=("$1") ;;
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
[ ${#parts[@]} -gt 0 ] || parts=(integration growth threads plain)

LOGS=$TARGET_DIR/memcheck
VENV=$TARGET_DIR/test-venv
export PYPROXY_TEST_VENV=${PYPROXY_TEST_VENV:-$VENV}

# under_valgrind NAME COMMAND...: runs tests with each host under memcheck; its log is <LOGS>/NAME/<pid>. Fails if the
# tests fail or a log has a finding.
under_valgrind() {
    local name=$1 dir=$LOGS/$1 status=0
    shift
    rm -rf "$dir"
    mkdir -p "$dir"
    PYTHONMALLOC=malloc PYTHONHASHSEED=0 PYPROXY_HOST_WRAPPER="$(wrapper "$dir")" "$@" || status=$?
    report "$name" "$dir" || status=1
    return "$status"
}

# The words of the wrapper command; %p is the process id. Deep stacks, since a suppression may match far from the top.
wrapper() {
    local words=(valgrind --tool=memcheck --error-exitcode=99 --num-callers=60
        --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
        "--suppressions=$ROOT/tests/valgrind.supp" "--log-file=$1/%p")
    echo "${words[*]}"
}

# Shows the findings of the logs in directory $2. A clean log has no stack.
report() {
    local name=$1 dir=$2 logs bad
    logs=$(find "$dir" -type f | wc -l)
    [ "$logs" -gt 0 ] || die "$name: no host ran under valgrind"
    bad=$(grep -lE '^==[0-9]+== +at 0x' "$dir"/* || true)
    if [ -z "$bad" ]; then
        echo "$name: $logs host processes under memcheck, no finding"
        return 0
    fi
    echo "$name: findings in $(wc -w <<<"$bad") of $logs host processes:"
    # shellcheck disable=SC2086 # paths of our own, without blanks
    printf '  %s\n' $bad
    sed -E 's/^==[0-9]+== ?//' "${bad%%$'\n'*}" | head -n 80
    return 1
}

soak() {
    cargo test --locked --quiet --test soak -- --ignored --exact --nocapture "$@"
}

integration() {
    local skip=() test
    for test in "${UNFIT[@]}"; do
        skip+=(--skip "$test")
    done
    under_valgrind integration \
        cargo test --locked --test integration -- --test-threads "$TEST_THREADS" "${skip[@]}"
}

# left_over NAME KINDS: the sum of the bytes of these kinds in the leak summary of the one log.
left_over() {
    local name=$1 kinds=$2
    sed -nE "s/^==[0-9]+== +($kinds): ([0-9,]+) bytes.*/\\2/p" "$LOGS/$name"/* | tr -d , |
        awk '{ sum += $1 } END { print sum + 0 }'
}

growth() {
    local status=0
    grows_not connections_give_all_back PYPROXY_SOAK_SESSIONS "$GROWTH_SESSIONS" || status=1
    grows_not queries_give_all_back PYPROXY_SOAK_QUERIES "$GROWTH_QUERIES" || status=1
    return "$status"
}

# grows_not TEST VARIABLE N: runs a test with N and with 4 N and compares what is left.
grows_not() {
    local test=$1 variable=$2 n=$3 factor kinds short long status=0
    for factor in 1 4; do
        (
            export "$variable=$((n * factor))"
            under_valgrind "growth-$test-$factor" soak "growth::$test"
        ) || status=1
    done
    for kinds in "definitely lost|indirectly lost|possibly lost" "still reachable"; do
        short=$(left_over "growth-$test-1" "$kinds")
        long=$(left_over "growth-$test-4" "$kinds")
        echo "$test: $kinds: $short bytes after $n, $long bytes after $((4 * n))"
        [ $((long - short)) -le "$GROWTH_TOLERANCE" ] || status=1
    done
    return "$status"
}

threads() {
    PYPROXY_SOAK_SECONDS=$seconds under_valgrind threads soak threads::busy_threads_and_random_clients
}

plain() {
    cargo build --locked --release -p pyproxy -p host
    cargo test --locked --release --quiet --test soak -- --ignored --nocapture --test-threads 1 growth:: churn:: waiting::
}

# The host and the plugin with ThreadSanitizer, in <target>/races.
build_for_races() {
    local names target=$1 flags=()
    # The plugin takes the sanitizer's functions from the host.
    for names in '__tsan_*' '__sanitizer_*'; do
        flags+=("-Clink-arg=-Wl,--export-dynamic-symbol=$names")
    done
    export CARGO_TARGET_DIR=$TARGET_DIR/races CARGO_PROFILE_DEV_OPT_LEVEL=1
    export RUSTFLAGS=-Zsanitizer=thread
    cargo +nightly build --locked -Zbuild-std --target "$target" -p pyproxy
    cargo +nightly rustc --locked -Zbuild-std --target "$target" -p host --bin mysql-proxy -- "${flags[@]}"
}

races() {
    local target dir=$LOGS/races tests=() status=0
    target=$(rustc -vV | sed -n 's/^host: //p')
    (build_for_races "$target")
    export PYPROXY_HOST=$TARGET_DIR/races/$target/debug/mysql-proxy
    export PYPROXY_PLUGIN=$TARGET_DIR/races/$target/debug/libpyproxy.so
    # GLib's slices go from thread to thread in ways that the sanitizer does not see.
    export G_SLICE=always-malloc
    export TSAN_OPTIONS="log_path=$dir/log history_size=7 exitcode=0 die_after_fork=0 allocator_may_return_null=1"
    # A host that the watchdog ends has threads that nobody has waited for yet.
    TSAN_OPTIONS+=" report_thread_leaks=0"
    rm -rf "$dir"
    mkdir -p "$dir"
    cargo test --locked --quiet --test integration -- --test-threads "$TEST_THREADS" "${SHARING[@]}" || status=1
    tests=(threads::busy_threads_and_random_clients churn::with_four_event_threads waiting::waiting_hooks_leave_nothing_behind)
    PYPROXY_SOAK_SECONDS=$seconds PYPROXY_SOAK_SESSIONS=2000 soak --test-threads 1 "${tests[@]}" || status=1
    if [ -n "$(find "$dir" -type f)" ]; then
        echo "races: found in ${dir}:"
        cat "$dir"/* | grep -h '^SUMMARY' | sort | uniq -c
        status=1
    fi
    return "$status"
}

heading "set up"
install_packages "${BUILD_PACKAGES[@]}" "${SERVER_PACKAGES[@]}" haproxy python3-venv valgrind
require_rust
[[ " ${parts[*]} " != *" races "* ]] || rustup component add rust-src --toolchain nightly
mkdir -p "$LOGS"
[ "$PYPROXY_TEST_VENV" != "$VENV" ] || python_venv "$VENV" scripts/requirements.txt
cargo build --locked -p pyproxy -p host
valgrind --version
echo "host: ${PYPROXY_HOST:-the bundled one}"

failed=()
for part in "${parts[@]}"; do
    heading "$part"
    start=$SECONDS
    set +e
    (
        set -e
        "$part"
    )
    status=$?
    set -e
    if [ "$status" -eq 0 ]; then
        echo "--- $part: passed, $((SECONDS - start)) s"
    else
        failed+=("$part")
        echo "--- $part: FAILED, $((SECONDS - start)) s"
    fi
done

echo
echo "memcheck.sh: ${#failed[@]} of ${#parts[@]} parts failed: ${failed[*]:-none}; $SECONDS s; logs in $LOGS"
[ ${#failed[@]} -eq 0 ]
