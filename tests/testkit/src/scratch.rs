//! Temporary folders of one test process, removed at its end.
//!
//! They live below the system's temporary folder and not below `target`: a unix socket path may
//! have 107 bytes at most. Folders left by a test process that was killed go with the next run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

const PREFIX: &str = "pyproxy-test-";

static COUNTER: AtomicU32 = AtomicU32::new(0);
static KILL_AT_EXIT: Mutex<Vec<i32>> = Mutex::new(Vec::new());

/// A folder that is removed when the value is dropped.
#[derive(Debug)]
pub struct ScratchDir(PathBuf);

impl ScratchDir {
    /// Makes a new, empty folder whose name contains `label`.
    pub fn new(label: &str) -> Self {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = root().join(format!("{number}-{label}"));
        fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of `name` in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file with mode 0600 into the folder and returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let path = self.file(name);
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(content.as_ref()))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0)
            && error.kind() != io::ErrorKind::NotFound
        {
            eprintln!("{}: not removed: {error}", self.0.display());
        }
    }
}

/// Has the process `pid` killed when this test process exits. For servers that all tests share,
/// which no destructor ends.
pub fn kill_at_exit(pid: u32) {
    root();
    let pid = i32::try_from(pid).expect("a pid fits i32");
    KILL_AT_EXIT.lock().expect("kill list").push(pid);
}

fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        sweep();
        // SAFETY: `at_exit` is a plain function without arguments that does not unwind.
        unsafe { libc::atexit(at_exit) };
        let root = std::env::temp_dir().join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir_all(&root).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
        root
    })
}

/// Removes what dead test processes left behind.
fn sweep() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        if !Path::new("/proc").join(pid).exists() {
            // Another user's folder, or another test process that sweeps at the same time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

extern "C" fn at_exit() {
    let pids = KILL_AT_EXIT.lock().map(|pids| pids.clone()).unwrap_or_default();
    for pid in pids {
        // SAFETY: system calls on a child of this process that nobody else waits for; a null
        // status pointer is allowed.
        unsafe {
            libc::kill(pid, libc::SIGKILL);
            libc::waitpid(pid, std::ptr::null_mut(), 0);
        }
    }
    let _ = fs::remove_dir_all(root());
}
