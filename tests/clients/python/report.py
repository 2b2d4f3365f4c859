"""How the Python programs of the client matrix report: one line per check (see ../README.md)."""

import datetime
import hashlib
import os

HOST = "127.0.0.1"
PORT = int(os.environ["MATRIX_PORT"])
# Accounts for each method, and their ports.
LOGINS = [account.split(":") for account in os.environ["MATRIX_LOGINS"].split()]
DIRECTORY = os.environ["MATRIX_DIR"]
# Whether every connection has to use TLS.
TLS = bool(os.environ.get("MATRIX_TLS"))
# Options of PyMySQL, and of mysqlclient, for that.
PYMYSQL_TLS = {"ssl": {"check_hostname": False, "verify_mode": False}}
MYSQLCLIENT_TLS = {"ssl_mode": "REQUIRED"}
USER, PASSWORD, DATABASE = "u", "secret", "matrix"
OTHER_USER, OTHER_PASSWORD, OTHER_DATABASE = "other", "other-secret", "matrix_other"

MIB = 1024 * 1024
BLOB = bytes(range(256)) * (20 * MIB // 256)
LONGEST_PACKET = 16 * MIB - 1
CONNECTIONS = 50
QUERIES_PER_CONNECTION = 10

# A session with a wait_timeout of 1 has ended after so long.
IDLE_SECONDS = 2.5
# CR_SERVER_GONE_ERROR, CR_SERVER_LOST: which of them depends on whether a packet can still be written.
GONE = (2006, 2013)

# Longer texts are told by their digest.
LONGEST_TEXT = 300


def digest(value):
    """Returns a short text that differs when the value or its type differs."""
    text = value if isinstance(value, str) else repr(stable(value))
    if len(text) <= LONGEST_TEXT:
        return text.replace("\n", "\\n")
    sha = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{len(text)} characters, {sha[:16]}"


def stable(value):
    """Replaces what has no stable repr."""
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, (tuple, list)):
        return [stable(item) for item in value]
    if isinstance(value, dict):
        return {key: stable(item) for key, item in value.items()}
    if isinstance(value, bytearray):
        return bytes(value)
    return value


def print_ok(name, value):
    print(f"{name}: ok {digest(value)}", flush=True)


def print_error(name, error):
    arguments = digest(error.args) if error.args else digest(str(error))
    print(f"{name}: error {type(error).__name__} {arguments}", flush=True)


def check(name, function, *arguments):
    """Runs one check and prints its line."""
    try:
        value = function(*arguments)
    except Exception as error:  # every failure of a client is a result
        print_error(name, error)
    else:
        print_ok(name, value)


def run_checks(checks):
    """Runs the methods of an object whose names begin with "check_", in the order of definition."""
    for name in vars(type(checks)):
        if name.startswith("check_"):
            check(name[len("check_") :], getattr(checks, name))


VALUES = (
    -5,
    2**63 - 1,
    2.5,
    datetime.date(2024, 2, 29),
    datetime.datetime(2024, 2, 29, 12, 34, 56, 654321),
    datetime.timedelta(hours=-30, seconds=5),
    "žluťoučký 🐎 ' \" \\ \0",
    b"\x00\xff'\\",
    "",
    None,
)
MANY_COLUMNS = "SELECT " + ", ".join(f"{n} AS column_{n}" for n in range(1000))
MULTI = "SELECT 1; DO 0; SELECT 2, 3; SELECT seq FROM seq_1_to_3"
MULTI_WITH_ERROR = "SELECT 1; SELECT nosuch; SELECT 2"
COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'matrix' AND table_name = 'types' ORDER BY ordinal_position"
STREAM = "SELECT seq, REPEAT('x', 200) FROM seq_1_to_50000"


def query_of_length(length):
    """Returns a query whose packet has the given length; its result is the length of a literal."""
    frame = len("\x03SELECT LENGTH('')")
    return f"SELECT LENGTH('{'x' * (length - frame)}')"


def edges():
    """Returns packet lengths around the longest packet."""
    return range(LONGEST_PACKET - 1, LONGEST_PACKET + 2)
