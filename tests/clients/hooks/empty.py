"""Hooks of the client matrix: looks at nothing, changes nothing."""


def read_query(proxy, packet):
    pass
