# Go's driver as Debian packages it. Sourced by scripts/client-matrix.sh; see ../README.md.
# shellcheck shell=bash disable=SC2034

CLIENTS=(go-mysql)
PACKAGES=(golang-go golang-github-go-sql-driver-mysql-dev)

prepare() {
    # The packages of Debian are a GOPATH, not modules.
    GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS='' GOCACHE=$WORK/go/cache \
        go build -o "$WORK/go/checks" "$CLIENTS_DIR"/go/*.go
}

version() {
    dpkg-query -W -f '${Version}' golang-github-go-sql-driver-mysql-dev
}

run() {
    exec "$WORK/go/checks"
}
