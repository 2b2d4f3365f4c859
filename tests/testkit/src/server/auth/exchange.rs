//! The rounds of one login: the server's packets and the client's answers, with ids in turn.

use std::io;

use crate::proto::ok_err;
use crate::server::conn::ServerConn;

/// ER_ACCESS_DENIED_ERROR.
const ACCESS_DENIED: u16 = 1045;

/// A login in progress.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    conn: &'a mut ServerConn,
    next_id: u8,
}

impl<'a> Exchange<'a> {
    /// Goes on after the packet with this id was read.
    pub(super) fn new(conn: &'a mut ServerConn, last_id: u8) -> Self {
        Self { conn, next_id: last_id.wrapping_add(1) }
    }

    /// Whether passwords may be sent as they are.
    pub(super) fn is_secure(&self) -> bool {
        self.conn.is_secure()
    }

    /// Sends a packet that is not answered.
    pub(super) fn tell(&mut self, payload: &[u8]) -> io::Result<()> {
        self.next_id = self.conn.write(self.next_id, payload)?;
        Ok(())
    }

    /// Sends a packet and reads its answer.
    pub(super) fn ask(&mut self, payload: &[u8]) -> io::Result<Vec<u8>> {
        self.tell(payload)?;
        let answer = self.conn.read()?;
        assert_eq!(
            answer.id,
            self.next_id,
            "the id of the answer to \"{}\"",
            payload.escape_ascii()
        );
        self.next_id = self.next_id.wrapping_add(1);
        Ok(answer.payload)
    }

    /// Ends the login: accepted.
    pub(super) fn ok(&mut self) -> io::Result<()> {
        self.tell(&ok_err::plain_ok())
    }

    /// Ends the login: refused.
    pub(super) fn refuse(&mut self, user: &str) -> io::Result<()> {
        let message = format!("Access denied for user '{user}'@'localhost' (using password: YES)");
        self.tell(&ok_err::err(ACCESS_DENIED, "28000", &message))
    }
}
