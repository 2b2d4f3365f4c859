"""Logs in with PyMySQL over TLS, and tells which sides of the session have it.

Run by the integration tests: pymysql_tls.py PORT USER PASSWORD [--plain] [--ca FILE] [--cert FILE --key FILE]
Prints the version of TLS towards the proxy and that of the proxy's session with the server, "none" where there is none.
An error goes to standard error, and the exit code is 1 then.
"""

import argparse
import ssl
import sys

import pymysql

parser = argparse.ArgumentParser()
for name in ("port", "user", "password"):
    parser.add_argument(name)
parser.add_argument("--plain", action="store_true")
for name in ("--ca", "--cert", "--key"):
    parser.add_argument(name)
args = parser.parse_args()

context = None
if not args.plain:
    context = ssl.create_default_context(cafile=args.ca)
    if args.ca is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if args.cert:
        context.load_cert_chain(args.cert, args.key)
try:
    conn = pymysql.connect(
        host="127.0.0.1",
        port=int(args.port),
        user=args.user,
        password=args.password,
        ssl=context,
        ssl_disabled=args.plain,
    )
    with conn.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_version'")
        server = cursor.fetchone()[1]
except (pymysql.err.Error, ssl.SSLError) as error:
    sys.exit(str(error))
client = conn._sock.version() if isinstance(conn._sock, ssl.SSLSocket) else None
print(client or "none", server or "none")
