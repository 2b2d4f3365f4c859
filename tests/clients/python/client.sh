# The Python drivers. Sourced by scripts/client-matrix.sh; see ../README.md.
# shellcheck shell=bash disable=SC2034

# scripts/client-matrix.sh --quick brings its own environment, with PyMySQL.
VENV=${MATRIX_VENV:-$WORK/python/venv}
CLIENTS=(
    pymysql mysql-connector mysql-connector-c mysqlclient aiomysql asyncmy sqlalchemy django peewee
)
PACKAGES=(python3-venv)
[ -n "${MATRIX_VENV:-}" ] || PACKAGES+=(python3-dev libmariadb-dev)

prepare() {
    [ -n "${MATRIX_VENV:-}" ] || python_venv "$VENV" "$CLIENTS_DIR/python/requirements.txt"
}

# Prints the name of a client's package.
package_of() {
    case $1 in
        pymysql) echo PyMySQL ;;
        mysql-connector*) echo mysql-connector-python ;;
        sqlalchemy) echo SQLAlchemy ;;
        django) echo Django ;;
        *) echo "$1" ;;
    esac
}

version() {
    "$VENV/bin/python3" -c 'import importlib.metadata, sys
print(importlib.metadata.version(sys.argv[1]))' "$(package_of "$1")"
}

run() {
    local program=dbapi library_path=''
    case $1 in
        aiomysql | asyncmy) program=asynchronous ;;
        sqlalchemy | django | peewee) program=$1_orm ;;
        # The wheel brings a newer OpenSSL than Debian has.
        mysql-connector-c) library_path=$(echo "$VENV"/lib/*/site-packages/mysql/vendor) ;;
    esac
    [ -z "$library_path" ] || export LD_LIBRARY_PATH=$library_path
    exec "$VENV/bin/python3" "$CLIENTS_DIR/python/$program.py" "$1"
}
