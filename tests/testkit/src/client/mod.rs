//! A client that speaks packets by hand, so that a test decides every byte and every id.

pub mod answer;
pub mod handshake;
pub mod login;

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use crate::proto::ok_err::{ErrPacket, OkPacket, parse_err, parse_ok};
use crate::proto::packet::{self, Packet};
use crate::proto::scramble;
use crate::reset::reset;
use crate::server::auth::{caching_sha2, encrypted};
use crate::wait::{PATIENCE, allowing_for_wrapper};
use answer::Answer;
use handshake::Handshake;
use login::Login;

/// COM_QUIT.
pub const COM_QUIT: u8 = 0x01;
/// COM_INIT_DB.
pub const COM_INIT_DB: u8 = 0x02;
/// COM_QUERY.
pub const COM_QUERY: u8 = 0x03;
/// COM_PING.
pub const COM_PING: u8 = 0x0e;

/// One connection of a scripted client. Dropping it closes the socket without COM_QUIT.
#[derive(Debug)]
pub struct RawClient {
    stream: TcpStream,
}

impl RawClient {
    /// Connects; nothing is read or sent. Reads give up after [`PATIENCE`].
    ///
    /// # Errors
    /// Those of the connect.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let patience = Some(allowing_for_wrapper(PATIENCE));
        stream.set_read_timeout(patience)?;
        stream.set_write_timeout(patience)?;
        Ok(Self { stream })
    }

    /// Connects, reads the handshake, logs in, follows a switch to `mysql_native_password`,
    /// `caching_sha2_password` or `sha256_password`.
    ///
    /// # Errors
    /// Those of the streams; a refused login is [`io::ErrorKind::PermissionDenied`] with its text.
    pub fn login(address: SocketAddr, login: &Login) -> io::Result<Self> {
        let mut client = Self::connect(address)?;
        let handshake = client.read_handshake()?;
        let id = client.send_packet(1, &login.payload(&handshake))?;
        client.finish_login(login, id)?;
        Ok(client)
    }

    /// Reads the server's answer to a login until OK, following a switch to another method that
    /// [`RawClient::login`] knows. `next_id` is the id the answer must have.
    ///
    /// # Errors
    /// See [`RawClient::login`].
    pub fn finish_login(&mut self, login: &Login, next_id: u8) -> io::Result<OkPacket> {
        let mut expected = next_id;
        let mut scramble = Vec::new();
        loop {
            let packet = self.read_packet()?;
            assert_eq!(packet.id, expected, "id of {packet:?}");
            match packet.kind() {
                Some(0x00) => return parse_ok(&packet.payload),
                Some(0xff) => {
                    let error = parse_err(&packet.payload)?;
                    let text = format!("{} {}", error.code, error.message);
                    return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
                }
                Some(0xfe) => {
                    let (method, data) = handshake::parse_switch(&packet.payload)?;
                    let password = login.password_text();
                    let answer = match method.as_str() {
                        "mysql_native_password" => scramble::native(password, &data),
                        "caching_sha2_password" => {
                            scramble::caching_sha2(password.as_bytes(), &data)
                        }
                        // Asks for the key. MySQL wants this of users that it does not know, by chance.
                        "sha256_password" => vec![1],
                        other => panic!("{other} is not scripted here"),
                    };
                    scramble = data;
                    expected = self.send_packet(packet.id.wrapping_add(1), &answer)?;
                }
                Some(0x01) => {
                    let answer = match packet.payload.as_slice() {
                        caching_sha2::FAST_SUCCESS => None,
                        caching_sha2::FULL_AUTHENTICATION => Some(caching_sha2::KEY_WANTED.into()),
                        question => {
                            let key =
                                String::from_utf8_lossy(question.get(1..).unwrap_or_default());
                            Some(encrypted(login.password_text(), &scramble, &key))
                        }
                    };
                    expected = packet.id.wrapping_add(1);
                    if let Some(answer) = answer {
                        expected = self.send_packet(expected, &answer)?;
                    }
                }
                _ => return Err(crate::proto::ok_err::invalid(&packet.payload, "OK")),
            }
        }
    }

    /// Reads and decodes the server's first packet, which must have id 0.
    ///
    /// # Errors
    /// Those of the stream; [`io::ErrorKind::ConnectionRefused`] with the text of an ERR.
    pub fn read_handshake(&mut self) -> io::Result<Handshake> {
        let packet = self.read_packet()?;
        assert_eq!(packet.id, 0, "id of {packet:?}");
        if packet.is_err() {
            let error = parse_err(&packet.payload)?;
            let text = format!("{} {}", error.code, error.message);
            return Err(io::Error::new(io::ErrorKind::ConnectionRefused, text));
        }
        Handshake::parse(&packet.payload)
    }

    /// Reads one packet.
    ///
    /// # Errors
    /// Those of [`packet::read`].
    pub fn read_packet(&mut self) -> io::Result<Packet> {
        packet::read(&mut self.stream)
    }

    /// Sends a message with ids from `id` on and returns the next id.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn send_packet(&mut self, id: u8, payload: &[u8]) -> io::Result<u8> {
        packet::write_message(&mut self.stream, id, payload)
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends a command (id 0): its byte and its argument.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn send_command(&mut self, command: u8, argument: &[u8]) -> io::Result<u8> {
        let mut payload = Vec::with_capacity(argument.len() + 1);
        payload.push(command);
        payload.extend_from_slice(argument);
        self.send_packet(0, &payload)
    }

    /// Sends COM_QUERY and reads everything that answers it. Ids must follow each other.
    ///
    /// # Errors
    /// Those of the stream, or bytes that are no classic answer.
    pub fn query(&mut self, sql: &str) -> io::Result<Answer> {
        let next_id = self.send_command(COM_QUERY, sql.as_bytes())?;
        self.read_answer(next_id)
    }

    /// Reads everything that answers a COM_QUERY, the first packet having id `first_id`.
    ///
    /// # Errors
    /// See [`RawClient::query`].
    pub fn read_answer(&mut self, first_id: u8) -> io::Result<Answer> {
        Answer::read(self, first_id)
    }

    /// Sends a command that one packet answers (COM_PING, COM_INIT_DB, ...) and reads that.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn simple(&mut self, command: u8, argument: &[u8]) -> io::Result<Packet> {
        self.send_command(command, argument)?;
        self.read_packet()
    }

    /// Reads one packet that must be an ERR.
    ///
    /// # Panics
    /// If it is none.
    pub fn expect_err(&mut self) -> ErrPacket {
        let packet = self.read_packet().expect("an ERR packet arrives");
        assert!(packet.is_err(), "expected ERR, got {packet:?}");
        parse_err(&packet.payload).expect("a well-formed ERR")
    }

    /// Asserts that the peer closes without sending one more byte.
    ///
    /// # Panics
    /// If a byte arrives, or nothing happens in [`PATIENCE`].
    pub fn expect_closed(&mut self) {
        let rest = self.read_to_close();
        assert!(rest.is_empty(), "bytes before the close: \"{}\"", rest.escape_ascii());
    }

    /// Reads whatever still comes until the peer closes.
    ///
    /// # Panics
    /// If it does not close in [`PATIENCE`].
    pub fn read_to_close(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.stream.read_to_end(&mut bytes) {
            Ok(_) => bytes,
            // A close with unread bytes on the other side arrives as a reset.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => bytes,
            Err(error) => panic!("the connection stays open: {error}"),
        }
    }

    /// Changes how long a read may take.
    pub fn set_patience(&mut self, limit: Duration) {
        self.stream.set_read_timeout(Some(limit)).expect("a socket option");
    }

    /// Changes how long a write may take.
    pub fn set_write_patience(&mut self, limit: Duration) {
        self.stream.set_write_timeout(Some(limit)).expect("a socket option");
    }

    /// Whether something can be read, or the peer closed, within this time. Nothing is read.
    pub fn has_input(&mut self, within: Duration) -> bool {
        let before = self.stream.read_timeout().expect("a socket option");
        self.stream.set_read_timeout(Some(within)).expect("a socket option");
        let waits = |kind| matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
        let has = !self.stream.peek(&mut [0]).is_err_and(|error| waits(error.kind()));
        self.stream.set_read_timeout(before).expect("a socket option");
        has
    }

    /// Says COM_QUIT and waits until the peer has closed.
    ///
    /// # Panics
    /// If it answers, or stays open.
    pub fn quit(mut self) {
        self.send_command(COM_QUIT, b"").expect("COM_QUIT is sent");
        self.expect_closed();
    }

    /// Closes at once with a TCP reset, as a killed client machine does.
    pub fn abort(self) {
        reset(&self.stream);
    }

    /// The connection, for a client that goes on with another protocol.
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Ends the sending direction only.
    pub fn shutdown_write(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("shutdown");
    }

    /// The own address, as the host sees it.
    pub fn local_address(&self) -> SocketAddr {
        self.stream.local_addr().expect("a connected socket has an address")
    }
}
