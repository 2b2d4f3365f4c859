//! Certificates and keys: how TLS is begun with clients and with servers, and files that change meanwhile.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use engine::Trust;
use transport::password::PasswordKey;
use transport::tls::{TlsClientOptions, TlsServerOptions};
use transport::{Stream, TlsClient, TlsError, TlsServer};

/// How often files are looked at, at most. They are when a connection begins TLS.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the connections begin TLS with. Either side may be missing: nothing ever asks for it then.
#[derive(Debug, Default)]
pub struct Tls {
    server: Option<Renewed<TlsServer, TlsServerOptions>>,
    client: Option<Renewed<TlsClient, TlsClientOptions>>,
    password_key: OnceLock<Option<PasswordKey>>,
}

impl Tls {
    /// `server` is towards clients, `client` towards servers; each with what it was made of.
    pub fn new(
        server: Option<(TlsServer, TlsServerOptions)>,
        client: Option<(TlsClient, TlsClientOptions)>,
    ) -> Self {
        let server = server.map(|(server, options)| {
            let files = files([&options.certificate, &options.key, &options.ca]);
            Renewed::new(server, options, files)
        });
        let client = client.map(|(client, options)| {
            let files = files([&options.ca, &options.certificate, &options.key]);
            Renewed::new(client, options, files)
        });
        Self { server, client, password_key: OnceLock::new() }
    }

    /// Begins TLS with a client.
    pub fn start_server(&self, stream: &mut Stream) -> Result<(), TlsError> {
        let server = self.server.as_ref().ok_or(TlsError::Options("TLS with clients is off"))?;
        stream.start_tls_server(&server.get(Instant::now(), TlsServer::renewed))
    }

    /// Begins TLS with the server of this address. `host` is the name that its certificate has to have. `trust` is told of
    /// new files.
    pub fn start_client(
        &self,
        stream: &mut Stream,
        address: &str,
        host: Option<&str>,
        trust: &Trust,
    ) -> Result<(), TlsError> {
        let renewed = self.client.as_ref().ok_or(TlsError::Options("TLS with servers is off"))?;
        let client = renewed.get(Instant::now(), |_, options| TlsClient::new(options));
        trust.renew(renewed.version());
        stream.start_tls_client(&client, address, host)
    }

    /// The key that clients without TLS encrypt their password with, if their server has TLS. Made at the first use.
    pub fn password_key(&self) -> Option<&PasswordKey> {
        self.password_key.get_or_init(|| PasswordKey::generate().ok()).as_ref()
    }
}

fn files(options: [&Option<PathBuf>; 3]) -> Vec<PathBuf> {
    options.into_iter().flatten().cloned().collect()
}

/// What was made of options and files. It is made anew when the files change.
#[derive(Debug)]
struct Renewed<T, O> {
    options: O,
    files: Vec<PathBuf>,
    /// A leaf lock. It is held while files are read anew.
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    current: T,
    /// How often it was made anew.
    version: u32,
    /// What `files` were when they were read last.
    stamps: Vec<Option<Stamp>>,
    looked_at: Instant,
}

/// What tells one version of a file from the next: inode, length, and when it changed.
type Stamp = (u64, u64, i64, i64);

fn stamp(file: &Path) -> Option<Stamp> {
    let file = std::fs::metadata(file).ok()?;
    Some((file.ino(), file.len(), file.ctime(), file.ctime_nsec()))
}

impl<T: Clone, O> Renewed<T, O> {
    fn new(current: T, options: O, files: Vec<PathBuf>) -> Self {
        let stamps = files.iter().map(|file| stamp(file)).collect();
        let state = Mutex::new(State { current, version: 0, stamps, looked_at: Instant::now() });
        Self { options, files, state }
    }

    /// The newest version; `make` makes it. If it cannot be made, that is logged once, and the last one stays.
    fn get(&self, now: Instant, make: impl FnOnce(&T, &O) -> Result<T, TlsError>) -> T {
        let mut state = self.lock();
        if !self.files.is_empty() && now.saturating_duration_since(state.looked_at) >= LOOK_EVERY {
            state.looked_at = now;
            if self.note_changes(&mut state.stamps) {
                match make(&state.current, &self.options) {
                    Ok(made) => {
                        log::info!("TLS: new files are used: {}", self.names());
                        state.current = made;
                        state.version += 1;
                    }
                    Err(e) => log::error!("TLS: new files cannot be used, the old ones stay: {e}"),
                }
            }
        }
        state.current.clone()
    }

    /// How often it was made anew.
    fn version(&self) -> u32 {
        self.lock().version
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a file changed. One that cannot be seen, now or for good, has not.
    fn note_changes(&self, stamps: &mut [Option<Stamp>]) -> bool {
        let mut changed = false;
        for (file, last) in self.files.iter().zip(stamps) {
            let now = stamp(file);
            if now.is_some() && now != *last {
                *last = now;
                changed = true;
            }
        }
        changed
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.files.iter().map(|file| file.display().to_string()).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What a file holds, if it is a number.
    fn number(file: &Path) -> Result<u32, TlsError> {
        let text = fs::read_to_string(file).expect("a file");
        text.parse().map_err(|_| TlsError::Options("no number"))
    }

    #[test]
    fn files_are_read_anew_when_they_change_and_only_then() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "1").expect("written");
        let renewed = Renewed::new(1, (), vec![file.clone()]);
        let mut now = Instant::now();
        let unchanged = |_: &u32, _: &()| panic!("nothing changed");
        let again = |_: &u32, _: &()| number(&file);
        assert_eq!(renewed.get(now + LOOK_EVERY, unchanged), 1);

        fs::write(&file, "22").expect("written");
        now += LOOK_EVERY;
        assert_eq!(renewed.get(now, unchanged), 1, "it is too early to look");
        now += LOOK_EVERY;
        assert_eq!(renewed.get(now, again), 22);

        // A new version that is wrong is tried once.
        fs::write(&file, "wrong").expect("written");
        now += LOOK_EVERY;
        assert_eq!(renewed.get(now, again), 22);
        now += LOOK_EVERY;
        assert_eq!(renewed.get(now, unchanged), 22);

        assert_eq!(renewed.version(), 1, "what cannot be used does not count");
        // The usual way to replace a file.
        fs::write(folder.path().join("new"), "33333").expect("written");
        fs::rename(folder.path().join("new"), &file).expect("renamed");
        now += LOOK_EVERY;
        assert_eq!(renewed.get(now, again), 33333);

        fs::remove_file(&file).expect("removed");
        now += LOOK_EVERY;
        assert_eq!(renewed.get(now, unchanged), 33333);
        assert_eq!(renewed.version(), 2);
        fs::write(&file, "4").expect("written");
        now += LOOK_EVERY;
        assert_eq!(renewed.get(now, again), 4);
    }
}
