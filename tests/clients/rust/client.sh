# The Rust drivers. Sourced by scripts/client-matrix.sh; see ../README.md.
# shellcheck shell=bash disable=SC2034

CLIENTS=(rust-mysql rust-mysql_async rust-sqlx)
PACKAGES=()

prepare() {
    cargo build --locked --release --manifest-path "$CLIENTS_DIR/rust/Cargo.toml" \
        --target-dir "$WORK/rust"
}

version() {
    cargo pkgid --locked --offline --manifest-path "$CLIENTS_DIR/rust/Cargo.toml" "${1#rust-}" |
        sed 's/.*[@#]//'
}

run() {
    exec "$WORK/rust/release/client-checks" "${1#rust-}"
}
