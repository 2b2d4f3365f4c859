"""Follow prepared statements, the short way: `proxy.command` knows what is executed.

The same as `tutorial_prepared_statements`, which remembers texts and types itself:

    prepared: SELECT name FROM customers WHERE id = ?
    statement 1: executed with (3,): SELECT name FROM customers WHERE id = ?
    statement 1: closed

An execution has the number of a statement only, and the types of its values only if these are new.
The proxy remembers both for a script that has `read_query`, and forgets them with the statement.
"""


def read_query(proxy, packet):
    command = proxy.command
    if command.type == proxy.COM_STMT_PREPARE:
        print("prepared:", command.sql)
    elif command.type == proxy.COM_STMT_EXECUTE:
        number = command.statement_id
        print(f"statement {number}: executed with {command.params}: {command.sql}")
    elif command.type == proxy.COM_STMT_CLOSE:
        print(f"statement {command.statement_id}: closed")
