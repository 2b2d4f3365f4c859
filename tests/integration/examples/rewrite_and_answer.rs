//! `rewrite_and_answer.py`, and its short form.

use testkit::{Host, RawClient};

use super::*;

const SCRIPTS: [&str; 2] = ["rewrite_and_answer.py", "short_rewrite_and_answer.py"];

#[test]
fn rewrite_and_answer_reads_the_new_table_for_the_old_name() {
    for script in SCRIPTS {
        let (host, mut client) = rewriting_host(script, "shop_rewrite");
        let rows = client.query("SELECT name FROM shop_rewrite.Clients WHERE id = 2").unwrap();
        assert_eq!(rows.value(), "Grace");
        assert_same_as_direct(&mut client, "SELECT COUNT(*) FROM shop_rewrite.customers");
        client.quit();
        assert_eq!(
            printed(host),
            ["rewrote:  SELECT name FROM shop_rewrite.Clients WHERE id = 2 \
              -> SELECT name FROM shop_rewrite.customers WHERE id = 2"]
        );
    }
}

#[test]
fn rewrite_and_answer_counts_the_queries_of_each_user() {
    for script in SCRIPTS {
        let (host, mut client) = rewriting_host(script, "shop_count");
        assert_eq!(client.query("SELECT 1").unwrap().value(), "1");
        let answer = client.query("show proxy queries").unwrap();
        assert_eq!(answer.text(), [["u", "2"]]);
        assert_in_step(&mut client);
        client.quit();
        assert_eq!(printed(host), ["answered: show proxy queries"]);
    }
}

#[test]
fn rewrite_and_answer_refuses_a_delete_without_where() {
    for script in SCRIPTS {
        let (host, mut client) = rewriting_host(script, "shop_delete");
        let answer = client.query("DELETE FROM shop_delete.customers").unwrap();
        assert_eq!(answer.err().message, "DELETE without WHERE is not allowed here");
        client.query("DELETE FROM shop_delete.customers WHERE id = 1").unwrap().ok();
        let left = client.query("SELECT id FROM shop_delete.customers ORDER BY id").unwrap();
        assert_eq!(left.text(), [["2"], ["3"]]);
        client.quit();
        assert_eq!(printed(host), ["refused:  DELETE FROM shop_delete.customers"]);
    }
}

/// A host with the script in front of a new database with the table `customers`.
fn rewriting_host(script: &str, database: &str) -> (Host, RawClient) {
    let mut setup = direct();
    for statement in [
        format!("CREATE OR REPLACE DATABASE {database}"),
        format!("CREATE TABLE {database}.customers (id INT PRIMARY KEY, name VARCHAR(40))"),
        format!("INSERT INTO {database}.customers VALUES (1,'Ada'), (2,'Grace'), (3,'Edsger')"),
    ] {
        setup.query(&statement).unwrap().ok();
    }
    let host = run(script);
    let client = host.client();
    (host, client)
}
