//! Whose process it is at the other end of a unix socket.

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

/// The process at the other end, as it was when it connected, or began to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its number; 0 if it has none here.
    pub pid: i32,
    /// Its user.
    uid: u32,
}

impl Peer {
    /// Who is at the other end of this unix socket.
    pub fn of(socket: BorrowedFd<'_>) -> io::Result<Self> {
        let mut credentials = MaybeUninit::<libc::ucred>::uninit();
        let mut size = libc::socklen_t::try_from(size_of::<libc::ucred>()).unwrap_or_default();
        // SAFETY: both pointers are to local values, and the size is that of the first, which the kernel fills if it succeeds.
        unsafe {
            let value = credentials.as_mut_ptr().cast();
            let (fd, option) = (socket.as_raw_fd(), libc::SO_PEERCRED);
            if libc::getsockopt(fd, libc::SOL_SOCKET, option, value, &raw mut size) as c_int != 0 {
                return Err(io::Error::last_os_error());
            }
            let libc::ucred { pid, uid, .. } = credentials.assume_init();
            Ok(Self { pid, uid })
        }
    }

    /// Whether it is this process's user, or root.
    pub fn is_trusted(self) -> bool {
        // SAFETY: a system call that cannot fail.
        self.uid == 0 || self.uid == unsafe { libc::geteuid() }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn the_other_end_is_ours() {
        let (one, _other) = UnixStream::pair().expect("a pair");
        let peer = Peer::of(one.as_fd()).expect("credentials");
        assert_eq!(u32::try_from(peer.pid), Ok(std::process::id()));
        assert!(peer.is_trusted());
    }

    #[test]
    fn another_user_is_not_trusted() {
        // SAFETY: as above.
        let uid = unsafe { libc::geteuid() } + 1;
        assert!(!Peer { pid: 1, uid }.is_trusted());
        assert!(Peer { pid: 1, uid: 0 }.is_trusted());
    }
}
