# The Perl drivers. Sourced by scripts/client-matrix.sh; see ../README.md.
# shellcheck shell=bash disable=SC2034

CLIENTS=(perl-mysql perl-mariadb)
PACKAGES=(libdbd-mysql-perl libdbd-mariadb-perl)

prepare() {
    :
}

# Prints the name of a client's DBI driver.
driver_of() {
    case $1 in
        perl-mysql) echo mysql ;;
        *) echo MariaDB ;;
    esac
}

version() {
    local driver
    driver=$(driver_of "$1")
    perl "-MDBD::$driver" -e "print DBD::$driver->VERSION"
}

run() {
    exec perl "$CLIENTS_DIR/perl/checks.pl" "$(driver_of "$1")"
}
