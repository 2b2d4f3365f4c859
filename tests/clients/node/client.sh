# The Node drivers. Sourced by scripts/client-matrix.sh; see ../README.md.
# shellcheck shell=bash disable=SC2034

CLIENTS=(node-mysql2 node-mariadb node-mysql)
PACKAGES=()
# Other distributors of Node deliver npm with it.
command -v npm >/dev/null || PACKAGES+=(nodejs npm)

prepare() {
    cp "$CLIENTS_DIR/node/package.json" "$CLIENTS_DIR/node/package-lock.json" "$WORK/node/"
    npm ci --prefix "$WORK/node" --no-audit --no-fund
}

version() {
    node -p 'require(process.argv[1]).version' "$WORK/node/node_modules/${1#node-}/package.json"
}

run() {
    NODE_PATH=$WORK/node/node_modules exec node "$CLIENTS_DIR/node/main.js" "${1#node-}"
}
