"""The native part of the library: SQL tokenizer and lexer, packet codecs, password functions, a proxy in memory.

Built from `crates/native`, once into the plugin and once as the extension module of the installed
package. The modules `pyproxy.tokenizer`, `.proto` and `.password` are what scripts import; here
nothing has a default that these document, and packets are plain tuples.

Everything that decodes takes one payload without the 4-byte header and raises PacketError if it is
not the packet it should be; what follows the last field is ignored. Everything that encodes gives
such a payload, and raises PacketError for fields that cannot be sent. Text arguments are encoded as
UTF-8 (surrogateescape), decoded strings are bytes.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from decimal import Decimal
from typing import Any, Protocol, SupportsIndex, TypeAlias, final, overload

from typing_extensions import Buffer

import pyproxy

# The same for the whole workspace.
__version__: str

# What is decoded, tokenized or sent: text is encoded as UTF-8, surrogates that stand for bytes
# become these bytes.
_Data: TypeAlias = str | Buffer
# What a cell or a parameter can be made of.
_Cell: TypeAlias = (
    None
    | str
    | Buffer
    | bool
    | int
    | float
    | Decimal
    | datetime.date
    | datetime.datetime
    | datetime.time
    | datetime.timedelta
)
# What a cell or parameter of the binary protocol is decoded to. Text of any kind, DECIMAL, BIT and
# JSON are bytes; DATE, DATETIME and TIME that Python has no value for (the date of zeros) are the
# str the text protocol has for them.
_Value: TypeAlias = (
    None | int | float | bytes | str | datetime.date | datetime.datetime | datetime.timedelta
)
# Type byte of a column or parameter, and whether its integers are unsigned.
_BinaryType: TypeAlias = tuple[int, bool]
# Type, whether it is unsigned, value and name.
_Param: TypeAlias = tuple[int, bool, _Value, bytes]
_GivenParam: TypeAlias = tuple[int, bool, _Cell, _Data]

class PacketError(ValueError):
    """Bytes that are not the packet they should be, or fields that cannot become one."""

# --- tokenizer

TOKEN_NAMES: tuple[str, ...]
"""Names of the tokens, by token id."""

@final
class Token:
    """One token of a query."""

    @property
    def text(self) -> str:
        """Its text, without outer quotes and comment marks; doubled quotes are single, escapes are
        kept."""
    @property
    def raw(self) -> bytes:
        """The bytes of the query it was made from, with quotes and comment marks."""
    @property
    def token_id(self) -> int:
        """Its id, 0 to 261: an index of TOKEN_NAMES."""
    @property
    def token_name(self) -> str:
        """The name of its id, such as "TK_SQL_SELECT"."""
    @property
    def span(self) -> tuple[int, int]:
        """Where `raw` begins and ends in the query, in bytes."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Tokens(Sequence[Token]):
    """The tokens of a query: an immutable sequence that makes a Token when one is asked for."""

    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: SupportsIndex, /) -> Token: ...
    @overload
    def __getitem__(self, index: slice, /) -> Tokens: ...
    def __iter__(self) -> Iterator[Token]: ...
    def __reversed__(self) -> Iterator[Token]: ...
    def __contains__(self, value: object, /) -> bool: ...
    def index(self, value: Any, start: int = 0, stop: int = ..., /) -> int:
        """The position of the first equal token; raises ValueError if there is none."""
    def count(self, value: Any) -> int:
        """How many tokens are equal to this one."""

def tokenize(sql: _Data, /) -> Tokens:
    """Splits a query into tokens. Any bytes are a query."""

def normalize(tokens: Tokens | Iterable[Token] | _Data, /) -> str:
    """The text that queries have in common which differ only in values."""

def rebuild(tokens: Tokens | Iterable[Token], /) -> str:
    """The query's own text of these tokens without plain comments.

    Blanks between two tokens stay as they are; whatever else was between them becomes one blank, or
    a line end if it had one.
    """

# --- lexer

@final
class SqlToken:
    """One token of a text as a server reads it: a kind and a place."""

    @property
    def kind(self) -> str:
        """What it is.

        `word`, `quoted_name`; `string`, `national_string`, `dollar_string`, `integer`, `decimal`, `float`, `hex`, `bits`,
        `null`; `user_variable`, `system_variable`; `dot`, `comma`, `semicolon`, `open_paren`, `close_paren`, `assign`,
        `symbol`; `comment`, `skipped_version`, `open_version`, `close_version`, `hint`; and `unterminated` and `invalid`,
        which are the last token, for the server refuses what is there.
        """
    @property
    def start(self) -> int:
        """The first byte of it in the text."""
    @property
    def end(self) -> int:
        """Behind its last byte."""
    @property
    def raw(self) -> bytes:
        """Its bytes in the text, with quotes and marks."""
    @property
    def value(self) -> bytes:
        """What it stands for: a string without quotes and escapes, the bytes of a hex literal."""
    @property
    def text(self) -> str:
        """The value as text."""
    @property
    def word(self) -> str:
        """A bare word in upper case; empty for everything else."""

def lex(
    sql: _Data,
    /,
    *,
    server: _Data | None = None,
    charset: str = "utf8mb4",
    ansi_quotes: bool = False,
    no_backslash_escapes: bool = False,
) -> list[SqlToken]:
    """Splits a text into tokens as a server does.

    `server` is the version that the server tells, such as "10.11.8-MariaDB". Without one each versioned comment is
    opened, whatever its number.
    """

def shape(
    sql: _Data, /, *, charset: str = "utf8mb4", no_backslash_escapes: bool = False
) -> str | None:
    """A statement that reads or changes rows, with 0 and '' in place of its values; None: what it does may depend on them."""

# --- passwords (mysql_native_password)

def password_hash(password: _Data, /) -> bytes:
    """SHA-1, 20 bytes."""

def password_scramble(challenge: _Data, hashed: _Data, /) -> bytes:
    """The client's answer, 20 bytes. ValueError for a wrong length."""

def password_unscramble(challenge: _Data, response: _Data, double_hashed: _Data, /) -> bytes:
    """The client's hash out of its answer, 20 bytes. ValueError for a wrong length."""

def password_check(challenge: _Data, response: _Data, double_hashed: _Data, /) -> bool:
    """Whether the answer was made with this password. False for a wrong length."""

# --- answers

def decode_err(packet: _Data, /) -> tuple[int, bytes, bytes]:
    """(errcode, sqlstate, errmsg); the sqlstate is empty in the form before 4.1."""

def encode_err(errcode: int, sqlstate: _Data, errmsg: _Data, /) -> bytes:
    """An empty sqlstate gives the form before 4.1, any other has 5 bytes."""

def decode_ok(packet: _Data, /) -> tuple[int, int, int, int]:
    """(affected_rows, insert_id, server_status, warnings)."""

def encode_ok(
    affected_rows: int, insert_id: int, server_status: int, warnings: int, /
) -> bytes: ...
def decode_eof(packet: _Data, /) -> tuple[int, int]:
    """(server_status, warnings)."""

def encode_eof(server_status: int, warnings: int, /) -> bytes: ...

# --- answers that a script made, for the scripts in front of it in a stack

def encode_answer(
    proxy: pyproxy.Proxy, command: int, answer: pyproxy.Answer | None = None, /
) -> list[bytes]:
    """The payloads of a value that a hook returned, or without one of `proxy.response`, as the answer to a command. In a hook of
    its connection only.
    """

def made_command(proxy: pyproxy.Proxy, packet: bytes, /) -> pyproxy.Command:
    """The `proxy.command` of a command that a script made. In a hook of its connection only."""

def encode_command(proxy: pyproxy.Proxy, what: str | bytes, command: int, /) -> bytes:
    """The packet of what `pyproxy.Send` has, in place of a command. In a hook of its connection only."""

def made_result(
    proxy: pyproxy.Proxy, query: bytes, answer: Sequence[bytes], /
) -> pyproxy.Injection:
    """The `inj` of a query and the payloads of its complete answer, as the client of `proxy` reads them.

    Raises ValueError if they are none. In a hook of its connection only.
    """

def checked_query(proxy: pyproxy.Proxy, what: str | _Data, /) -> bytes:
    """The packet that `proxy.query(what)` would run now; what forbids that is raised."""

def queued(queries: pyproxy.Queries, /) -> list[tuple[int, bytes, bool, bool]]:
    """What is queued: tuples of id, packet, `resultset_is_needed` and `failure_is_needed`."""

def injection_of(result: pyproxy.Resultset, /) -> pyproxy.Injection:
    """The query that has this result, or that this is a part of the answer to."""

def is_event_loop() -> bool:
    """Whether this is the thread of the event loop that runs hooks which wait."""

def hook_is_cancelled() -> bool:
    """Whether the hook whose coroutine calls this was told to end."""

# --- connection phase

def decode_challenge(packet: _Data, /) -> tuple[int, bytes, int, int, int, int, int, bytes, bytes]:
    """The handshake.

    (protocol_version, server_version_text, server_version, thread_id, capabilities, charset,
    server_status, challenge, auth_plugin_name). server_version is major * 10000 + minor * 100 +
    patch, 0 if the text has none. The challenge has its NUL only if the server names an
    authentication plugin.
    """

def encode_challenge(
    server_version_text: _Data,
    thread_id: int,
    capabilities: int,
    charset: int,
    server_status: int,
    challenge: _Data,
    auth_plugin_name: _Data,
    /,
) -> bytes: ...
def decode_response(packet: _Data, /) -> tuple[int, int, int, bytes, bytes, bytes, bytes]:
    """The login, of a 4.1 client or an older one.

    (capabilities, max_packet_size, charset, username, response, database, auth_plugin_name).
    """

def encode_response(
    capabilities: int,
    max_packet_size: int,
    charset: int,
    username: _Data,
    response: _Data,
    database: _Data,
    auth_plugin_name: _Data,
    /,
) -> bytes:
    """The login. The bits for database and plugin name follow the fields; without PROTOCOL_41 the
    old form."""

# --- prepared statements

def decode_stmt_prepare(packet: _Data, /) -> bytes:
    """The statement's text."""

def encode_stmt_prepare(stmt_text: _Data, /) -> bytes: ...
def decode_stmt_prepare_ok(packet: _Data, /) -> tuple[int, int, int, int]:
    """(stmt_id, num_columns, num_params, warnings)."""

def encode_stmt_prepare_ok(
    stmt_id: int, num_columns: int, num_params: int, warnings: int, /
) -> bytes: ...
def decode_stmt_execute_id(packet: _Data, /) -> int:
    """The statement's id only."""

def decode_stmt_execute(
    packet: _Data,
    param_count: int,
    types: Sequence[_BinaryType] | None,
    long_data: dict[int, bytes],
    capabilities: int,
    /,
) -> tuple[int, int, int, bool, list[_Param] | None, list[_Param] | None]:
    """(stmt_id, flags, iteration_count, new_params_bound, params, attributes); a parameter is (type,
    unsigned, value, name).

    `types` are used if the packet has none; with neither, params is None. `long_data` has what was
    sent ahead, by parameter: such a value is not in the packet. `attributes` is None where the form
    of the packet has no place for them.
    """

def encode_stmt_execute(
    stmt_id: int,
    flags: int,
    iteration_count: int,
    new_params_bound: bool,
    params: Sequence[_GivenParam],
    attributes: Sequence[_GivenParam] | None,
    /,
) -> bytes: ...
def split_query(argument: _Data, /) -> tuple[list[_Param], bytes]:
    """What follows the command byte of a COM_QUERY of a client with query attributes: them, and the
    text."""

def encode_query_attributes(attributes: Sequence[_GivenParam], /) -> bytes:
    """What stands in front of the text of such a query."""

def decode_stmt_close(packet: _Data, /) -> int:
    """The statement's id."""

def encode_stmt_close(stmt_id: int, /) -> bytes: ...
def decode_stmt_reset(packet: _Data, /) -> int:
    """The statement's id."""

def encode_stmt_reset(stmt_id: int, /) -> bytes: ...
def decode_stmt_long_data(packet: _Data, /) -> tuple[int, int, bytes]:
    """(stmt_id, param, data)."""

def encode_stmt_long_data(stmt_id: int, param: int, data: _Data, /) -> bytes: ...

# --- result sets. A result set is these payloads: encode_count(n), n columns, EOF, rows, EOF

def decode_count(packet: _Data, /) -> int:
    """The length-encoded integer at the start of a payload: the number of columns."""

def encode_count(count: int, /) -> bytes: ...
def decode_column(
    packet: _Data, /
) -> tuple[bytes, int, int, int, int, int, bytes, bytes, bytes, bytes]:
    """A column definition.

    (name, type, charset, length, flags, decimals, database, table, org_table, org_name).
    """

def encode_column(
    name: _Data,
    type: int,
    charset: int,
    length: int,
    flags: int,
    decimals: int,
    database: _Data,
    table: _Data,
    org_table: _Data,
    org_name: _Data,
    /,
) -> bytes: ...
def decode_text_row(packet: _Data, columns: int, /) -> tuple[bytes | None, ...]:
    """The cells of a row of the text protocol. PacketError if there are not as many as columns."""

def encode_text_row(cells: Iterable[_Cell], /) -> bytes:
    """A row of the text protocol. Numbers, dates and times are written as MySQL writes them."""

def decode_binary_row(packet: _Data, types: Sequence[_BinaryType], /) -> tuple[_Value, ...]:
    """The cells of a row of the binary protocol; the unsigned flag of a column is bit 0x20 of its
    flags."""

def encode_binary_row(types: Sequence[_BinaryType], cells: Iterable[_Cell], /) -> bytes:
    """A row of the binary protocol. A cell may also be the text of a value of its type."""

# --- the testing driver: `pyproxy.testing` only. The plugin has none of what follows

@final
class Process:
    """A proxy in memory: its options, backends, log and script."""

    def __new__(
        cls,
        reject: bool,
        profiling: bool,
        pool_change_user: bool,
        max_kept_bytes: int,
        hook_timeout: float,
        query_stats: int,
        /,
    ) -> Process:
        """`reject` says what happens to a query whose hook failed. `hook_timeout` is in seconds, without a limit if it is 0."""
    @property
    def globals(self) -> pyproxy.Globals:
        """`proxy.globals`."""
    @property
    def proxy(self) -> pyproxy.Proxy:
        """The `proxy` of no connection."""
    @property
    def shutdown_requested(self) -> bool:
        """Whether the script called `chassis.set_shutdown()`."""
    @property
    def backend_count(self) -> int:
        """How many backends there are."""
    def add_backend(self, address: str, is_read_only: bool, /) -> None:
        """Lists a backend. ValueError if it is no address, or listed already."""
    def load(
        self, module: object, describe: Callable[[BaseException], str], /
    ) -> Future[object] | None:
        """Takes the functions of `module` as the script's, and calls `init(proxy)`: gives a future if that waits.
        `describe` gives the text of an exception."""
    def shutdown(self) -> Future[object] | None:
        """Calls the script's `shutdown(proxy)`: gives a future if that waits."""
    def enter(self) -> None:
        """Its script runs from now on."""
    def leave(self) -> None:
        """It does not run any more, as often as it was entered."""
    def write_log(self, level: str, text: str, /) -> None:
        """Adds a line to the log."""
    def take_log(self) -> list[tuple[str, str]]:
        """The lines of the log that were written since the last call: level and text."""

class _Owner(Protocol):
    def connect(self, ndx: int, /) -> _Server | None:
        """A new connection of a fake server; None if it is down."""
    def enter(self) -> None:
        """A hook runs from now on."""
    def leave(self) -> None:
        """It has returned."""
    def begin_to_wait(self, still: Callable[[], bool], /) -> None:
        """A client waits for a hook that waits, as long as this is true."""
    def end_to_wait(self, still: Callable[[], bool], /) -> None:
        """Not any more."""
    def when_idle(self, callback: Callable[[float | None], object], /) -> None:
        """Calls this when the hooks that wait can do nothing."""

class _Server(Protocol):
    @property
    def line(self) -> Line: ...
    @property
    def thread_id(self) -> int: ...
    def greeting(self) -> bytes | None: ...
    def receive(self, payload: bytes, /) -> Iterable[bytes]:
        """Takes a payload, gives those of the answer."""

@final
class Connection:
    """One client of a proxy in memory. Its methods take the client's payloads and give what it is
    answered."""

    def __new__(cls, process: Process, owner: _Owner, patience: float, /) -> Connection:
        """`patience` is how many seconds a hook may wait before that is an error."""
    def accept(self) -> list[bytes]:
        """The client connects: the greeting, or an ERR."""
    def send(self, payload: bytes, /) -> list[bytes]:
        """The client sends a payload. Raises ConnectionError if the connection is closed."""
    def begin(self, payload: bytes, /) -> list[bytes]:
        """The client sends a command, whose answer need not be there: a hook may wait for something that
        does not happen by itself."""
    def go_on(self, answered: bool, /) -> list[bytes]:
        """Goes on with a command that a hook waits in, until that waits again; with `answered`, until the
        answer is there."""
    def disconnect(self) -> None:
        """The client hangs up, or was hung up on."""
    def take_failure(self) -> BaseException | None:
        """Takes the first exception that a hook raised since the last call."""
    @property
    def awaits(self) -> str:
        """What is awaited of the client: "login", "login_rounds", "command", "file", or "nothing":
        before it connected, and in the middle of an exchange; "closed" behind the end. "script" if nothing is
        awaited of it because a hook waits."""
    @property
    def proxy(self) -> pyproxy.Proxy | None:
        """The `proxy` of this client; None if there is no script, or the connection is over."""

@final
class Line:
    """The line between the proxy and one connection of a fake server. Either end may close it."""

    def __new__(cls) -> Line: ...
    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
    def close(self) -> None:
        """Hangs up."""

@final
class Permission:
    """Lets this thread use objects of the proxy inside a `with` block."""

    def __new__(cls) -> Permission: ...
    def __enter__(self) -> None: ...
    def __exit__(self, *_exception: object) -> None: ...

@final
class Tracker:
    """Follows the answer to one command."""

    def __new__(cls, command: int, /) -> Tracker: ...
    def feed(self, payload: _Data, /) -> str:
        """Takes a payload: "more" if others follow, "between" if other results do, "done" at the
        end of the answer, "file" if the client is to send one, "auth" if it is to answer. Raises
        PacketError if the answer cannot be followed."""

@final
class Cursors:
    """The columns of a client's open cursors: rows that COM_STMT_FETCH brings come without them."""

    def __new__(cls) -> Cursors: ...
    def sent(self, packet: _Data, /) -> None:
        """A command is sent."""
    def answered(self, packets: Sequence[bytes], status: int, /) -> None:
        """The answer to it is complete."""
    def columns(self, packet: _Data, /) -> list[bytes] | None:
        """Those of the rows that this COM_STMT_FETCH brings; None for any other command."""

def command_name(command: int, /) -> str:
    """`COM_QUERY`, or `command 0x99`."""

def encode_result(
    fields: Sequence[Any],
    rows: Iterable[Sequence[Any]],
    binary: bool,
    status: int,
    warnings: int,
    /,
) -> list[bytes]:
    """The payloads of a result set, as text or, for a prepared statement, binary. Fields and rows
    are those of a script's response."""

def decode_result(
    command: int, packets: Sequence[bytes], cursor: Sequence[bytes] | None, /
) -> tuple[tuple[pyproxy.Field, ...] | None, list[tuple[_Value, ...]] | None]:
    """Fields and rows of one result of an answer to `command`, each None if it has none. `cursor`
    are the columns of rows that COM_STMT_FETCH brought."""

def decode_change_user(packet: _Data, capabilities: int, /) -> list[bytes]:
    """User name, auth data, database, and the method, empty if the packet names none."""

def fake_proxy(
    user: str,
    database: str,
    backends: int,
    read_only: int,
    hook: str,
    command: bytes | None,
    log: Callable[[str, str], None],
    /,
) -> pyproxy.Proxy:
    """The `proxy` of a client that is logged in on backend 0 and sent this command, in this hook. `log` takes level and text of
    what is logged.
    """

def fake_injection(
    id: int, query: bytes, answer: Sequence[bytes], resultset_is_needed: bool, /
) -> pyproxy.Injection:
    """The `inj` of a query and the payloads of its complete answer."""

def fake_auth(packet: bytes, /) -> pyproxy.Auth:
    """The `auth` of an answer to a login."""
