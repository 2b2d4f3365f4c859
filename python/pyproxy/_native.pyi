"""The native part of the library: SQL tokenizer, packet codecs, password functions.

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
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, SupportsIndex, TypeAlias, final, overload

from typing_extensions import Buffer

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
    /,
) -> tuple[int, int, int, bool, list[tuple[int, bool, _Value]] | None]:
    """(stmt_id, flags, iteration_count, new_params_bound, params); a parameter is (type, unsigned,
    value).

    `types` are used if the packet has none; with neither, params is None. `long_data` has what was
    sent ahead, by parameter: such a value is not in the packet.
    """

def encode_stmt_execute(
    stmt_id: int,
    flags: int,
    iteration_count: int,
    new_params_bound: bool,
    params: Sequence[tuple[int, bool, _Cell]],
    /,
) -> bytes: ...
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
