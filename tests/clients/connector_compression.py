"""What users of mysql-connector-python do with compression, against the proxy whose address is given.

Run by the integration tests: connector_compression.py PORT USER PASSWORD [--tls]
Prints what the server says of its side, `ON` or `OFF`, and at the end "done".
"""

import argparse
import os
import tempfile

import mysql.connector

parser = argparse.ArgumentParser()
for name in ("port", "user", "password"):
    parser.add_argument(name)
parser.add_argument("--tls", action="store_true")
args = parser.parse_args()

conn = mysql.connector.connect(
    host="127.0.0.1",
    port=int(args.port),
    user=args.user,
    password=args.password,
    database="test",
    use_pure=True,
    ssl_disabled=not args.tls,
    compress=True,
    allow_local_infile=True,
    autocommit=True,
)
cursor = conn.cursor()


def one(sql, values=()):
    cursor.execute(sql, values)
    return cursor.fetchone()[0]


cursor.execute("SHOW SESSION STATUS LIKE 'Compression'")
print(cursor.fetchone()[1])

for blob in (
    b"",
    b"x" * 49,
    b"y" * 50,
    bytes(range(256)) * 1000,
    b"z" * (20 << 20),
    os.urandom(3 << 20),
):
    # Without a name of its own the column has the beginning of the value, which need not be text.
    assert one("SELECT %s AS sent", (blob,)) in (blob, bytearray(blob), blob.decode("latin-1")), (
        len(blob)
    )

cursor.execute("SELECT seq, REPEAT('r', seq % 300) FROM seq_1_to_20000")
assert sum(number for number, _ in cursor.fetchall()) == 20000 * 20001 // 2

cursor.execute("CREATE TEMPORARY TABLE loaded (a INT, b VARCHAR(200))")
with tempfile.NamedTemporaryFile("w") as file:
    file.writelines(f"{n}\t{'b' * (n % 200)}\n" for n in range(50000))
    file.flush()
    cursor.execute(f"LOAD DATA LOCAL INFILE '{file.name}' INTO TABLE loaded")
assert one("SELECT COUNT(*) FROM loaded") == 50000

# Commands without an answer, and one behind them.
prepared = conn.cursor(prepared=True)
for number in range(50):
    prepared.execute("SELECT ? + 1", (number,))
    assert prepared.fetchone()[0] == number + 1
prepared.close()

assert one("SELECT 'in step'") == "in step"
conn.close()
print("done")
