"""Use names for the numbers of the protocol, and check the version of the proxy.

`proxy` has the constants: what a hook may return (`PROXY_SEND_RESULT`), commands (`COM_QUERY`),
column types (`MYSQL_TYPE_LONG`) and so on. There is no `proxy` yet while the script is loaded; the
module `pyproxy` has the same names at any time.

A script that raises while it is loaded keeps the proxy from starting: the place to say what it
needs. Standard output shows the versions once, then the name of each command and its length:

    mysql-proxy 0.8.5 (0x00805), Python 3.11.2
    COM_QUERY 9
    COM_QUIT 1
"""

import platform

import pyproxy

COMMANDS = {value: name for name, value in vars(pyproxy).items() if name.startswith("COM_")}

if pyproxy.PROXY_VERSION < 0x00803:
    raise RuntimeError("this script needs mysql-proxy 0.8.3 or later")

version = ".".join(str(part) for part in pyproxy.PROXY_VERSION.to_bytes(3, "big"))
print(f"mysql-proxy {version} ({pyproxy.PROXY_VERSION:#07x}), Python {platform.python_version()}")


def read_query(proxy, packet):
    print(COMMANDS.get(packet[0], f"unknown command {packet[0]}"), len(packet))
