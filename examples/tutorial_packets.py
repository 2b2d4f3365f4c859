"""Print everything there is to know about a query and its result.

    connection    app@127.0.0.1:51442 -> 127.0.0.1:3306, database shop
    query         0353454c454354206e616d6520...
    first packet  03
    times         0.410 ms until the first packet, 0.450 ms until the last
    status        OK, auto_commit, no_index_used
    counters      2 rows in 14 bytes, None affected, insert id None, 0 warnings
    field 0       shop.customers.name, type 253, collation 45, length 160
    row 0         ('Ada',)
    row 1         (None,)

Times, status and counters are known for each queued query; `raw` (the first packet of the answer),
`fields` and `rows` only if the result was kept, which `resultset_is_needed` asks for. An answer
without rows has no `fields` and `rows` (None), one with rows has no number of affected rows.
"""

import pyproxy

STATUS = {
    pyproxy.MYSQLD_PACKET_OK: "OK",
    pyproxy.MYSQLD_PACKET_ERR: "ERR",
    None: "the server asks for a local file",
}
FLAGS = ("in_trans", "auto_commit", "no_good_index_used", "no_index_used")


def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUERY:
        return None
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy, inj):
    for name, text in facts(proxy.connection, inj, inj.resultset):
        print(f"{name:13} {text}")


def facts(connection, inj, result):
    """Pairs of a name and what is to be told under it."""
    client, server = connection.client, connection.server
    flags = [name for name in FLAGS if getattr(result.flags, name)]
    first, last = inj.query_time / 1000, inj.response_time / 1000
    yield (
        "connection",
        f"{client.username}@{client.src} -> {server.dst}, database {client.default_db}",
    )
    yield "query", inj.query.hex()
    yield "first packet", result.raw.hex()
    yield "times", f"{first:.3f} ms until the first packet, {last:.3f} ms until the last"
    yield "status", ", ".join([STATUS[result.query_status], *flags])
    yield (
        "counters",
        f"{result.row_count} rows in {result.bytes} bytes, {result.affected_rows} affected, "
        f"insert id {result.insert_id}, {result.warning_count} warnings",
    )
    for number, field in enumerate(result.fields or ()):
        column = f"{field.database}.{field.table}.{field.name}".lstrip(".")
        yield (
            f"field {number}",
            f"{column}, type {field.type}, collation {field.charset}, length {field.length}",
        )
    for number, row in enumerate(result.rows or ()):
        yield f"row {number}", row
