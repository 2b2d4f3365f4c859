//! TCP resets: a connection that ends as one of a killed machine does, with nothing that was still to be sent.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd;

/// Ends a connection with a reset at once, although the socket may be open elsewhere as well.
///
/// # Panics
/// If the socket is none of TCP.
pub fn reset(stream: &TcpStream) {
    let nobody = libc::sockaddr { sa_family: family(libc::AF_UNSPEC), sa_data: [0; 14] };
    let size = libc::socklen_t::try_from(size_of::<libc::sockaddr>()).expect("a small size");
    // SAFETY: the pointer and the size describe `nobody`, which lives over the call.
    let result = unsafe { libc::connect(stream.as_raw_fd(), &raw const nobody, size) };
    assert_eq!(result, 0, "a reset: {}", io::Error::last_os_error());
}

fn family(number: i32) -> libc::sa_family_t {
    number.try_into().expect("a small number")
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_peer_sees_a_reset_behind_what_arrived() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut ours = TcpStream::connect(address).unwrap();
        let (mut theirs, _) = listener.accept().unwrap();
        let _copy = theirs.try_clone().unwrap();
        theirs.write_all(b"abc").unwrap();
        reset(&theirs);
        let mut bytes = Vec::new();
        let error = ours.read_to_end(&mut bytes).unwrap_err();
        assert_eq!((bytes.as_slice(), error.kind()), (&b"abc"[..], ErrorKind::ConnectionReset));
    }
}
