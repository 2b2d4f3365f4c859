use super::*;

fn of(sql: &str) -> String {
    let mut out = Vec::new();
    fingerprint(sql.as_bytes(), Rules::default(), false, &mut out);
    String::from_utf8(out).expect("UTF-8")
}

fn of_beginning(sql: &str, length: usize) -> String {
    let mut out = b"what was there".to_vec();
    fingerprint(&sql.as_bytes()[..length], Rules::default(), true, &mut out);
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn values_are_folded() {
    for (sql, want) in [
        ("SELECT name FROM c WHERE id = 5", "SELECT name FROM c WHERE id = ?"),
        ("SELECT name FROM c WHERE id = ?", "SELECT name FROM c WHERE id = ?"),
        ("SELECT 'it''s', \"a\\\"b\", 1.5e3, x'41', b'1', N'a'", "SELECT ?+"),
        ("SELECT a  /* why */\n\t-- two\n FROM\tt ; ", "SELECT a FROM t"),
        ("/* app=web */ SELECT 1", "SELECT ?"),
        ("SELECT /*+ NO_ICP(t) */ a FROM t", "SELECT a FROM t"),
        ("SELECT /*!50000 STRAIGHT_JOIN */ a", "SELECT STRAIGHT_JOIN a"),
        ("INSERT INTO t VALUES (1,'a'),(-2 , 'b'), (NULL,DEFAULT)", "INSERT INTO t VALUES (?+)"),
        (
            "INSERT INTO t VALUES (1,NOW()),(2,NOW()), (3, NOW( ))",
            "INSERT INTO t VALUES (?, NOW())",
        ),
        ("INSERT INTO t VALUES (1), (2)", "INSERT INTO t VALUES (?)"),
        ("SELECT 1 FROM t WHERE a IN (1)", "SELECT ? FROM t WHERE a IN (?+)"),
        ("SELECT 1 FROM t WHERE a in ( 1,-2,  3 )", "SELECT ? FROM t WHERE a in (?+)"),
        ("SELECT a IN (b, 1), f(1), f(1, 2)", "SELECT a IN (b, ?), f(?), f(?+)"),
        ("SELECT 1, a, 2, 3", "SELECT ?, a, ?+"),
        ("SELECT a - 1, a-1, -1, a = -1", "SELECT a - ?, a-?, ?, a = ?"),
        ("SELECT (1), (1)", "SELECT (?)"),
        ("SELECT ? + 1, ? - ?", "SELECT ? + ?, ? - ?"),
        ("SELECT a IS NULL, NULL", "SELECT a IS NULL, ?"),
        ("CREATE USER u@h IDENTIFIED BY 'secret'", "CREATE USER u@h IDENTIFIED BY ?"),
        ("SET @a = 1, sql_mode='x'", "SET @a = ?, sql_mode=?"),
        ("SELECT 1; UPDATE t SET a = 'x';", "SELECT ?; UPDATE t SET a = ?"),
        ("SELECT `a``1`, t.1a, db.t", "SELECT `a``1`, t.1a, db.t"),
        ("COMMIT", "COMMIT"),
        ("", ""),
        (")) , 1)", ")), ?)"),
    ] {
        assert_eq!(of(sql), want, "{sql}");
    }
}

#[test]
fn what_no_server_reads_is_not_shown() {
    for (sql, want) in [
        ("SELECT 'secret", "SELECT..."),
        ("SELECT 1, 'secret", "SELECT ?..."),
        ("SELECT \x01 secret", "SELECT..."),
    ] {
        assert_eq!(of(sql), want);
    }
}

#[test]
fn where_a_text_is_cut_makes_no_difference_in_a_list() {
    let rows = ["(1234, 'some text', NOW())"; 200].join(", ");
    let insert = format!("INSERT INTO t (a, b, c) VALUES {rows}");
    let values = ["12345"; 1000].join(", ");
    let select = format!("SELECT * FROM t WHERE a = 1 AND b IN ({values}) AND c = 2");
    for length in 3000..3100 {
        assert_eq!(of_beginning(&insert, length), "INSERT INTO t (a, b, c) VALUES (?+, NOW())...");
        let want = "SELECT * FROM t WHERE a = ? AND b IN (?+...";
        assert_eq!(of_beginning(&select, length), want);
    }
    assert_eq!(of_beginning("SELECT secret", 9), "SELECT...");
}

#[test]
fn it_is_never_long() {
    let names = ["a_name"; 10_000].join("+");
    let found = of(&format!("SELECT {names}"));
    assert!(found.len() <= MOST + 3 && found.ends_with("a_name+..."), "{found}");
    let deep = "(".repeat(500) + "1" + &")".repeat(499);
    assert!(of(&deep).len() < MOST);
}

#[test]
fn digests_are_always_the_same() {
    assert_eq!(format!("{:016x}", digest(b"SELECT ?")), "0d47a437fa0874a0");
    assert_ne!(digest(b"SELECT ?"), digest(b"SELECT ??"));
}
