#!/usr/bin/env bash
# Builds the plugin and installs it into a mysql-proxy, with ready-made scripts and examples.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
    cat <<'TEXT'
usage: scripts/install.sh [--prefix DIR] [--any-prefix] [--uninstall]

  --prefix     where mysql-proxy is installed (default: the prefix of the mysql-proxy on PATH,
               else /usr/local)
  --any-prefix install although no mysql-proxy is in DIR/bin or DIR/sbin
  --uninstall  remove what an installation put there

Installs the plugin into DIR/lib/mysql-proxy/plugins, the ready-made scripts into
DIR/share/mysql-proxy/pyproxy and the examples into DIR/share/doc/pyproxy/examples.

With PYPROXY_PLUGIN in the environment that library is installed and nothing is built. Building is
done as the calling user; writing is done as root if the folder demands it.
TEXT
}

default_prefix() {
    local host
    if host=$(command -v mysql-proxy); then
        host=$(realpath "$host")
        dirname "$(dirname "$host")"
    else
        echo /usr/local
    fi
}

prefix=
any_prefix=false
uninstall=false
while [ $# -gt 0 ]; do
    case $1 in
        --prefix)
            [ $# -ge 2 ] || die "--prefix needs a folder"
            prefix=$(cd "$CALLER_DIR" && realpath -m -- "$2")
            shift
            ;;
        --any-prefix) any_prefix=true ;;
        --uninstall) uninstall=true ;;
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
prefix=${prefix:-$(default_prefix)}

# What goes where. Files whose names start with _ belong to the package, not to users.
PLUGIN_DIR=$prefix/lib/mysql-proxy/plugins
HOOKS_DIR=$prefix/share/mysql-proxy/pyproxy
DOC_DIR=$prefix/share/doc/pyproxy
EXAMPLES_DIR=$DOC_DIR/examples
shopt -s nullglob
HOOKS=(python/pyproxy/hooks/[!_]*.py)
EXAMPLES=(examples/*.py examples/README.md)

# Runs a command that writes below the prefix.
writing() {
    local existing=$prefix
    while [ ! -e "$existing" ]; do
        existing=$(dirname "$existing")
    done
    if [ -w "$existing" ]; then
        "$@"
    else
        as_root "$@"
    fi
}

# Nobody would load a plugin where no mysql-proxy is.
check_prefix() {
    $any_prefix || [ -x "$prefix/bin/mysql-proxy" ] || [ -x "$prefix/sbin/mysql-proxy" ] ||
        die "there is no mysql-proxy in $prefix/bin or $prefix/sbin: --prefix names another folder," \
            "--any-prefix installs all the same"
}

# The file must be a shared library with our entry point and our options in it.
check_plugin() {
    local plugin=$1 magic
    magic=$(head -c 4 -- "$plugin" | od -An -c | tr -d ' \n')
    if [ "$magic" != '177ELF' ] || ! grep -aq plugin_init -- "$plugin" ||
        ! grep -aq pyproxy-python-script -- "$plugin"; then
        die "$plugin is no pyproxy library"
    fi
}

install_all() {
    check_prefix
    local plugin=$TARGET_DIR/release/libpyproxy.so
    if [ -n "${PYPROXY_PLUGIN:-}" ]; then
        plugin=$(user_path "$PYPROXY_PLUGIN")
    else
        heading "Building"
        install_packages "${BUILD_PACKAGES[@]}"
        require_rust
        cargo build --quiet --locked --release -p pyproxy
    fi

    check_plugin "$plugin"
    heading "Installing into $prefix"
    writing install -d "$PLUGIN_DIR" "$HOOKS_DIR" "$EXAMPLES_DIR"
    writing install -m 644 "$plugin" "$PLUGIN_DIR/libpyproxy.so"
    writing install -m 644 "${HOOKS[@]}" "$HOOKS_DIR"
    writing install -m 644 "${EXAMPLES[@]}" "$EXAMPLES_DIR"
    cat <<TEXT
$PLUGIN_DIR/libpyproxy.so
$HOOKS_DIR: ${#HOOKS[@]} scripts
$EXAMPLES_DIR: ${#EXAMPLES[@]} files

In the ini file of mysql-proxy (--defaults-file, mode 0600):

[mysql-proxy]
plugins = pyproxy
plugin-dir = $PLUGIN_DIR
pyproxy-address = :4045
pyproxy-backend-addresses = 127.0.0.1:3306
pyproxy-python-script = $EXAMPLES_DIR/query_log.py
TEXT
}

# Removes the files of this version by name, and the folders that are empty then: other files in
# them are not ours.
uninstall_all() {
    local file folder files=("$PLUGIN_DIR/libpyproxy.so")
    for file in "${HOOKS[@]}"; do
        files+=("$HOOKS_DIR/${file##*/}")
    done
    for file in "${EXAMPLES[@]}"; do
        files+=("$EXAMPLES_DIR/${file##*/}")
    done
    heading "Removing from $prefix"
    writing rm -f -- "${files[@]}"
    for folder in "$HOOKS_DIR" "${HOOKS_DIR%/*}" "$EXAMPLES_DIR" "$DOC_DIR"; do
        [ ! -d "$folder" ] || writing rmdir --ignore-fail-on-non-empty -- "$folder"
    done
}

if $uninstall; then
    uninstall_all
else
    install_all
fi
