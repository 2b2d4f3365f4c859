//! [`TlsClient`]: how TLS with servers is.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslSession, SslSessionCacheMode, SslVerifyMode};
use openssl::x509::verify::X509CheckFlags;

use super::certificate::{Identity, certificates};
use super::error::TlsError;
use super::options::Policy;
use super::session::Session;

/// How many servers' sessions are kept. A proxy has few servers; this bounds what changes of names could add up to.
const KEPT_SESSIONS: usize = 1024;

/// What is verified of a server's certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verification {
    /// Nothing: encrypted, but anybody could be the server.
    #[default]
    None,
    /// That a CA signed it.
    Ca,
    /// That a CA signed it, and it has the server's name or IP address.
    CaAndName,
}

/// What a [`TlsClient`] is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsClientOptions {
    /// What is verified.
    pub verification: Verification,
    /// A PEM file with the CAs of servers. Needed if anything is verified.
    pub ca: Option<PathBuf>,
    /// A PEM file with our certificate for servers that ask for one.
    pub certificate: Option<PathBuf>,
    /// A PEM file with its key, without password.
    pub key: Option<PathBuf>,
    /// Versions and ciphers.
    pub policy: Policy,
}

/// The last session of each server, by its name and how it is verified.
type Sessions = Arc<Mutex<HashMap<Key, SslSession>>>;

/// The server as the caller names it, and the name that its certificate has to have.
type Key = Arc<(String, Option<String>)>;

/// How TLS with servers is: CA, client certificate, versions, ciphers, and the sessions that can go on. Cheap to clone,
/// and to be made anew for new files.
#[derive(Clone)]
pub struct TlsClient(Arc<Inner>);

struct Inner {
    context: SslContext,
    sessions: Sessions,
    verification: Verification,
    lowered_security_level: Option<u32>,
}

/// Where a connection has its key.
fn key_index() -> Result<Index<Ssl, Key>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, Key>> = OnceLock::new();
    if let Some(index) = INDEX.get() {
        return Ok(*index);
    }
    let index = Ssl::new_ex_index()?;
    Ok(*INDEX.get_or_init(|| index))
}

impl TlsClient {
    /// Reads and checks the files.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, as one line.
    pub fn new(options: &TlsClientOptions) -> Result<Self, TlsError> {
        let mut context = SslContext::builder(SslMethod::tls_client())?;
        options.policy.apply(&mut context)?;
        let identity = Identity::read_optional(options.certificate.as_ref(), options.key.as_ref())?;
        let lowered_security_level = match identity {
            None => None,
            Some(identity) => identity.install(&mut context)?,
        };
        match (&options.ca, options.verification) {
            (_, Verification::None) => context.set_verify(SslVerifyMode::NONE),
            (None, _) => {
                return Err(TlsError::Options("servers have to be verified, but there is no CA"));
            }
            (Some(path), _) => {
                for ca in certificates(path)? {
                    context.cert_store_mut().add_cert(ca)?;
                }
                context.set_verify(SslVerifyMode::PEER);
            }
        }
        let sessions = Sessions::default();
        let index = key_index()?;
        let to = Arc::clone(&sessions);
        context
            .set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
        context.set_new_session_callback(move |ssl, session| {
            if let Some(key) = ssl.ex_data(index) {
                let mut all = to.lock().unwrap_or_else(PoisonError::into_inner);
                if all.len() >= KEPT_SESSIONS && !all.contains_key(key) {
                    all.clear();
                }
                all.insert(Arc::clone(key), session);
            }
        });
        let context = context.build();
        let verification = options.verification;
        Ok(Self(Arc::new(Inner { context, sessions, verification, lowered_security_level })))
    }

    /// The security level of OpenSSL that servers are talked to with, if our certificate is too weak for the
    /// distribution's: worth a warning.
    pub fn lowered_security_level(&self) -> Option<u32> {
        self.0.lowered_security_level
    }

    #[allow(unsafe_code)]
    pub(crate) fn session(&self, backend: &str, name: Option<&str>) -> Result<Session, TlsError> {
        let mut ssl = Ssl::new(&self.0.context)?;
        let address = name.and_then(|name| name.parse::<IpAddr>().ok());
        if let Some(name) = name
            && address.is_none()
        {
            ssl.set_hostname(name)?;
        }
        if self.0.verification == Verification::CaAndName {
            let Some(name) = name else {
                return Err(TlsError::Options(
                    "the server's name has to be verified, but it has none",
                ));
            };
            let param = ssl.param_mut();
            param.set_hostflags(X509CheckFlags::NO_PARTIAL_WILDCARDS);
            match address {
                Some(address) => param.set_ip(address)?,
                None => param.set_host(name)?,
            }
        }
        let key: Key = Arc::new((backend.into(), name.map(Into::into)));
        {
            let all = self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(session) = all.get(&key) {
                // SAFETY: the session must be of this context. `sessions` is filled by this context's callback only, and
                // both are in one `Inner`.
                unsafe { ssl.set_session(session)? };
            }
        }
        ssl.set_ex_data(key_index()?, key);
        ssl.set_connect_state();
        Ok(Session::new(ssl)?)
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient")
            .field("verification", &self.0.verification)
            .finish_non_exhaustive()
    }
}
