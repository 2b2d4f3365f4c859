#!/usr/bin/env bash
# Installs the library of this tarball into a mysql-proxy: see scripts/install.sh --help.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PYPROXY_PLUGIN=$here/lib/libpyproxy.so exec "$here/scripts/install.sh" "$@"
