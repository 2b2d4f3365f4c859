# PHP's mysqli and PDO over its own driver, mysqlnd. Sourced by scripts/client-matrix.sh; see
# ../README.md.
# shellcheck shell=bash disable=SC2034

CLIENTS=(php-mysqli php-pdo)
PACKAGES=(php-cli php-mysql)

prepare() {
    :
}

version() {
    php -r 'echo PHP_VERSION;'
}

run() {
    exec php -d memory_limit=1G -d mysqli.allow_local_infile=1 -d display_errors=stderr \
        "$CLIENTS_DIR/php/${1#php-}.php"
}
