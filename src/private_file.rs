//! Files with a secret, which nobody but their owner may touch.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The longest file, in bytes.
const MOST: u64 = 4096;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] std::io::Error),
    /// It is not only its owner's.
    #[error("others may read or write this file: chmod 600")]
    Permissions,
}

/// What is in the file, at most its first [`MOST`] bytes.
pub fn read(path: &Path) -> Result<Vec<u8>, Unusable> {
    let file = File::open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        return Err(Unusable::Permissions);
    }
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}
