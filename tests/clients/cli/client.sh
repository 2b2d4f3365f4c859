# The mariadb command line. Sourced by scripts/client-matrix.sh; see ../README.md.
# shellcheck shell=bash disable=SC2034

CLIENTS=(mariadb-cli)
PACKAGES=(mariadb-client)

prepare() {
    :
}

version() {
    mariadb --version | sed 's/.*Distrib \([^,]*\),.*/\1/'
}

run() {
    exec "$BASH" "$CLIENTS_DIR/cli/checks.sh"
}
