//! Signals, which are the host's to handle.

use std::mem::MaybeUninit;
use std::ptr::null_mut;

/// This thread handles no signals: the host's own threads do.
pub fn block_in_this_thread() {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigfillset initialises the set, which the second call only reads.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), null_mut());
    }
}
