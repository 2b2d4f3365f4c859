#!/usr/bin/env bash
# Installs a .deb of scripts/release.sh in a fresh Debian, runs it, and removes it again. Or makes it there first.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
    cat <<'TEXT'
usage: scripts/package-test.sh --host /path/to/mysql-proxy [--with PACKAGE]... FILE.deb [SUITE]
       scripts/package-test.sh --build [SUITE]

  --build the .deb and the bundled host are built there, from what is committed, with this machine's Rust: a package is for the Python
          of one release
  --host  the mysql-proxy that runs it there
  --with  a package that this needs in that Debian, such as libevent-2.1-7
  SUITE   a Debian release (default: that of this machine)

Needs root. The fresh Debian is a folder, made with debootstrap and removed at the end.
TEXT
}

build=false
host=
packages=(python3-minimal)
while [ $# -gt 0 ]; do
    case $1 in
        --build) build=true ;;
        --host)
            [ $# -ge 2 ] || die "--host needs a path"
            host=$(user_path "$2")
            shift
            ;;
        --with)
            [ $# -ge 2 ] || die "--with needs a package"
            packages+=("$2")
            shift
            ;;
        -h | --help)
            usage
            exit
            ;;
        -*)
            usage >&2
            exit 2
            ;;
        *) break ;;
    esac
    shift
done
# shellcheck source=/dev/null
default_suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
if $build; then
    suite=${1:-$default_suite}
    packages+=(git python3-venv "${BUILD_PACKAGES[@]}")
elif [ $# -ge 1 ] && [ -n "$host" ]; then
    deb=$(user_path "$1")
    suite=${2:-$default_suite}
else
    usage >&2
    exit 2
fi
[ "$(id -u)" -eq 0 ] || die "needs root"

install_packages debootstrap lintian
root=$(mktemp -d)
chmod 755 "$root"
trap 'umount -q "$root/proc" || true; rm -rf --one-file-system -- "$root"' EXIT
heading "Debian $suite"
debootstrap --variant=minbase "$suite" "$root" >"$root.log" 2>&1 ||
    die "debootstrap fails, see $root.log"
rm -f -- "$root.log"
mount -t proc proc "$root/proc"
# No service may start there.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"

inside() {
    chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
}

if $build; then
    heading "build"
    require_rust
    inside apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends "${packages[@]}" >/dev/null
    # This machine may reach others through one that has its own certificate.
    cp -- /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    # Copies: what is mounted below a folder that is removed at the end may be removed with it.
    git clone --quiet "$ROOT" "$root/src"
    cp -a -- "$(rustc --print sysroot)" "$root/opt/rust"
    mkdir "$root/cargo"
    for part in config.toml registry; do
        [ ! -e "${CARGO_HOME:-$HOME/.cargo}/$part" ] || cp -a -- "${CARGO_HOME:-$HOME/.cargo}/$part" "$root/cargo/"
    done
    there() {
        inside env PATH="/opt/rust/bin:$PATH" CARGO_HOME=/cargo CARGO_TARGET_DIR=/build CARGO_HTTP_CAINFO=/etc/ssl/certs/ca-certificates.crt \
            PYO3_PYTHON=/usr/bin/python3 "$@"
    }
    there /src/scripts/release.sh --unreleased --out /packages
    there cargo build --quiet --release --locked --manifest-path /src/Cargo.toml -p host
    deb=$(echo "$root"/packages/*.deb)
    host=$root/build/release/mysql-proxy
fi

heading "lintian"
lintian --allow-root --fail-on error,warning "$deb"

heading "install"
cp -- "$deb" "$root/pyproxy.deb"
inside apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends ./pyproxy.deb "${packages[@]}" >/dev/null
install -m 755 "$host" "$root/usr/local/bin/mysql-proxy"
# What it was built with is no part of it.
rm -rf -- "$root"/{build,cargo,packages,src,opt/rust}
[ "$(inside stat -c '%a %G' /etc/pyproxy/pyproxy.cnf)" = "640 pyproxy" ] ||
    die "the configuration can be read by everybody"
cat >"$root/links.py" <<'PYTHON'
"""Says which links of the documentation lead nowhere."""
import pathlib
import re
import sys

broken = [
    f"{page}: {link}"
    for page in pathlib.Path("/usr/share/doc/pyproxy").rglob("*.md")
    for link in re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", page.read_text())
    if not (page.parent / link).exists()
]
sys.exit("\n".join(broken) or 0)
PYTHON
inside python3 /links.py || die "links lead nowhere"

heading "run"
cat >"$root/hooks.py" <<'PYTHON'
import pyproxy.hooks


def init(proxy):
    print("the script runs", flush=True)
PYTHON
cat >"$root/check.py" <<'PYTHON'
"""Runs the proxy as the unit does, and asks it whether it lives and what it says."""
import subprocess
import sys
import time
import urllib.request

proxy = subprocess.Popen(
    [
        "setpriv", "--reuid=pyproxy", "--regid=pyproxy", "--clear-groups", "mysql-proxy", "--defaults-file=/etc/pyproxy/pyproxy.cnf",
        "--log-file=/var/log/pyproxy/pyproxy.log", "--pyproxy-address=127.0.0.1:24045",
        "--pyproxy-http-address=127.0.0.1:24046", "--pyproxy-python-script=/hooks.py",
    ],
    stdout=subprocess.PIPE, text=True,
)
try:
    assert proxy.stdout.readline() == "the script runs\n"
    for _ in range(100):
        try:
            live = urllib.request.urlopen("http://127.0.0.1:24046/health/live", timeout=5)
            break
        except OSError:
            time.sleep(0.1)
    else:
        sys.exit("nobody answers")
    print(live.status, live.read().decode())
finally:
    proxy.terminate()
print("exit code", code := proxy.wait(20))
sys.exit(code)
PYTHON
inside install -d -o pyproxy -g pyproxy /var/log/pyproxy
inside python3 /check.py || {
    cat "$root/var/log/pyproxy/pyproxy.log" >&2
    die "it does not run"
}

heading "remove"
inside apt-get -q -y -o Dpkg::Use-Pty=0 purge pyproxy >/dev/null
left=$(inside find / -xdev -path /proc -prune -o -name '*pyproxy*' -print | grep -v -e '^/pyproxy.deb$' -e /dpkg/ -e /apt/ || true)
[ -z "$left" ] || die "the package leaves behind: $left"
echo "nothing is left"
