//! The two ends of the traffic: a server with canned replies, and a client that waits for them.
//!
//! Both send the same bytes every time and look at nothing but their number, so the load is the
//! same for each variant and light enough not to slow the host down.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use testkit::client::COM_QUERY;
use testkit::client::handshake::Handshake;
use testkit::proto::packet::{frame, read};
use testkit::proto::{caps, ok_err, resultset};
use testkit::{Greeting, Login};

use crate::tls::{self, Stream};

/// Sequence ids are bytes: after this many packets they repeat, and so may the bytes.
const IDS: usize = 256;
/// Length of the payload with which a client asks for TLS.
const TLS_REQUEST: usize = 32;
/// What a client asks if it was told nothing else.
pub const POINT_SELECT: &str = "SELECT value FROM t";

/// A whole result set in the order of sending: `head`, `repeats` times `block`, `tail`.
#[derive(Debug)]
pub struct Reply {
    head: Vec<u8>,
    block: Vec<u8>,
    repeats: usize,
    tail: Vec<u8>,
}

impl Reply {
    /// A result set with one column and `count` rows of `width` bytes each.
    pub fn rows(count: usize, width: usize) -> Self {
        Self::table(1, count, width)
    }

    /// A result set with `columns` columns and `count` rows, each cell of `width` bytes.
    pub fn table(columns: u8, count: usize, width: usize) -> Self {
        let mut id = 1_u8;
        let mut packets = |payloads: &[Vec<u8>]| {
            let mut bytes = Vec::new();
            for payload in payloads {
                bytes.extend_from_slice(&frame(id, payload));
                id = id.wrapping_add(1);
            }
            bytes
        };
        let cell = vec![b'x'; width];
        let row = resultset::row(&vec![Some(cell.as_slice()); columns.into()]);
        let eof = ok_err::eof(caps::STATUS_AUTOCOMMIT);
        let mut start = vec![vec![columns]];
        start.extend((0..columns).map(|_| resultset::column("value")));
        start.push(eof.clone());
        let head = packets(&start);
        // A full round of ids, so that the block fits again behind itself.
        let block = packets(&vec![row.clone(); IDS]);
        let mut last = vec![row; count % IDS];
        last.push(eof);
        let tail = packets(&last);
        Self { head, block, repeats: count / IDS, tail }
    }

    /// Number of bytes on the wire.
    pub fn len(&self) -> usize {
        self.head.len() + self.block.len() * self.repeats + self.tail.len()
    }

    fn send(&self, stream: &mut dyn Stream) -> io::Result<()> {
        if self.repeats == 0 {
            // One write, as a server does with a small result.
            return stream.write_all(&[self.head.as_slice(), &self.tail].concat());
        }
        stream.write_all(&self.head)?;
        for _ in 0..self.repeats {
            stream.write_all(&self.block)?;
        }
        stream.write_all(&self.tail)
    }
}

/// Starts a server that accepts every login, with TLS or without, and answers every command with
/// `reply`. It ends with the process.
pub fn serve(reply: Arc<Reply>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port to listen on");
    let address = listener.local_addr().expect("a bound socket has an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let reply = Arc::clone(&reply);
            // The error is the host's end of the connection.
            thread::spawn(move || answer_all(stream, &reply));
        }
    });
    address
}

fn answer_all(mut stream: TcpStream, reply: &Reply) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(&frame(0, &Greeting::default().with(caps::SSL).payload()))?;
    let asks_for_tls = read(&mut stream)?.payload.len() == TLS_REQUEST;
    let mut stream: Box<dyn Stream> = if asks_for_tls {
        let mut stream = tls::accept(stream)?;
        read(&mut stream)?;
        stream.write_all(&frame(3, &ok_err::plain_ok()))?;
        stream
    } else {
        stream.write_all(&frame(2, &ok_err::plain_ok()))?;
        Box::new(stream)
    };
    let mut command = [0; 256];
    while stream.read(&mut command)? > 0 {
        reply.send(&mut *stream)?;
    }
    Ok(())
}

/// A logged-in client.
#[derive(Debug)]
pub struct Client {
    stream: Box<dyn Stream>,
    socket: TcpStream,
    query: Vec<u8>,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects through the host at `address` and logs in.
    pub fn login(address: SocketAddr, with_tls: bool) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let socket = stream.try_clone()?;
        let handshake = Handshake::parse(&read(&mut stream)?.payload)?;
        let mut login = Login::new("bench", "");
        let mut id = 1;
        let mut stream: Box<dyn Stream> = if with_tls {
            login = login.with(caps::SSL);
            // A request for TLS is the beginning of the login.
            stream.write_all(&frame(id, &login.payload(&handshake)[..TLS_REQUEST]))?;
            id += 1;
            tls::connect(stream)?
        } else {
            Box::new(stream)
        };
        stream.write_all(&frame(id, &login.payload(&handshake)))?;
        let answer = read(&mut stream)?;
        if answer.kind() != Some(0) {
            return Err(io::Error::other(format!("login: {answer:?}")));
        }
        let buffer = vec![0; 256 * 1024];
        Ok(Self { stream, socket, query: Vec::new(), buffer }.asking(POINT_SELECT))
    }

    /// The client with another statement.
    pub fn asking(mut self, statement: &str) -> Self {
        self.query = frame(0, &[&[COM_QUERY], statement.as_bytes()].concat());
        self
    }

    /// Sends its query and does not read the answer.
    pub fn send(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.query)
    }

    /// Whether the answer has not begun to come. The end of its use: reads do not wait any more.
    pub fn is_waiting(&self) -> io::Result<bool> {
        self.socket.set_nonblocking(true)?;
        match self.socket.peek(&mut [0]) {
            Ok(_) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Sends its query and reads an answer of `length` bytes, with a rest of `pause` after each
    /// MiB.
    pub fn query(&mut self, length: usize, pause: Option<Duration>) -> io::Result<()> {
        self.send()?;
        let mut read = 0;
        let mut rest_at = 1 << 20;
        while read < length {
            let room = self.buffer.len().min(length - read);
            match self.stream.read(&mut self.buffer[..room])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => read += count,
            }
            if let Some(pause) = pause
                && read >= rest_at
            {
                thread::sleep(pause);
                rest_at += 1 << 20;
            }
        }
        Ok(())
    }
}
