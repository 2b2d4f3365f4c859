//! Noticing that the script changed, or the file with its settings (`pyproxy-reload`).

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The file is looked at no more often than this.
const INTERVAL: Duration = Duration::from_secs(1);

/// What tells two versions of a file apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: (i64, i64),
    size: u64,
    inode: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            size: metadata.size(),
            inode: metadata.ino(),
        }
    }
}

/// Files, as they were when they were last looked at.
#[derive(Debug)]
pub struct Watch {
    files: Vec<(PathBuf, Option<Stamp>)>,
    looked: Instant,
    interval: Duration,
}

impl Watch {
    /// Begins before the files are read, so that no change in between is missed.
    pub fn new<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        let files = paths.into_iter().map(|path| (path.to_owned(), stamp(path))).collect();
        Self { files, looked: Instant::now(), interval: INTERVAL }
    }

    /// Looks every time it is asked.
    #[cfg(test)]
    pub(super) fn eager(path: &Path) -> Self {
        Self { interval: Duration::ZERO, ..Self::new([path]) }
    }

    /// The file that changed since they were last looked at, if one did. A file that is gone (an editor is replacing it) did not
    /// change.
    pub fn changed(&mut self) -> Option<PathBuf> {
        if self.looked.elapsed() < self.interval {
            return None;
        }
        self.looked = Instant::now();
        let mut changed = None;
        for (path, seen) in &mut self.files {
            let Some(now) = stamp(path) else { continue };
            if seen.replace(now) != Some(now) && changed.is_none() {
                changed = Some(path.clone());
            }
        }
        changed
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    std::fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_change_is_noticed_once() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("script.py");
        fs::write(&path, "a = 1").expect("written");
        let mut watch = Watch::eager(&path);
        assert_eq!(watch.changed(), None);
        fs::write(&path, "a = 22").expect("written");
        assert_eq!(watch.changed().as_deref(), Some(path.as_path()));
        assert_eq!(watch.changed(), None);
        fs::remove_file(&path).expect("removed");
        assert_eq!(watch.changed(), None);
    }

    #[test]
    fn the_file_is_not_looked_at_all_the_time() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("script.py");
        let mut watch = Watch::new([path.as_path()]);
        fs::write(&path, "a = 1").expect("written");
        assert_eq!(watch.changed(), None);
    }
}
