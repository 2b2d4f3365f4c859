"""The queries that are measured, by kind. None contains a line end: the Lua driver reads one per
line."""

from __future__ import annotations

# Queries as applications send them.
MIXED = [
    "SELECT c FROM sbtest1 WHERE id=50112",
    "SELECT DISTINCT c FROM sbtest1 WHERE id BETWEEN 49932 AND 50031 ORDER BY c",
    "INSERT INTO sbtest1 (id, k, c, pad) VALUES (49855, 50171, '68487932199-96439406143', '225')",
    "UPDATE accounts SET balance = balance - 12.50, changed = NOW() WHERE id = 77 AND balance > 12",
    "SELECT u.name, COUNT(*) AS n, MAX(o.created_at) FROM shop.users u LEFT JOIN shop.orders o "
    "ON o.user_id = u.id WHERE u.state IN ('new', 'paid') AND o.total > 1e2 GROUP BY u.id "
    "HAVING n > 3 ORDER BY n DESC LIMIT 20",
    "/* app=web,req=8f1c */ SELECT `id`, `title` FROM `posts` WHERE `slug` = 'it''s-here' LIMIT 1",
    "SET @@session.sql_mode = 'STRICT_TRANS_TABLES' /*!40101 , NAMES utf8 */",
    "COMMIT",
]

KINDS = {
    "mixed queries": MIXED,
    "short query": MIXED[:1],
    "insert of 100 rows": [
        "INSERT INTO t (a, b, c, d) VALUES " + ", ".join(["(1234, 'some text', 3.25, NULL)"] * 100)
    ],
    "an escaped string of 64 KB": ["INSERT INTO files (data) VALUES ('" + "x\\'y" * 16384 + "')"],
}
