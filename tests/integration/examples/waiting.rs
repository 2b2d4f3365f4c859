//! Examples whose hooks wait: the README's first script, `wait_in_line`, `wait_for_service`.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use testkit::client::COM_QUERY;
use testkit::wait::PATIENCE;
use testkit::{MariaDb, eventually};

use super::*;

#[test]
fn the_first_script_of_the_readme_is_that_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let (_, rest) = readme.split_once("```python title=\"hooks.py\"\n").expect("a script");
    let (shown, _) = rest.split_once("```").unwrap();
    let script = fs::read_to_string(folder().join("first_script.py")).unwrap();
    assert!(script.ends_with(&format!("\"\"\"\n\n{shown}")), "{shown}");
}

#[test]
fn first_script_rewrites_refuses_and_prints_warnings() {
    let mut setup = direct();
    for statement in [
        "CREATE OR REPLACE DATABASE first_script",
        "CREATE TABLE first_script.customers (name VARCHAR(40))",
        "INSERT INTO first_script.customers VALUES ('Ada')",
    ] {
        setup.query(statement).unwrap().ok();
    }
    let host = waits("first_script.py").start();
    let mut client = host.client();
    client.query("USE first_script").unwrap().ok();
    assert_eq!(client.query("SELECT name FROM clients").unwrap().value(), "Ada");
    let refused = client.query("drop table customers").unwrap();
    assert_eq!(refused.err().message, "DROP is not allowed here");
    assert_same_as_direct(&mut client, "SELECT COUNT(*) FROM first_script.customers");
    assert_same_as_direct(&mut client, "SELECT 1 / 0");
    assert_same_as_direct(&mut client, "SELECT nothing");
    client.quit();
    assert_eq!(printed(host), ["SELECT 1 / 0 [('Warning', '1365', 'Division by 0')]"]);
}

#[test]
fn wait_in_line_lets_two_queries_run() {
    let host = waits("wait_in_line.py").start();
    let lock = "SELECT GET_LOCK('wait_in_line', 1000), RELEASE_LOCK('wait_in_line')";
    let mut setup = direct();
    setup.query("DO GET_LOCK('wait_in_line', 1000)").unwrap().ok();
    let hang_at_the_server = || {
        let sql = "SELECT COUNT(*) FROM information_schema.PROCESSLIST \
                   WHERE INFO LIKE 'SELECT GET_LOCK(''wait_in_line''%'";
        direct().query(sql).unwrap().value()
    };
    let mut clients: Vec<_> = (0..3).map(|_| host.client()).collect();
    for (client, at_the_server) in clients.iter_mut().zip(["1", "2", "2"]) {
        client.send_command(COM_QUERY, lock.as_bytes()).unwrap();
        assert!(eventually(PATIENCE, || hang_at_the_server() == at_the_server));
    }
    let user = MariaDb::user();
    host.wait_for_stdout(&format!("{} waits in line: {lock}", user.user()));
    assert_eq!(hang_at_the_server(), "2");
    setup.query("DO RELEASE_LOCK('wait_in_line')").unwrap().ok();
    for client in &mut clients {
        assert_eq!(client.read_answer(1).unwrap().text(), [["1", "1"]]);
    }
    drop(clients);
    assert_eq!(printed(host).len(), 1);
}

/// A service that says yes or no: its address, and what it is asked.
fn service(status: &'static str) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (tell, asked) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut question = Vec::new();
            while !question.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                question.push(byte[0]);
            }
            let question = String::from_utf8(question).unwrap();
            stream.write_all(format!("HTTP/1.0 {status}\r\n\r\n").as_bytes()).unwrap();
            tell.send(question.lines().next().unwrap().to_owned()).unwrap();
        }
    });
    (address, asked)
}

#[test]
fn wait_for_service_asks_before_a_table_is_dropped() {
    let (yes, asked_for_yes) = service("200 OK");
    let (no, asked_for_no) = service("403 Forbidden");
    let nobody = "http://127.0.0.1:1".to_owned();
    for (address, is_allowed) in [(yes, true), (no, false), (nobody, false)] {
        let host = waits("wait_for_service.py").env("SERVICE", address).start();
        let mut client = host.client();
        assert_in_step(&mut client);
        let answer = client.query("drop table if exists test.wait_for_service").unwrap();
        if is_allowed {
            answer.ok();
        } else {
            assert_eq!(answer.err().message, "the service does not allow it");
        }
        client.quit();
        assert_eq!(printed(host), Vec::<String>::new());
    }
    let user = MariaDb::user();
    let question = format!(
        "GET /drop?user={}&sql=drop+table+if+exists+test.wait_for_service HTTP/1.1",
        user.user()
    );
    for asked in [asked_for_yes, asked_for_no] {
        assert_eq!(asked.recv().unwrap(), question);
    }
}
