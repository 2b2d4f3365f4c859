//! Tutorials that answer in place of a server, or ask it something else, and their short forms: resultset, rewrite.

use super::*;

#[test]
fn resultset_counts_for_all_and_for_each_connection() {
    for style in ["tutorial", "short"] {
        let host = run(&format!("{style}_resultset.py"));
        let (mut first, mut second) = (host.client(), host.client());
        assert_same_as_direct(&mut first, "SELECT 1");
        assert_eq!(first.query("SHOW QUERYCOUNTER").unwrap().text(), [["2", "2"]]);
        assert_eq!(second.query("show  querycounter").unwrap().text(), [["3", "1"]]);
        first.quit();
        second.quit();
        assert_eq!(printed(host), Vec::<String>::new());
    }
}

#[test]
fn resultset_makes_an_error_and_passes_the_rest() {
    for style in ["tutorial", "short"] {
        let host = run(&format!("{style}_resultset.py"));
        let mut client = host.client();
        let answer = client.query("SHOW MYERROR").unwrap();
        let error = answer.err();
        assert_eq!((error.code, error.sqlstate.as_deref()), (1105, Some("HY000")));
        assert_eq!(error.message, "this error is made by a script");
        assert_same_as_direct(&mut client, "SHOW");
        assert_same_as_direct(&mut client, "");
        assert_same_as_direct(&mut client, "SHOW VARIABLES LIKE 'port'");
        client.quit();
        assert_eq!(printed(host), Vec::<String>::new());
    }
}

#[test]
fn rewrite_understands_a_few_words_of_a_shell() {
    for style in ["tutorial", "short"] {
        let mut setup = direct();
        setup.query("CREATE OR REPLACE DATABASE `tutorial_``rewrite`").unwrap().ok();
        setup.query("CREATE TABLE `tutorial_``rewrite`.fish (id INT)").unwrap().ok();
        let host = run(&format!("{style}_rewrite.py"));
        let mut client = host.client();
        assert_eq!(client.query("ls").unwrap().err().code, 1046, "no database selected");
        assert_eq!(client.query("ls tutorial_`rewrite").unwrap().text(), [["fish"]]);
        client.query("cd tutorial_`rewrite").unwrap().ok();
        assert_eq!(client.query("SELECT DATABASE()").unwrap().value(), "tutorial_`rewrite");
        assert_eq!(client.query(" ls ").unwrap().text(), [["fish"]]);
        assert_eq!(client.query("cd nowhere").unwrap().err().code, 1049);
        assert_eq!(client.query("SELECT DATABASE()").unwrap().value(), "tutorial_`rewrite");
        let processes = client.query("who").unwrap().text();
        assert!(processes.iter().any(|row| row.contains(&"SHOW PROCESSLIST".to_owned())));
        for other in ["", "cd", "who are you"] {
            assert_same_as_direct(&mut client, other);
        }
        client.quit();
        assert_eq!(printed(host), Vec::<String>::new());
    }
}
