"""Follow prepared statements: text, parameters, executions, end.

    statement 1: SELECT name FROM customers WHERE id = ? (1 parameters, 1 columns)
    statement 1: executed with [3]
    statement 1: closed

A client sends the text once; the server's answer has the number that all later commands go by. An
execution has the values of the parameters, but their types only if these are new. So one has to
remember what was before: `proto.Statements` does, and there is one of it for each connection,
because the numbers of two connections mean different statements.

`packet` and the answer stay as they are. COM_STMT_CLOSE is never answered by a server, so it must
not be queued: it just passes.
"""

from pyproxy import commands, proto


def read_auth(proxy):
    proxy.connection.statements = proto.Statements(proxy.connection.client.capabilities)


def read_query(proxy, packet):
    statements, command = proxy.connection.statements, commands.parse(packet)
    if command.type == proxy.COM_STMT_PREPARE:
        proxy.queries.append(1, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
    if command.type in (proxy.COM_CHANGE_USER, proxy.COM_RESET_CONNECTION):
        statements.clear()
    elif command.stmt_handler_id in statements:
        follow(proxy, statements, command, packet)
    return None


def follow(proxy, statements, command, packet):
    """Keeps and prints what a command does to a statement that is there."""
    if command.type == proxy.COM_STMT_SEND_LONG_DATA:
        statements.long_data(packet)
    elif command.type == proxy.COM_STMT_RESET:
        statements.reset(packet)
    elif command.type == proxy.COM_STMT_EXECUTE:
        values = [param.value for param in statements.execute(packet).params or ()]
        print(f"statement {command.stmt_handler_id}: executed with {values}")
    elif command.type == proxy.COM_STMT_CLOSE:
        statements.close(packet)
        print(f"statement {command.stmt_handler_id}: closed")


def read_query_result(proxy, inj):
    answer = inj.resultset.raw
    if answer[0] != proxy.MYSQLD_PACKET_OK:
        return
    text = proto.from_stmt_prepare_packet(inj.query).stmt_text
    ok = proxy.connection.statements.prepared(answer, text)
    print(
        f"statement {ok.stmt_id}: {text.decode(errors='replace')} "
        f"({ok.num_params} parameters, {ok.num_columns} columns)"
    )
