"""The objects and constants of the MySQL proxy this script runs in.

Hooks get these objects as arguments; a script imports the names for annotations and `isinstance`:

    from pyproxy import Decision, Injection, Proxy

    def read_query(proxy: Proxy, packet: bytes) -> Decision: ...

State of a connection belongs on `proxy.connection`, state of the proxy on `proxy.globals`: these take any attribute. The
others have what stands here, so that a type checker finds what is misspelt.

What belongs to a connection can be used in hooks only, in the thread that runs them: anything else raises
ReferenceError. Each attribute here exists, with this documentation, and no other does; the plugin's tests compare
the two.
"""

import asyncio
import concurrent.futures
import datetime
import decimal
from collections.abc import Awaitable, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import Any, SupportsIndex, TypeAlias, TypeVar, final, overload

from typing_extensions import Buffer

from . import chassis as chassis
from ._answers import Answer as Answer
from ._answers import Decision as Decision
from ._answers import Error as Error
from ._answers import Ok as Ok
from ._answers import Raw as Raw
from ._answers import Rows as Rows
from ._answers import Send as Send
from ._constants import *  # noqa: F403 - every one of them
from ._constants import Constants as _Constants
from ._errors import HookTimeout as HookTimeout
from ._errors import ResultTooLarge as ResultTooLarge
from ._errors import ServerError as ServerError
from ._errors import ServerLost as ServerLost
from ._native import Tokens
from ._response_view import ResponseResultset
from ._responses import FieldDict as FieldDict
from ._responses import ResponseDict as ResponseDict
from ._responses import ResultDict as ResultDict
from ._responses import ResultsetDict as ResultsetDict

# The plugin's version, or that of the installed library.
__version__: str

# What is sent may be text, which is encoded as UTF-8, or any bytes-like object.
_Data: TypeAlias = str | Buffer
_Settings: TypeAlias = dict[str, str] | dict[str, _bytes] | dict[str, str | _bytes]
_Needed: TypeAlias = bool | int | Mapping[str, bool | int | None] | None
_Cell: TypeAlias = (
    None
    | str
    | bytes
    | int
    | float
    | decimal.Decimal
    | datetime.date
    | datetime.datetime
    | datetime.timedelta
)
_Row: TypeAlias = tuple[_Cell, ...]
# In a class that has an attribute of this name.
_bytes: TypeAlias = bytes
_T = TypeVar("_T")

def loop() -> asyncio.AbstractEventLoop:
    """The asyncio loop that runs hooks which wait."""

def spawn(coroutine: Coroutine[Any, Any, _T], /) -> concurrent.futures.Future[_T]:
    """Runs a coroutine in the background, on the loop of the hooks. Gives a `concurrent.futures.Future`.

    It is cancelled when the proxy ends; an exception goes to the log.
    """
@final
class Proxy(_Constants):
    """What a hook works with. One object per connection, the same in all its hooks.

    The `proxy` that `init` and `shutdown` get, and the builtin of that name, belong to no connection: they have
    the constants and `globals` only, the rest is None.
    """

    # These are None outside the hooks of a connection, where a script has no use for them.
    @property
    def connection(self) -> Connection:
        """The client connection, with its two sides."""
    @property
    def command(self) -> Command:
        """What the client asks for: its last command, once that has its answer. None before the first. One of 64 KiB and more
        has its text only as long as the script is asked about it.
        """
    @property
    def globals(self) -> Globals:
        """What all connections share."""
    @property
    def queries(self) -> Queries:
        """The packets to run instead of the client's command."""
    @property
    def response(self) -> Response:
        """The answer to send for `PROXY_SEND_RESULT`. Assign a mapping, or set its attributes."""
    @response.setter
    def response(self, value: Response | ResponseDict | None) -> None: ...

    # Who sends a command that no server answers knows it: the others need not look for None.
    def query(self, what: _Data, /) -> Awaitable[Resultset | Any]:
        """Runs a query on the server of this connection, now, and gives its result: to be awaited in a hook that is an `async
        def`.

        `what` is SQL as text, or a packet as bytes. Several at once run one behind the other. An ERR of the server is
        `result.error`. Raises ServerLost if there is no server, or it goes; ResultTooLarge. Of a command that no server
        answers the result is None.
        """

@final
class Globals:
    """What all connections share: the backends, the configuration, and whatever a script sets."""

    @property
    def backends(self) -> Backends:
        """The backends."""
    @property
    def config(self) -> Config:
        """The effective options."""
    @property
    def query_stats(self) -> QueryStats | None:
        """What statements take, and which take the most; None without the option `pyproxy-query-stats`."""
    @property
    def track_sessions(self) -> bool:
        """Whether servers report what changes in their sessions (`resultset.session_changes`), and a connection out of the pool is
        made its client's own before it runs anything: reset, if others had it, and given what is in `connection.client_session`.

        From the next server connection on, for all connections, until the process ends. Off unless a script turns it on, in
        `init`.
        """
    @track_sessions.setter
    def track_sessions(self, value: bool) -> None: ...
    def __getattr__(self, name: str, /) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...

@final
class Config:
    """The effective options as attributes, and whatever a script adds."""

    address: str
    backend_addresses: tuple[str, ...]
    read_only_backend_addresses: tuple[str, ...]
    python_script: str | None
    profiling: bool
    max_kept_bytes: int
    start_proxy: bool
    pool_change_user: bool
    connect_timeout: float
    read_timeout: float
    write_timeout: float
    on_script_error: str
    server_version: str | None
    reload: bool
    script_config: str | None
    venv: str | None
    event_loop: str
    drain_timeout: float
    takeover: str | None
    takeover_timeout: float
    check_interval: float
    check_user: str | None
    hook_warn: float
    hook_timeout: float
    login_timeout: float
    query_timeout: float | None
    idle_timeout: float | None
    max_connections: int
    max_connections_per_address: int
    max_connections_per_user: int
    backend_max_connections: int
    proxy_protocol_from: tuple[str, ...]
    backend_proxy_protocol: str | None
    tls: str
    tls_cert: str | None
    tls_key: str | None
    tls_ca: str | None
    tls_client_certificates: str
    tls_versions: str | None
    tls_ciphers: str | None
    tls_ciphersuites: str | None
    backend_tls: str | None
    backend_tls_ca: str | None
    backend_tls_cert: str | None
    backend_tls_key: str | None
    compression: str
    http_address: str | None
    http_shows_queries: bool
    query_stats: int
    slow_query: float
    slow_log: str | None
    slow_log_shows_queries: bool
    def __getattr__(self, name: str, /) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...

@final
class Command:
    """A command of the client: a value, safe to keep. What it has is found out when it is looked at."""

    @property
    def type(self) -> int:
        """The command byte, one of `proxy.COM_*`."""
    @property
    def name(self) -> str | None:
        """The protocol's name, such as "COM_QUERY"; None for a byte without one."""
    @property
    def sql(self) -> str | None:
        """The text of a query or of a statement that is prepared, and of a prepared statement that is executed: as the client
        sent it, decoded with the character set of its login. None for other commands, and if it is not known.
        """
    @property
    def params(self) -> tuple[_Cell, ...] | None:
        """The values that a prepared statement is executed with: a tuple, numbers and dates as Python values, text as `str`,
        BLOBs as `bytes`. None for other commands, and if they are not known.
        """
    @property
    def statement_id(self) -> int | None:
        """The number of the prepared statement that the command is about; None for other commands."""
    @property
    def attributes(self) -> Mapping[str, _Cell]:
        """The query attributes: names, and values as the parameters of an execution have them. A query and an execution
        can have some."""
    @property
    def tokens(self) -> Tokens | None:
        """The tokens of `sql`, as `pyproxy.tokenizer` makes them; None without a text."""
    @property
    def fingerprint(self) -> str | None:
        """What `sql` has in common with statements that differ in their literals only; None without a text."""
    @property
    def tables(self) -> Mapping[str, str] | None:
        """The tables that `sql` names, with the default database in front: a mapping to "read" or "write", as of
        `pyproxy.parser.get_tables`. None without a text.
        """

@final
class Backends:
    """The backends: a sequence, read-write ones first, each kind in the order of the options."""

    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: SupportsIndex, /) -> Backend: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[Backend]: ...
    def __iter__(self) -> Iterator[Backend]: ...
    def add(self, address: str, type: int = 1) -> Backend:
        """Adds a backend and gives it: with its earlier index, if it was removed. A host name is looked up, which blocks the proxy
        meanwhile.
        """
    def remove(self, backend: Backend) -> None:
        """Removes a backend. Its index stays, with the state `BACKEND_STATE_REMOVED`, and clients leave it as one that is drained."""

@final
class Backend:
    """A MySQL server that the proxy can connect to."""

    @property
    def dst(self) -> Address | None:
        """The configured address."""
    @property
    def state(self) -> int:
        """`BACKEND_STATE_UNKNOWN`, `_UP` or `_DOWN`: what connects tell; `_DRAIN` or `_MAINT`: what somebody wants; `_REMOVED`."""
    @state.setter
    def state(self, value: int) -> None: ...
    @property
    def takes_clients(self) -> bool:
        """Whether clients may be taken there: it is UP, or nothing is known of it."""
    @property
    def type(self) -> int:
        """`BACKEND_TYPE_RW` or `_RO`."""
    @property
    def connected_clients(self) -> int:
        """Client connections that use this backend now. Idle pooled connections are not counted."""
    @property
    def max_connections(self) -> int:
        """The most connections to it, idle ones as well; 0: any number. Who comes when there are as many waits for one."""
    @max_connections.setter
    def max_connections(self, value: int) -> None: ...
    @property
    def open_connections(self) -> int:
        """Connections to it, idle ones and those that are being made as well."""
    @property
    def uuid(self) -> str | None:
        """A text for scripts; None if empty."""
    @uuid.setter
    def uuid(self, value: _Data | None) -> None: ...
    @property
    def pool(self) -> Pool:
        """The idle server connections."""
    @property
    def ndx(self) -> int:
        """Index in `proxy.globals.backends`."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Pool:
    """The idle server connections of a backend."""

    @property
    def users(self) -> Users:
        """The queues of idle connections, by user name."""
    @property
    def min_idle_connections(self) -> int:
        """For scripts: how many idle connections to keep at least. A login that takes an idle connection leaves so many."""
    @min_idle_connections.setter
    def min_idle_connections(self, value: int) -> None: ...
    @property
    def max_idle_connections(self) -> int:
        """For scripts: how many idle connections to keep at most."""
    @max_idle_connections.setter
    def max_idle_connections(self, value: int) -> None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Users:
    """A mapping from user name to the queue of that user's idle connections.

    `users[""]` means any user. A user without idle connections has an empty queue, and is not `in` the mapping.
    """

    def __getitem__(self, name: _Data, /) -> Queue: ...
    def __contains__(self, name: object, /) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    def keys(self) -> list[str]:
        """The user names, sorted."""
    def values(self) -> list[Queue]:
        """The queues, in the order of the names."""
    def items(self) -> list[tuple[str, Queue]]:
        """Pairs of name and queue."""

@final
class Queue:
    """The idle connections of one user, or of all."""

    @property
    def cur_idle_connections(self) -> int:
        """Number of idle connections that are logged in and alive."""
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Connection:
    """A client connection.

    Attributes that a script sets live as long as the connection.
    """

    @property
    def id(self) -> int:
        """The number that names the connection in the log; counts up from 1 in this process."""
    @property
    def client(self) -> Socket:
        """The client's side."""
    @property
    def server(self) -> Socket | None:
        """The server's side; None while no server connection is attached."""
    @property
    def client_session(self) -> ClientSession:
        """What the client expects to find on whatever server connection its next command runs on."""
    @property
    def backend_ndx(self) -> int:
        """Index of the backend in `proxy.globals.backends`; -1 for none.

        Setting -1 parks the server connection in the pool. Setting n takes a fitting idle connection of backend
        n from the pool, or, before a server is connected, chooses where to connect. If none fits, the index
        stays as it is.
        """
    @backend_ndx.setter
    def backend_ndx(self, value: int) -> None: ...
    @property
    def backend(self) -> Backend | None:
        """The backend of `backend_ndx`; None for none."""
    def idle_connections(self, backend_ndx: int, /) -> int:
        """How many idle connections backend n has that this client may have for its commands: those of its own user,
        with the same capabilities, that nothing ties to anybody. 0 before the login has come, and of a backend that does
        not exist.

        In `read_auth` one out of the pool that the client was greeted from counts as well.
        """
    def can_log_in_to(self, backend_ndx: int, /) -> bool:
        """Whether the client's login could go to backend n, as far as is known, if `read_auth` chose it: the backend is
        UP, it offered what the client was offered and uses when it greeted last, and the client can be asked for its
        password once more.
        """
    def wait_for_backend(self, backends: Sequence[int], /) -> asyncio.Future[int]:
        """Waits until one of these backends has an idle connection that this client may have, and gives its index.

        The connection is kept for the client until it is taken, by setting `backend_ndx`, or the hook ends. Who waits
        first gets one first. In a hook that is an `async def`.
        """
    @property
    def connection_close(self) -> bool:
        """Whether the client's connection is closed after the result in progress."""
    @connection_close.setter
    def connection_close(self, value: int) -> None: ...
    def __getattr__(self, name: str, /) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...
    def __delattr__(self, name: str, /) -> None: ...

@final
class Socket:
    """One side of a connection: the client, or a server while it is attached.

    What is not known yet is None.
    """

    @property
    def src(self) -> Address | None:
        """Where the connection comes from: the client itself (as a PROXY header names it), or our end towards the server."""
    @property
    def dst(self) -> Address | None:
        """Where the connection goes to: our listening end, or the server."""
    @property
    def default_db(self) -> str:
        """The default database; empty if there is none."""
    @property
    def flags(self) -> Flags | None:
        """What the server reported last about the state of the connection; None of the client."""
    @property
    def session(self) -> ServerSession | None:
        """The session on a server connection; None of the client, which has `connection.client_session`."""
    @property
    def tls(self) -> Tls | None:
        """What the TLS handshake agreed on; None without TLS. A server's is made behind `read_auth`."""
    @property
    def username(self) -> str | None:
        """The user name of the login."""
    @property
    def charset(self) -> int | None:
        """The character set of the login, as the number of its collation (45 is utf8mb4_general_ci). What the client
        sets later, with SET NAMES, is not followed.
        """
    @property
    def capabilities(self) -> int | None:
        """What the client asked for in its login, or the one who opened the connection to the server: a number of
        capability bits, without what the proxy cannot follow. It decides about the form of packets.
        """
    @property
    def attributes(self) -> dict[str, str] | None:
        """The connection attributes of the login (`_client_name`, `program_name`); empty if it has none."""
    @property
    def auth_plugin_name(self) -> str | None:
        """The authentication method: of the login if there was one, else the one the server proposed."""
    @property
    def mysqld_version(self) -> int | None:
        """The server's version as a number: 80036 for 8.0.36."""
    @property
    def thread_id(self) -> int | None:
        """The server's id of the connection."""
    @property
    def scramble_buffer(self) -> bytes | None:
        """The random bytes of the server's handshake: 20, and a NUL if the server announces authentication
        methods.
        """
    @property
    def scrambled_password(self) -> bytes | None:
        """What the login proved the password with."""
    @property
    def login_packet(self) -> bytes | None:
        """The payload of the login, with the capabilities that the proxy passes on."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Address:
    """One end of a socket: a value, safe to keep.

    `str(address)` is its name.
    """

    @property
    def name(self) -> str:
        """`ip:port`, `[ip6]:port`, or the path of a unix socket."""
    @property
    def address(self) -> str | None:
        """The numeric IP address, or the path."""
    @property
    def port(self) -> int | None:
        """The port; None for a unix socket."""
    @property
    def type(self) -> int:
        """The address family: `socket.AF_INET`, `AF_INET6` or `AF_UNIX`."""
    def __str__(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class ClientSession:
    """What a client expects to find on whatever server connection its next command runs on.

    A connection that comes out of the pool is given all of it, if sessions are tracked (`globals.track_sessions`). The default
    database is `connection.client.default_db`.
    """

    @property
    def settings(self) -> dict[str, str]:
        """The system variables that were learned, by name in lower case, with their values as SQL."""
    @property
    def inherited(self) -> dict[str, str]:
        """The system variables that the session began with, where servers may begin with something else by now."""
    @property
    def role(self) -> str | None:
        """What `SET ROLE` takes; None: the role of the login."""
    @property
    def insert_id(self) -> int | None:
        """LAST_INSERT_ID(), as far as it was learned; None: another connection need not have it."""
    def learn(
        self,
        settings: _Settings | None = None,
        *,
        role: str | _bytes | None = None,
        insert_id: int | None = None,
        inherited: _Settings | None = None,
    ) -> None:
        """Notes what the attached server connection has now, or, without one, what the next one shall be given.

        Values are SQL: numbers as they are, text in quotes. What is `inherited` is set where a server lets the user.
        """
    def expect(
        self,
        settings: _Settings | None = None,
        *,
        role: str | _bytes | None = None,
        insert_id: int | None = None,
        inherited: _Settings | None = None,
    ) -> None:
        """Notes what the next command shall find, on whatever connection: it is given what it has not. The arguments are those of
        `learn`.
        """
    def pass_reports(self) -> None:
        """From the next command on, and until its session begins anew, the client gets its server's reports as they are, since it says
        itself which it wants. What the proxy wanted is taken back.
        """

@final
class ServerSession:
    """The session on a server connection, which the connection keeps in the pool."""

    @property
    def settings(self) -> dict[str, str]:
        """As in `connection.client_session`, on this connection."""
    @property
    def role(self) -> str | None:
        """As in `connection.client_session`, on this connection."""
    @property
    def is_tracked(self) -> bool:
        """Whether the server reports every change: `resultset.session_changes`. Known once a command has run."""
    @property
    def transaction(self) -> str | None:
        """The transaction, as the server reported it last: eight letters, `_` for each thing that is not so. None if it never did."""
    @property
    def characteristics(self) -> str | None:
        """The statements that make the next transaction what it is to be, as the server reported them last; empty: a usual one. None
        if it never did.
        """
    @property
    def ties(self) -> frozenset[str]:
        """Why no other client may have the connection, and no other connection can take its place, in plain words."""
    def tie(self, why: str, *, lasts: bool = False) -> None:
        """Keeps the connection from the pool: parked, it is closed. A reset of the session ends that, but with `lasts`."""
    def free(self, why: str) -> None:
        """This is no reason any more."""

@final
class SessionChanges:
    """What changed in the session on a server, as it reported with an answer: a value, safe to keep."""

    @property
    def variables(self) -> dict[str, str]:
        """The system variables that were set, with their values."""
    @property
    def schema(self) -> str | None:
        """The default database; empty if it is gone, None if it is as before."""
    @property
    def state(self) -> bool:
        """Whether anything changed, whatever it is."""
    @property
    def gtids(self) -> str | None:
        """The ids of the transactions that ended, as MySQL reports them (`session_track_gtids`); None if none did. MariaDB's are in
        `variables["last_gtid"]`.
        """
    @property
    def characteristics(self) -> str | None:
        """The statements that make the next transaction what it is to be; empty if it is a usual one, None if that is as before."""
    @property
    def transaction(self) -> str | None:
        """The state of the transaction: eight letters, `_` for each thing that is not so; None if it is as before."""

@final
class Tls:
    """What a TLS handshake agreed on: a value, safe to keep."""

    @property
    def version(self) -> str:
        """The protocol: `TLSv1.2` or `TLSv1.3`."""
    @property
    def cipher(self) -> str:
        """The cipher suite, as OpenSSL names it."""
    @property
    def peer_subject(self) -> str | None:
        """The subject of the peer's certificate; None if it showed none."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class QueryStats:
    """What statements take, as the option `pyproxy-query-stats` has it counted."""

    def top(self, limit: int | None = None, /) -> list[QueryStat]:
        """The statements that took the most time, the most costly one first: all that are counted, or the first `limit`."""
    def reset(self) -> None:
        """Begins anew: everything is counted from now on."""
    @property
    def limit(self) -> int:
        """How many statements are shown at most."""
    @property
    def since(self) -> float:
        """Since when it is counted, as Unix time."""
    @property
    def calls(self) -> int:
        """How many statements came, also those that are not shown."""
    @property
    def errors(self) -> int:
        """How many of them failed."""
    @property
    def seconds(self) -> float:
        """The time of all of them, in seconds."""
    @property
    def forgotten(self) -> int:
        """How often one made room for another, and was forgotten."""

@final
class QueryStat:
    """What a statement took: a value, safe to keep. The numbers are those since `first_seen`."""

    @property
    def digest(self) -> str:
        """The number of the statement, in hexadecimal digits: the same in every proxy."""
    @property
    def fingerprint(self) -> str:
        """The statement without its values: `SELECT a FROM t WHERE id = ?`. For people: decide nothing by it."""
    @property
    def example(self) -> str:
        """How it looked when it came first, 1024 bytes at most."""
    @property
    def example_is_cut(self) -> bool:
        """Whether the example is only a beginning."""
    @property
    def calls(self) -> int:
        """How often it came."""
    @property
    def errors(self) -> int:
        """How often it failed."""
    @property
    def rows(self) -> int:
        """Rows that clients got of it."""
    @property
    def bytes(self) -> int:
        """The bytes of these rows."""
    @property
    def seconds(self) -> float:
        """The time that it took in all, in seconds."""
    @property
    def min_seconds(self) -> float:
        """The shortest call, in seconds."""
    @property
    def max_seconds(self) -> float:
        """The longest call, in seconds."""
    @property
    def first_seen(self) -> float:
        """When it came first, as Unix time."""
    @property
    def last_seen(self) -> float:
        """When it came last, as Unix time."""

@final
class Queries:
    """The packets that run instead of the client's command, if `read_query` returns `PROXY_SEND_QUERY`.

    Iterating gives tuples `(id, packet, resultset_is_needed)`.
    """

    def append(
        self,
        id: int,
        packet: _Data,
        resultset_is_needed: _Needed = None,
        *,
        failure_is_needed: bool = False,
    ) -> None:
        """Queues a packet behind the others.

        `id` comes back as `inj.id`. `packet` starts with the command byte, or is the text of a query. With `resultset_is_needed` (a bool,
        or a mapping with that key) the whole result is kept for `read_query_result`, which can then read,
        replace or drop it. With `failure_is_needed` that is so if it is an error in place of the first row; else it passes.
        """
    def prepend(
        self,
        id: int,
        packet: _Data,
        resultset_is_needed: _Needed = None,
        *,
        failure_is_needed: bool = False,
    ) -> None:
        """Queues a packet in front of the others; the arguments are those of `append`."""
    def reset(self) -> None:
        """Empties the queue."""
    def len(self) -> int:
        """Number of packets in the queue; the same as `len(queries)`."""
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[tuple[int, bytes, bool]]: ...

@final
class Response:
    """The answer that is sent when a hook returns `PROXY_SEND_RESULT`.

    Set its attributes, or assign a mapping to `proxy.response`. `type` is one of `MYSQLD_PACKET_OK` (with
    `resultset`, with `resultsets`, or with `affected_rows`, `insert_id`, `warnings`, `server_status`), `MYSQLD_PACKET_ERR` (with
    `errmsg`, `errcode`, `sqlstate`) and `MYSQLD_PACKET_RAW` (with `packets`). What is not set is None. Emptied
    before each `read_query`.
    """

    type: int | None
    # A mapping is set; its members are then keys and attributes.
    @property
    def resultset(self) -> ResponseResultset | None: ...
    @resultset.setter
    def resultset(self, value: ResponseResultset | ResultsetDict | None) -> None: ...
    resultsets: Iterable[ResultDict | Resultset] | None
    affected_rows: int | None
    insert_id: int | None
    warnings: int | None
    server_status: int | None
    errmsg: _Data | None
    errcode: int | str | None
    sqlstate: _Data | None
    packets: _Data | Iterable[_Data] | None
    def __delattr__(self, name: str, /) -> None: ...
    def __dir__(self) -> list[str]: ...

@final
class Auth:
    """The server's answer to the login. Usable while the connection lives."""

    @property
    def packet(self) -> bytes:
        """The payload. Its first byte is 0 for OK and 255 for an error, which end the login; 254 for an authentication switch,
        1 for more data and 2 for a further factor, after which this hook is called again.
        """

@final
class Injection:
    """A queued query whose result is complete. Usable until `read_query_result` returns."""

    @property
    def id(self) -> int:
        """The number given to `queries.append`."""
    @property
    def query(self) -> bytes:
        """The queued packet, command byte included."""
    @property
    def query_time(self) -> int | None:
        """Microseconds from queueing until the first packet of the result."""
    @property
    def response_time(self) -> int | None:
        """Microseconds from queueing until the last packet of the result."""
    @property
    def resultset(self) -> Resultset:
        """The result."""
    @property
    def resultsets(self) -> tuple[Resultset, ...]:
        """The results of the answer one by one, each with counters of its own: a tuple. Empty if it was not kept."""

@final
class Resultset:
    """The result of a queued query; of several, the first one's rows and the counters of all.

    The counters are always there. `fields`, `rows`, `raw` and `packets` need `resultset_is_needed=True`, else they are
    None.
    """

    @property
    def fields(self) -> tuple[Field, ...] | None:
        """The columns: a tuple of fields. None if there is no result set, or it was not kept."""
    @property
    def columns(self) -> tuple[str, ...] | None:
        """The names of the columns: a tuple. None if there is no result set, or it was not kept."""
    @property
    def rows(self) -> ResultRows | None:
        """The rows. None if there is no result set, or it was not kept."""
    @property
    def raw(self) -> _bytes | None:
        """The payload of the first packet. None if the result was not kept."""
    @property
    def packets(self) -> tuple[_bytes, ...] | None:
        """The payloads of the answer, as `pyproxy.Raw` takes them: a tuple. None if the result was not kept."""
    @property
    def error(self) -> _bytes | None:
        """The payload of the ERR that ended the result; None if it ended well. Always there."""
    def raise_for_error(self) -> None:
        """Raises ServerError if an ERR ended the result."""
    @property
    def row_count(self) -> int:
        """Number of rows, of all result sets of the answer."""
    @property
    def bytes(self) -> int:
        """Length of all row packets, headers included."""
    @property
    def affected_rows(self) -> int | None:
        """Number of rows changed; None if rows came."""
    @property
    def insert_id(self) -> int | None:
        """The last AUTO_INCREMENT value; None if rows came."""
    @property
    def warning_count(self) -> int:
        """Number of warnings."""
    @property
    def query_status(self) -> int | None:
        """`MYSQLD_PACKET_OK` for OK or a result set, `MYSQLD_PACKET_ERR` for an error; None if the server asks for
        a file.
        """
    @property
    def session_changes(self) -> SessionChanges | None:
        """What changed in the session, by all results of the answer; None if the server does not report it. Always there."""
    @property
    def flags(self) -> Flags:
        """What the server said about the session."""

@final
class Flags:
    """What the server said about the session at the end of a result: a value, safe to keep."""

    @property
    def in_trans(self) -> bool:
        """A transaction is open."""
    @property
    def auto_commit(self) -> bool:
        """Autocommit is on."""
    @property
    def no_backslash_escapes(self) -> bool:
        """A backslash in a string is a character like others: the `sql_mode` has `NO_BACKSLASH_ESCAPES`."""
    @property
    def no_good_index_used(self) -> bool:
        """The query found no good index."""
    @property
    def no_index_used(self) -> bool:
        """The query used no index."""
    def __int__(self) -> int:
        """The status field itself."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Field:
    """A column of a result set: a value, safe to keep. It can stand in `proxy.response.resultset["fields"]`."""

    def __new__(cls, definition: bytes, /) -> Field: ...
    @property
    def name(self) -> str:
        """The column, or its alias."""
    @property
    def org_name(self) -> str:
        """The column behind the alias; empty for an expression."""
    @property
    def table(self) -> str:
        """The table, or its alias; empty for an expression."""
    @property
    def org_table(self) -> str:
        """The table behind the alias; empty for an expression."""
    @property
    def database(self) -> str:
        """The database of the table; empty for an expression."""
    @property
    def type(self) -> int:
        """One of `proxy.MYSQL_TYPE_*`."""
    @property
    def charset(self) -> int:
        """Collation id; 63 means binary."""
    @property
    def length(self) -> int:
        """Longest value, in bytes."""
    @property
    def flags(self) -> int:
        """Column flags: NOT NULL is 1, primary key 2, unsigned 32 and so on."""
    @property
    def decimals(self) -> int:
        """Digits behind the point."""
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __copy__(self) -> Field: ...
    def __deepcopy__(self, memo: object, /) -> Field: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class ResultRows:
    """The rows of a result set, each a tuple: `str`, `bytes` for binary columns, None for NULL.

    Prepared statements give numbers as `int` and `float`, DATE, DATETIME and TIME as `datetime.date`, `.datetime`
    and `.timedelta`; a date that Python does not have, such as that of zeros, stays `str`.

    Can be iterated any number of times, while `read_query_result` runs.
    """

    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: SupportsIndex, /) -> _Row: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[_Row]: ...
    def __iter__(self) -> RowIterator: ...
    def dicts(self) -> Iterator[dict[str, _Cell]]:
        """An iterator of the rows as dicts, with the names of the columns. Of two columns of one name it has the last."""
    def typed(self) -> ResultRows:
        """The same rows with Python values for text, too: `int`, `float`, `decimal.Decimal`, `datetime.date`, `.datetime` and
        `.timedelta`, as the types of the columns say. What Python has no value for stays `str`.
        """

@final
class RowIterator:
    """A walk over the rows of a result set."""

    def __iter__(self) -> RowIterator: ...
    def __next__(self) -> _Row: ...
    def __length_hint__(self) -> int: ...
