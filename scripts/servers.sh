#!/usr/bin/env bash
# Today's servers, MySQL 9.7 and MariaDB 11.8 of Debian's unstable suite, beside the system's own.
# Each is installed into a small Debian of its own. It runs outside of that, through the loader of
# that Debian, since its C library is newer: so a start needs neither root nor a mount.
#
# DIR/mysql and DIR/mariadb:
#   root     the Debian
#   data     a data folder as the server makes it, which others copy
#   mysqld or mariadbd, mysql or mariadb    start the server and its client
#   run      data, socket, port, process id and log of the server that this script started
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
    cat <<'TEXT'
usage: scripts/servers.sh [start | stop | remove] [DIR]

  start   install what is missing, start what does not run, print the addresses (the default)
  stop    end the servers that this script started
  remove  stop, and remove DIR

DIR is target/servers unless it is named. The installation needs root or sudo, debootstrap, about
five minutes and 2 GB; it takes packages from where apt of this machine takes them
(PYPROXY_DEBIAN_MIRROR names another mirror).

Each server has the database "test", and the user "u" with the password "pw" who may do everything.
TEXT
}

SERVERS=(mysql mariadb)
SUITE=sid

action=start
case ${1:-} in
    start | stop | remove)
        action=$1
        shift
        ;;
    -h | --help)
        usage
        exit
        ;;
esac
[ $# -le 1 ] || {
    usage >&2
    exit 2
}
dir=$(cd "$CALLER_DIR" && realpath -m -- "${1:-$TARGET_DIR/servers}")

# The mirror from which apt takes this Debian's main packages.
mirror() {
    local found
    if [ -n "${PYPROXY_DEBIAN_MIRROR:-}" ]; then
        echo "$PYPROXY_DEBIAN_MIRROR"
        return
    fi
    # shellcheck disable=SC2016 # apt replaces these
    found=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT) $(RELEASE)' 'Created-By: Packages' |
        awk '/debian/ && $2 == "main" && $3 !~ /-(security|updates)/ && !seen { print $1; seen = 1 }')
    [ -n "$found" ] || die "apt has no mirror of Debian: name one in PYPROXY_DEBIAN_MIRROR"
    echo "$found"
}

# unmount ROOT: takes away what mount_system has mounted, also that of a run that was interrupted.
unmount() {
    local point
    for point in proc dev; do
        # Lazily: a program of a package may look at it for a moment longer.
        ! mountpoint -q "$1/$point" || as_root umount --lazy "$1/$point"
    done
}

unmount_all() {
    local server
    unmount "$dir/base.new"
    for server in "${SERVERS[@]}"; do
        unmount "$dir/$server/root"
    done
}

# remove_tree FOLDER: never follows into what is mounted.
remove_tree() {
    as_root rm -rf --one-file-system -- "$1"
}

# What installs a package in a Debian that is only a folder.
mount_system() {
    as_root mount --bind /proc "$1/proc"
    as_root mount --bind /dev "$1/dev"
}

make_base() {
    local root=$dir/base.new
    [ ! -d "$dir/base" ] || return 0
    remove_tree "$root"
    echo "making a Debian $SUITE in $dir/base"
    # debootstrap takes away what it mounts.
    as_root debootstrap --variant=minbase "$SUITE" "$root" "$(mirror)" >"$dir/base.log" 2>&1 ||
        die "debootstrap failed: $(tail -n 5 "$dir/base.log")"
    as_root cp -r /etc/apt/apt.conf.d "$root/etc/apt/"
    as_root mkdir -p "$root/etc/ssl/certs"
    as_root cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    as_root cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    # No service is started by its package.
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$root/usr/sbin/policy-rc.d" >/dev/null
    as_root chmod 755 "$root/usr/sbin/policy-rc.d"
    mv "$root" "$dir/base"
}

# make_starter SERVER PROGRAM OPTION...: makes DIR/SERVER/PROGRAM, which starts that program with the
# libraries of its own Debian, without files of options, and with these options first.
make_starter() {
    local folder=$dir/$1 root=$dir/$1/root program=$2 loader libraries
    shift 2
    loader=$(find -L "$root/usr/lib64" "$root/usr/lib" -maxdepth 1 -name 'ld-linux*' 2>/dev/null | head -n 1)
    libraries=$(find "$root/usr/lib" -maxdepth 1 -name '*-linux-gnu' | head -n 1)
    cat >"$folder/$program" <<TEXT
#!/bin/sh
[ "\${1:-}" != --no-defaults ] || shift
exec '$loader' --library-path '$libraries' \\
    '$(find "$root/usr/sbin" "$root/usr/bin" -name "$program" | head -n 1)' --no-defaults $* "\$@"
TEXT
    chmod 755 "$folder/$program"
}

# The data folders are made for the user who calls, who also starts the servers.
make_mysql_data() {
    make_starter mysql mysqld "--basedir='$dir/mysql/root/usr'" --secure-file-priv=
    make_starter mysql mysql
    "$dir/mysql/mysqld" --initialize-insecure --datadir="$dir/mysql/data" "${as_user[@]}"
}

# mariadb-install-db starts the server itself, so it runs inside.
make_mariadb_data() {
    make_starter mariadb mariadbd "--basedir='$dir/mariadb/root/usr'"
    # Without a password it could not verify the server, and refused to go on.
    make_starter mariadb mariadb --skip-ssl
    as_root chroot "$dir/mariadb/root" mariadb-install-db --no-defaults --force --user=root \
        --datadir=/data --auth-root-authentication-method=normal --skip-test-db
    as_root mv "$dir/mariadb/root/data" "$dir/mariadb/data"
    as_root chown -R "$(id -u):$(id -g)" "$dir/mariadb/data"
}

install_server() {
    local server=$1 root=$dir/$1/root
    [ ! -e "$dir/$server/installed" ] || return 0
    remove_tree "$dir/$server"
    make_base
    echo "installing $server"
    mkdir -p "$dir/$server"
    as_root cp -a "$dir/base" "$root"
    mount_system "$root"
    {
        as_root chroot "$root" apt-get -q update &&
            as_root chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 \
                install --no-install-recommends "$server-server" "$server-client" &&
            as_root chroot "$root" apt-get -q clean &&
            "make_${server}_data"
    } >"$dir/$server.log" 2>&1 ||
        die "$server cannot be installed: $(tail -n 5 "$dir/$server.log")"
    unmount "$root"
    touch "$dir/$server/installed"
}

# Prints the process id of the server, if it is one that this script started and that still runs.
running() {
    local pid_file=$dir/$1/run/pid pid
    [ -s "$pid_file" ] || return 0
    pid=$(cat "$pid_file")
    # The id may be another process's by now.
    ! tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF -- "--datadir=$dir/$1/run/data" ||
        echo "$pid"
}

start_server() {
    local server=$1 folder=$dir/$1 run=$dir/$1/run port pid program
    [ -z "$(running "$server")" ] || return 0
    program=$(find "$folder" -maxdepth 1 -name '*d' -type f -perm -100 -name "${server}*")
    mkdir -p "$run"
    [ -d "$run/data" ] || cp -r --sparse=always "$folder/data" "$run/data"
    cat >"$run/init.sql" <<'TEXT'
CREATE DATABASE IF NOT EXISTS test;
CREATE USER IF NOT EXISTS 'u'@'%' IDENTIFIED BY 'pw';
GRANT ALL ON *.* TO 'u'@'%' WITH GRANT OPTION;
TEXT
    port=$(free_port)
    setsid "$program" --datadir="$run/data" --socket="$run/sock" --pid-file="$run/server.pid" \
        --bind-address=127.0.0.1 --port="$port" --init-file="$run/init.sql" --skip-name-resolve \
        --local-infile=1 "${as_user[@]}" "${more[$server]}" </dev/null >"$run/log" 2>&1 &
    pid=$!
    echo "$pid" >"$run/pid"
    echo "$port" >"$run/port"
    wait_until "$pid" "$folder/$server" --socket="$run/sock" -u u -ppw -e 'SELECT 1' ||
        die "$server does not start: $(tail -n 5 "$run/log")"
}

print_address() {
    local run=$dir/$1/run
    echo "$1: 127.0.0.1:$(cat "$run/port"), user u, password pw, database test"
    echo "    $dir/$1/$1 -h 127.0.0.1 -P $(cat "$run/port") -u u -ppw test"
}

stop_server() {
    local pid
    pid=$(running "$1")
    [ -z "$pid" ] || stop_process "$pid"
    rm -f "$dir/$1/run/pid"
}

# Servers refuse to run as root unless told to.
as_user=()
[ "$(id -u)" -ne 0 ] || as_user=(--user=root)
declare -A more=([mysql]=--mysqlx=OFF [mariadb]=--skip-log-bin)

case $action in
    start)
        if [ ! -e "$dir/mysql/installed" ] || [ ! -e "$dir/mariadb/installed" ]; then
            install_packages debootstrap
        fi
        mkdir -p "$dir"
        trap unmount_all EXIT
        unmount_all
        for server in "${SERVERS[@]}"; do
            install_server "$server"
            start_server "$server"
        done
        remove_tree "$dir/base"
        for server in "${SERVERS[@]}"; do
            print_address "$server"
        done
        ;;
    stop | remove)
        unmount_all
        for server in "${SERVERS[@]}"; do
            stop_server "$server"
        done
        [ "$action" = stop ] || remove_tree "$dir"
        ;;
esac
