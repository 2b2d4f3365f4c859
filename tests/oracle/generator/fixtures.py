"""The objects that sessions find, and the accounts of their clients."""

from __future__ import annotations

from ..servers.node import CAPABILITIES
from ..wire.codec import Cap
from ..wire.login import Identity
from .dialect import Dialect

__all__ = [
    "DATABASES",
    "FILES",
    "IDENTITIES",
    "LOCKS",
    "accounts",
    "databases",
    "programs",
    "tables",
]

DATABASES = ("o1", "o2", "o3")
LOCKS = ("lock_a", "lock_b")

# Connections are shared by clients of the same identity; so each user has one set of capabilities.
IDENTITIES = (
    Identity("client1", "one", CAPABILITIES | Cap.MULTI_STATEMENTS | Cap.LOCAL_FILES),
    Identity(
        "client2",
        "two",
        CAPABILITIES | Cap.MULTI_STATEMENTS | Cap.DEPRECATE_EOF | Cap.SESSION_TRACK,
    ),
    Identity("client3", "three", CAPABILITIES | Cap.FOUND_ROWS | Cap.DEPRECATE_EOF),
    Identity(
        "client4",
        "four",
        CAPABILITIES
        | Cap.MULTI_STATEMENTS
        | Cap.IGNORE_SPACE
        | Cap.INTERACTIVE
        | Cap.SESSION_TRACK,
    ),
)
# Who may do everything; the others may do everything in o1 and o2.
_PRIVILEGED = "client2"

FILES = {
    b"three.txt": b"301\tthirty\n302\tforty\n303\tfifty\n",
    b"odd.txt": b"304\tok\nx\tnot a number\n305\n",
}


def accounts(dialect: Dialect) -> list[str]:
    """Users and roles. Role r1 reads o3, role r2 writes it, too."""
    found = ["CREATE ROLE r1", "CREATE ROLE r2"]
    for user, password, _ in IDENTITIES:
        found.append(f"CREATE USER {user}@'%' IDENTIFIED BY '{password}'")
        if user == _PRIVILEGED:
            found.append(f"GRANT ALL ON *.* TO {user}@'%'")
        else:
            found.append(f"GRANT RELOAD, PROCESS ON *.* TO {user}@'%'")
            found += [f"GRANT ALL ON {name}.* TO {user}@'%'" for name in ("o1", "o2")]
            if dialect.is_mysql:
                found.append(f"GRANT BACKUP_ADMIN, XA_RECOVER_ADMIN ON *.* TO {user}@'%'")
        found += [f"GRANT {role} TO {user}@'%'" for role in ("r1", "r2")]
    found += ["GRANT SELECT ON o3.* TO r1", "GRANT ALL ON o3.* TO r2"]
    return found


def databases() -> list[str]:
    """The databases, empty. o2 has a character set of its own."""
    return [
        "CREATE DATABASE o1 CHARACTER SET utf8mb4",
        "CREATE DATABASE o2 CHARACTER SET latin1",
        "CREATE DATABASE o3 CHARACTER SET utf8mb4",
    ]


def tables(dialect: Dialect) -> dict[str, list[str]]:
    """Each table, with the statements that make and fill it."""
    plain = "(id INT AUTO_INCREMENT PRIMARY KEY, a INT, b VARCHAR(12))"
    found = {
        "o1.t1": [
            f"CREATE TABLE o1.t1 {plain}",
            "INSERT INTO o1.t1 VALUES (1, 10, 'one'), (2, 20, 'two'), (3, 30, 'three'),"
            " (4, 40, NULL), (5, 50, 'five'), (6, 60, 'Six')",
        ],
        "o1.t2": [
            "CREATE TABLE o1.t2 (k INT PRIMARY KEY, v VARCHAR(12) NOT NULL, n DECIMAL(8,3),"
            " d DATETIME, UNIQUE KEY v (v))",
            "INSERT INTO o1.t2 VALUES (1, 'x', 1.5, '2020-01-02 03:04:05'),"
            " (2, 'y', 2.25, '2021-02-03 04:05:06'), (3, 'z', NULL, NULL), (4, 'w', 4, NULL)",
        ],
        "o1.t3": [
            "CREATE TABLE o1.t3 (id INT AUTO_INCREMENT PRIMARY KEY, a INT)",
            "INSERT INTO o1.t3 VALUES (1, 1), (2, 2), (3, 3)",
        ],
        "o1.log": [
            "CREATE TABLE o1.log (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(20))",
            "INSERT INTO o1.log VALUES (1, 'start')",
        ],
        "o1.stamps": [
            "CREATE TABLE o1.stamps (id INT PRIMARY KEY, at TIMESTAMP NULL)",
            "INSERT INTO o1.stamps VALUES (1, FROM_UNIXTIME(1000000000)),"
            " (2, FROM_UNIXTIME(1234567890))",
        ],
        "o1.texts": [
            "CREATE TABLE o1.texts (id INT PRIMARY KEY, l VARCHAR(12) CHARACTER SET latin1,"
            " u VARCHAR(12) CHARACTER SET utf8mb4)",
            "INSERT INTO o1.texts VALUES (1, _latin1 0xE9, _utf8mb4 0xC3A9), (2, 'e', 'E'),"
            " (3, 'ss', _utf8mb4 0xC39F)",
        ],
        "o2.t1": [
            f"CREATE TABLE o2.t1 {plain}",
            "INSERT INTO o2.t1 VALUES (1, 11, 'eins'), (2, 22, 'zwei'), (3, 33, 'drei')",
        ],
        "o2.only": [
            "CREATE TABLE o2.only (k INT PRIMARY KEY, v INT)",
            "INSERT INTO o2.only VALUES (1, 100), (2, 200)",
        ],
        "o3.secret": [
            "CREATE TABLE o3.secret (k INT PRIMARY KEY, v INT)",
            "INSERT INTO o3.secret VALUES (1, 1000), (2, 2000)",
        ],
    }
    if dialect.is_mariadb:
        found["o1.s1"] = ["CREATE SEQUENCE o1.s1 START WITH 1 NOCACHE"]
    return found


def programs(dialect: Dialect) -> list[str]:
    """Triggers, views, functions and procedures. Made anew after each session that has changed any."""
    found = [
        # What is seen of a trigger's work: a row elsewhere and a user variable.
        "CREATE TRIGGER o1.t3_before BEFORE INSERT ON o1.t3 FOR EACH ROW"
        " BEGIN SET @trigger_saw = NEW.a; INSERT INTO o1.log (what) VALUES ('t3'); END",
        "CREATE FUNCTION o1.f_read(x INT) RETURNS INT READS SQL DATA"
        " RETURN (SELECT MAX(a) + x FROM o1.t1)",
        "CREATE FUNCTION o1.f_pure(x INT) RETURNS INT DETERMINISTIC RETURN x * 2",
        "CREATE FUNCTION o1.f_write(x INT) RETURNS INT MODIFIES SQL DATA"
        " BEGIN INSERT INTO o1.log (what) VALUES (CONCAT('f', x)); RETURN x + 1; END",
        "CREATE FUNCTION o1.f_variable(x INT) RETURNS INT NO SQL"
        " BEGIN SET @function_saw = x; RETURN x; END",
        "CREATE FUNCTION o1.f_temporary(x INT) RETURNS INT MODIFIES SQL DATA"
        " BEGIN CREATE TEMPORARY TABLE IF NOT EXISTS o1.of_function (x INT);"
        " INSERT INTO o1.of_function VALUES (x); RETURN (SELECT COUNT(*) FROM o1.of_function); END",
        "CREATE FUNCTION o1.f_id(x INT) RETURNS INT NO SQL RETURN LAST_INSERT_ID(x)",
        "CREATE VIEW o1.v1 AS SELECT id, a FROM o1.t1 WHERE a > 10",
        "CREATE VIEW o1.v_write AS SELECT id, o1.f_write(id) AS w FROM o1.t3 WHERE id < 3",
        "CREATE PROCEDURE o1.p_select(x INT) BEGIN SELECT id, a FROM o1.t1 WHERE id <= x ORDER BY id;"
        " SELECT x * 2 AS doubled; END",
        "CREATE PROCEDURE o1.p_out(IN x INT, OUT y INT) SET y = x + 5",
        "CREATE PROCEDURE o1.p_write(x INT) BEGIN INSERT INTO o1.t1 (a, b) VALUES (x, 'p');"
        " UPDATE o1.t2 SET n = x WHERE k = 1; END",
        "CREATE PROCEDURE o1.p_temporary(x INT) BEGIN"
        " DROP TEMPORARY TABLE IF EXISTS o1.of_procedure;"
        " CREATE TEMPORARY TABLE o1.of_procedure SELECT x AS x; END",
        "CREATE PROCEDURE o1.p_set(x INT) BEGIN SET div_precision_increment = x;"
        " SET @procedure_saw = x; END",
        "CREATE PROCEDURE o1.p_begin(x INT) BEGIN START TRANSACTION;"
        " INSERT INTO o1.log (what) VALUES (CONCAT('b', x)); END",
        "CREATE PROCEDURE o1.p_error(x INT) BEGIN INSERT INTO o1.log (what) VALUES ('before');"
        " SELECT 1 AS first; SET @procedure_saw = x;"
        " INSERT INTO o1.t2 (k, v) VALUES (1, 'twice'); SELECT 2 AS never; END",
        "CREATE PROCEDURE o1.p_role() SET ROLE r1",
        "CREATE PROCEDURE o1.p_isolation() SET SESSION TRANSACTION READ WRITE",
        "CREATE FUNCTION o2.f_pure(x INT) RETURNS INT DETERMINISTIC RETURN x * 3",
    ]
    if dialect.is_mysql:
        # It does not let functions make tables that are looked up by the same function.
        found = [sql for sql in found if "f_temporary" not in sql]
        found.append(
            "CREATE FUNCTION o1.f_temporary(x INT) RETURNS INT MODIFIES SQL DATA"
            " BEGIN CREATE TEMPORARY TABLE IF NOT EXISTS o1.of_function (x INT); RETURN x; END"
        )
        # Without a statement it would count the rows of the statement before: see `allowed`.
        found = [sql for sql in found if "p_out" not in sql]
        found.append(
            "CREATE PROCEDURE o1.p_out(IN x INT, OUT y INT) BEGIN SET y = x + 5; DO 0; END"
        )
        # Roles cannot be changed in stored programs without dynamic SQL.
        found = [sql for sql in found if "p_role" not in sql]
        found.append(
            "CREATE PROCEDURE o1.p_role() BEGIN SET @text = 'SET ROLE r1';"
            " PREPARE of_role FROM @text; EXECUTE of_role; DEALLOCATE PREPARE of_role; END"
        )
    return found
