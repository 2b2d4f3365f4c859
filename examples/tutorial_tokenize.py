"""Look at the tokens of each query, and at its normalized form.

The tokenizer cuts a text into words, numbers, strings and signs, without a server. Normalized
texts are the same for queries that differ only in values, spacing and comments: what one groups
statistics by. Standard output shows for `SELECT name FROM customers WHERE id = 3`:

      1  TK_SQL_SELECT          SELECT
      2  TK_LITERAL             name
      ...
      8  TK_INTEGER             3
    SELECT `name` FROM `customers` WHERE `id` = ?
"""

from pyproxy import tokenizer


def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUERY:
        return
    tokens = tokenizer.tokenize(packet[1:])
    for number, token in enumerate(tokens, start=1):
        print(f"{number:3}  {token.token_name:<22} {token.text}")
    print(tokenizer.normalize(tokens))
