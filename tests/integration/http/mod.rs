//! The HTTP endpoint: what it tells, who reaches it, and that nobody else notices.

mod api;
mod backends;
mod changes;
mod counts;
mod dashboard;
mod health;
mod hostile;
mod metrics;
mod page;
mod queries;
mod reach;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::Value;
use testkit::Host;
use testkit::host::builder::Builder;
use testkit::ports::free_port;
use testkit::wait::PATIENCE;

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    /// Names in small letters.
    head: String,
    body: String,
}

impl Answer {
    fn read(from: &mut impl Read) -> Self {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) =
            text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("a head: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }
}

/// A host with an endpoint.
struct Site {
    host: Host,
    address: SocketAddr,
}

impl Site {
    /// `builder` gets an endpoint on a free port.
    fn start(builder: Builder) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        Self { host: builder.option("pyproxy-http-address", address).start(), address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// What the endpoint answers to this, on a connection of its own.
    fn say(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        Answer::read(&mut stream)
    }

    fn get_with(&self, path: &str, headers: &str) -> Answer {
        self.say(&request(path, headers))
    }

    fn get(&self, path: &str) -> Answer {
        self.get_with(path, "")
    }

    /// What the API has there.
    fn json(&self, path: &str) -> Value {
        let answer = self.get(&format!("/api/v1/{path}"));
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// The sample whose line begins so.
    fn sample(&self, name: &str) -> f64 {
        let text = self.get("/metrics").body;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().unwrap()
    }
}

fn request(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n")
}

fn get_from_path(path: &Path, page: &str) -> Answer {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.write_all(request(page, "").as_bytes()).unwrap();
    Answer::read(&mut stream)
}
