"""Hooks of the client matrix: every command is queued, and every result kept in memory."""


def read_query(proxy, packet):
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY
