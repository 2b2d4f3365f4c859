"""The integer constants of `proxy`, for use outside the proxy. Each is also a name of `pyproxy`.

The plugin has the same ones; a test compares both with the type stubs.
"""

from __future__ import annotations

__all__ = ["CONSTANTS"]

_PROXY = {
    "PROXY_NO_DECISION": 0,
    "PROXY_SEND_QUERY": 1,
    "PROXY_SEND_RESULT": 2,
    "PROXY_IGNORE_RESULT": 4,
    "MYSQLD_PACKET_OK": 0,
    "MYSQLD_PACKET_RAW": 250,
    "MYSQLD_PACKET_NULL": 251,
    "MYSQLD_PACKET_EOF": 254,
    "MYSQLD_PACKET_ERR": 255,
    "BACKEND_STATE_UNKNOWN": 0,
    "BACKEND_STATE_UP": 1,
    "BACKEND_STATE_DOWN": 2,
    "BACKEND_TYPE_UNKNOWN": 0,
    "BACKEND_TYPE_RW": 1,
    "BACKEND_TYPE_RO": 2,
}

# First byte of a client's packet: the names from 0 on, then those that stand apart.
_COMMANDS = """
    SLEEP QUIT INIT_DB QUERY FIELD_LIST CREATE_DB DROP_DB REFRESH SHUTDOWN STATISTICS
    PROCESS_INFO CONNECT PROCESS_KILL DEBUG PING TIME DELAYED_INSERT CHANGE_USER BINLOG_DUMP
    TABLE_DUMP CONNECT_OUT REGISTER_SLAVE STMT_PREPARE STMT_EXECUTE STMT_SEND_LONG_DATA
    STMT_CLOSE STMT_RESET SET_OPTION STMT_FETCH DAEMON BINLOG_DUMP_GTID RESET_CONNECTION CLONE
""".split()
_FURTHER_COMMANDS = {"COM_STMT_BULK_EXECUTE": 250}

_TYPES = {
    "DECIMAL": 0,
    "TINY": 1,
    "SHORT": 2,
    "LONG": 3,
    "FLOAT": 4,
    "DOUBLE": 5,
    "NULL": 6,
    "TIMESTAMP": 7,
    "LONGLONG": 8,
    "INT24": 9,
    "DATE": 10,
    "TIME": 11,
    "DATETIME": 12,
    "YEAR": 13,
    "NEWDATE": 14,
    "VARCHAR": 15,
    "BIT": 16,
    "VECTOR": 242,
    "JSON": 245,
    "NEWDECIMAL": 246,
    "ENUM": 247,
    "SET": 248,
    "TINY_BLOB": 249,
    "MEDIUM_BLOB": 250,
    "LONG_BLOB": 251,
    "BLOB": 252,
    "VAR_STRING": 253,
    "STRING": 254,
    "GEOMETRY": 255,
}

CONSTANTS: dict[str, int] = {
    **_PROXY,
    **{f"COM_{name}": value for value, name in enumerate(_COMMANDS)},
    **_FURTHER_COMMANDS,
    **{f"MYSQL_TYPE_{name}": value for name, value in _TYPES.items()},
    # Of the host that the plugin is made for, 0.8.5: major << 16 | minor << 8 | patch.
    "PROXY_VERSION": 0x00805,
}
