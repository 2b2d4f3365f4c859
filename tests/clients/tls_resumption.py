"""Whether the server at this port lets a TLS session go on in a second connection.

Run by the integration tests: tls_resumption.py PORT
Speaks the protocol by hand, since no client of MySQL resumes sessions. Prints False for the first, True for the second.
"""

import socket
import ssl
import struct
import sys

CLIENT_PROTOCOL_41, CLIENT_SSL, CLIENT_SECURE_CONNECTION = 1 << 9, 1 << 11, 1 << 15
REQUEST = struct.pack(
    "<IIB23x", CLIENT_PROTOCOL_41 | CLIENT_SSL | CLIENT_SECURE_CONNECTION, 1 << 24, 45
)

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
# With it the session is known behind the handshake.
context.maximum_version = ssl.TLSVersion.TLSv1_2
session = None
for _ in range(2):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as plain:
        header = plain.recv(4, socket.MSG_WAITALL)
        plain.recv(int.from_bytes(header[:3], "little"), socket.MSG_WAITALL)
        plain.sendall(struct.pack("<I", len(REQUEST) | 1 << 24) + REQUEST)
        with context.wrap_socket(plain, session=session) as secure:
            print(secure.session_reused)
            session = secure.session
