"""Keeps a connection with TLS open until a file appears, and uses it then.

Run by the integration tests: pymysql_stays.py PORT CA FILE
"""

import pathlib
import sys
import time

import pymysql

port, ca, file = sys.argv[1:]
conn = pymysql.connect(
    host="127.0.0.1", port=int(port), user="u", password="secret", ssl={"ca": ca}
)
while not pathlib.Path(file).exists():
    time.sleep(0.05)
with conn.cursor() as cursor:
    cursor.execute("SELECT 'still here'")
    print(cursor.fetchone()[0])
