//! A file that lines are appended to, and that may be moved away meanwhile.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::chassis::fork;

/// How far it is between two looks at whether the file was moved.
const LOOK: Duration = Duration::from_secs(1);

/// The file. The host handles SIGHUP by itself and tells nobody: so it is seen that a file was moved or removed, as log rotation
/// does, and it is made anew within a second.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
    looked_at: Instant,
}

impl LogFile {
    /// Opens the file, or makes it. Nobody else reads a new one: queries have secrets in them.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: open(path)?, looked_at: Instant::now() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line. [`ErrorKind::WouldBlock`], with the number of bytes that were written already in `written`: a pipe is full.
    pub fn write(&mut self, line: &[u8], written: &mut usize) -> io::Result<()> {
        if *written == 0 && self.looked_at.elapsed() >= LOOK {
            self.looked_at = Instant::now();
            if self.is_moved() {
                self.file = open(&self.path)?;
            }
        }
        while let Some(rest) = line.get(*written..).filter(|rest| !rest.is_empty()) {
            match self.file.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => *written += count,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn is_moved(&self) -> bool {
        let place = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        match (self.path.metadata(), self.file.metadata()) {
            (Ok(there), Ok(own)) => place(there) != place(own),
            (Err(e), _) => e.kind() == ErrorKind::NotFound,
            _ => false,
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    // A named pipe that nobody reads is refused, and not waited for.
    let file = options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    if file.metadata()?.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    fork::remember(file.as_raw_fd());
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn write(log: &mut LogFile, line: &str) {
        log.write(line.as_bytes(), &mut 0).expect("it is written");
    }

    #[test]
    fn a_file_that_was_moved_is_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("slow.log");
        std::fs::write(&path, "before\n").expect("it is written");
        let mut log = LogFile::open(&path).expect("it opens");
        write(&mut log, "one\n");
        let old = folder.path().join("slow.log.1");
        std::fs::rename(&path, &old).expect("it is moved");
        write(&mut log, "two\n");
        log.looked_at -= LOOK;
        write(&mut log, "three\n");
        let read = |path| std::fs::read_to_string(path).expect("it is there");
        assert_eq!((read(&old), read(&path)), ("before\none\ntwo\n".into(), "three\n".into()));
        let mode = path.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::remove_file(&path).expect("it is removed");
        log.looked_at -= LOOK;
        write(&mut log, "four\n");
        assert_eq!(read(&path), "four\n");
    }

    #[test]
    fn what_cannot_be_opened_says_why() {
        assert!(LogFile::open(Path::new("/no/such/folder/log")).is_err());
        assert!(LogFile::open(Path::new("/tmp")).is_err());
    }
}
