//! Messages between two processes, with descriptors.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::cmsg_space;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use socket2::Socket;

/// The new process says which version of this it speaks.
pub const HELLO: &str = "pyproxy-takeover 1";
/// The old one sends its sockets.
pub const SOCKETS: &str = "sockets";
/// The new one is ready, and accepts clients.
pub const TAKE: &str = "take";
/// The old one accepts no more.
pub const YOURS: &str = "yours";

/// The most descriptors in a message.
const MOST: usize = 16;
/// The longest message, in bytes.
const LONGEST: usize = 64;

/// Sends a message.
pub fn send(socket: &Socket, text: &str, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST))];
    let mut with = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !with.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::other("too many sockets"));
    }
    let sent = sendmsg(socket, &[IoSlice::new(text.as_bytes())], &mut with, SendFlags::NOSIGNAL)?;
    if sent == text.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// Receives a message. An empty text: the other end is gone.
pub fn receive(socket: &Socket) -> io::Result<(String, Vec<OwnedFd>)> {
    let mut text = [0; LONGEST];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST))];
    let mut with = RecvAncillaryBuffer::new(&mut space);
    let parts = &mut [IoSliceMut::new(&mut text)];
    let length = recvmsg(socket, parts, &mut with, RecvFlags::CMSG_CLOEXEC)?.bytes;
    let mut descriptors = Vec::new();
    for message in with.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = message {
            descriptors.extend(fds);
        }
    }
    let text = text.get(..length).unwrap_or_default();
    Ok((String::from_utf8_lossy(text).into_owned(), descriptors))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use socket2::{Domain, Type};

    use super::*;

    fn pair() -> (Socket, Socket) {
        Socket::pair(Domain::UNIX, Type::SEQPACKET, None).expect("a pair")
    }

    #[test]
    fn messages_and_descriptors_arrive_as_they_were_sent() {
        let (one, other) = pair();
        let (mut near, far) = UnixStream::pair().expect("a pair");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        send(&one, HELLO, &[]).expect("sent");
        send(&one, SOCKETS, &[far.as_fd(), listener.as_fd()]).expect("sent");
        drop((one, far));
        assert_eq!(receive(&other).expect("a message").0, HELLO);
        let (text, mut descriptors) = receive(&other).expect("a message");
        assert_eq!((text.as_str(), descriptors.len()), (SOCKETS, 2));
        let mut far = UnixStream::from(descriptors.remove(0));
        near.write_all(b"x").expect("written");
        let mut byte = [0];
        far.read_exact(&mut byte).expect("read");
        assert_eq!(&byte, b"x");
        assert_eq!(receive(&other).expect("the end").0, "");
    }

    #[test]
    fn what_is_too_long_is_cut_and_too_many_are_refused() {
        let (one, other) = pair();
        send(&one, &"x".repeat(LONGEST + 1), &[]).expect("sent");
        assert_eq!(receive(&other).expect("a message").0.len(), LONGEST);
        let fds = vec![one.as_fd(); MOST + 4];
        assert!(send(&one, SOCKETS, &fds).is_err());
    }
}
