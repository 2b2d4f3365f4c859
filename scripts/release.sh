#!/usr/bin/env bash
# Makes the packages of a release: a tarball, a .deb and a Python wheel, with their checksums.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
    cat <<'TEXT'
usage: scripts/release.sh [--unreleased] [--prefix DIR] [--out DIR]

  --unreleased  make them although CHANGELOG.md has no section for this version
  --prefix      that of the mysql-proxy for which the .deb is: the plugin goes to DIR/lib/mysql-proxy/plugins (default: the folder of
                this architecture, /usr/lib/TRIPLET/mysql-proxy/plugins)
  --out         where they go (default: packages below the target folder)

Makes pyproxy-VERSION-linux-ARCH.tar.gz, pyproxy_VERSION-1_ARCH.deb, a wheel and SHA256SUMS. They are for the distribution, and the
version of Python, that this machine has. It installs what is missing: Debian packages, cargo-deb and maturin.

With PYPROXY_PLUGIN in the environment that library is packed and nothing is built.
TEXT
}

CARGO_DEB_VERSION=3.8.0
unreleased=false
prefix=
out=$TARGET_DIR/packages
while [ $# -gt 0 ]; do
    case $1 in
        --unreleased) unreleased=true ;;
        --prefix)
            [ $# -ge 2 ] || die "--prefix needs a folder"
            [[ $2 == /* ]] || die "--prefix needs an absolute path, not $2"
            prefix=$2
            shift
            ;;
        --out)
            [ $# -ge 2 ] || die "--out needs a folder"
            out=$(cd "$CALLER_DIR" && realpath -m -- "$2")
            shift
            ;;
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

# The version stands in several files, for as many tools.
check_versions() {
    local package wheel
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
    package=$(sed -n '1s/.*(\(.*\)-[0-9]*).*/\1/p' packaging/debian/changelog)
    wheel=$(sed -n 's/^version = "\(.*\)"/\1/p' python/pyproject.toml)
    [ "$package" = "$version" ] ||
        die "packaging/debian/changelog is of $package, and Cargo.toml of $version"
    [ "$wheel" = "$version" ] ||
        die "python/pyproject.toml is of $wheel, and Cargo.toml of $version"
    $unreleased || grep -q "^## \[$version\]" CHANGELOG.md ||
        die "CHANGELOG.md has no section [$version]: --unreleased makes packages all the same"
}

build_library() {
    library=$TARGET_DIR/release/libpyproxy.so
    if [ -n "${PYPROXY_PLUGIN:-}" ]; then
        library=$(user_path "$PYPROXY_PLUGIN")
        return
    fi
    heading "Building"
    install_packages "${BUILD_PACKAGES[@]}"
    require_rust
    cargo build --quiet --locked --release -p pyproxy
}

make_tarball() {
    local name folder files
    name=pyproxy-$version-linux-$(uname -m)
    folder=$work/$name
    heading "$name.tar.gz"
    mkdir -p "$folder/lib" "$folder/scripts"
    # What git knows, so nothing that lies about.
    mapfile -t files < <(git ls-files ./*.md LICENSE docs examples python/pyproxy)
    cp --parents -- "${files[@]}" "$folder"
    cp -- scripts/install.sh scripts/lib.sh "$folder/scripts"
    cp -- packaging/pyproxy.cnf packaging/pyproxy.logrotate packaging/debian/pyproxy.service "$folder"
    install -m 755 packaging/install.sh "$folder/install.sh"
    install -m 644 "$library" "$folder/lib/libpyproxy.so"
    tar -C "$work" --owner=0 --group=0 --sort=name -czf "$out/$name.tar.gz" "$name"
}

make_deb() {
    heading ".deb"
    install_packages binutils dpkg-dev
    local tool=$TARGET_DIR/release-tools
    if [ ! -x "$tool/bin/cargo-deb" ]; then
        cargo install --quiet --locked --root "$tool" --version "$CARGO_DEB_VERSION" cargo-deb
    fi
    # It takes the library from a target folder.
    mkdir -p "$work/target/release"
    strip --strip-unneeded -o "$work/target/release/libpyproxy.so" "$library"
    gzip -9nc CHANGELOG.md >"$work/target/release/changelog.gz"
    mkdir "$work/deb"
    CARGO_TARGET_DIR=$work/target "$tool/bin/cargo-deb" deb --no-build --quiet --locked -p pyproxy --output "$work/deb"
    adapt_deb "$work"/deb/*.deb
}

# Where plugins are differs by architecture and by installation, and cargo-deb knows one place for each file.
adapt_deb() {
    local deb=$1 tree=$work/tree folder
    folder=/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)/mysql-proxy/plugins
    [ -z "$prefix" ] || folder=$prefix/lib/mysql-proxy/plugins
    dpkg-deb --raw-extract "$deb" "$tree"
    mkdir -p "$tree$folder"
    mv -- "$tree/usr/lib/mysql-proxy/plugins/libpyproxy.so" "$tree$folder/"
    find "$tree" -type d -empty -delete
    sed -i "s|^plugin-dir = .*|plugin-dir = $folder|" "$tree/etc/pyproxy/pyproxy.cnf"
    # What Debian has another name for.
    sed -i 's|](CHANGELOG.md)|](changelog.gz)|; s|](./LICENSE)|](copyright)|' "$tree"/usr/share/doc/pyproxy/README*
    (cd "$tree" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
    dpkg-deb --root-owner-group --build "$tree" "$out" >/dev/null
}

make_wheel() {
    heading "wheel"
    local tools=$TARGET_DIR/release-tools/venv
    [ -x "$tools/bin/twine" ] || {
        "$BUILD_PYTHON" -m venv "$tools"
        "$tools/bin/python3" -m pip install --quiet --disable-pip-version-check 'maturin>=1.9,<2' 'twine>=6.1,<7'
    }
    (cd python && "$tools/bin/maturin" build --quiet --release --locked --out "$out")
    # What PyPI would refuse.
    "$tools/bin/twine" check --strict "$out"/mysql_pyproxy-"$version"-*.whl
}

check_versions
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
build_library
make_tarball
make_deb
make_wheel
(cd "$out" && sha256sum -- *.tar.gz *.deb *.whl >SHA256SUMS)
heading "$out"
ls "$out"
