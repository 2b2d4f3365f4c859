//! [`TlsServer`]: how clients are given TLS.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use openssl::ssl::{Ssl, SslContext, SslMethod, SslSessionCacheMode, SslVerifyMode};

use super::certificate::{Identity, certificates};
use super::error::TlsError;
use super::options::Policy;
use super::session::Session;

/// How many sessions are remembered for clients that know no tickets.
const REMEMBERED_SESSIONS: i32 = 1024;

/// Whether clients are asked for a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// If there is a CA that could verify it. A client may have none; a wrong one ends the handshake. As MySQL does.
    #[default]
    Optional,
    /// A client must have one. Needs a CA.
    Required,
}

/// What a [`TlsServer`] is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsServerOptions {
    /// A PEM file with the certificate, and those between it and the CA's. Without one a certificate is made.
    pub certificate: Option<PathBuf>,
    /// A PEM file with the certificate's key, without password.
    pub key: Option<PathBuf>,
    /// A PEM file with the CAs of client certificates.
    pub ca: Option<PathBuf>,
    /// Whether clients are asked for a certificate.
    pub client_certificates: ClientCertificates,
    /// Versions and ciphers.
    pub policy: Policy,
}

/// How clients are given TLS: certificate, CA, versions, ciphers. Cheap to clone. New files need a new one; sessions that
/// run go on with what they began with.
#[derive(Clone)]
pub struct TlsServer(Arc<Inner>);

struct Inner {
    context: SslContext,
    identity: Identity,
    is_self_made: bool,
    fingerprint: String,
    lowered_security_level: Option<u32>,
}

impl TlsServer {
    /// Reads and checks the files, or makes a certificate if none is named.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, as one line: unreadable, expired, not belonging together, refused by OpenSSL.
    pub fn new(options: &TlsServerOptions) -> Result<Self, TlsError> {
        Self::build(options, None)
    }

    /// As [`new`](Self::new), for a reload: a certificate that was made here stays the same.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn renewed(&self, options: &TlsServerOptions) -> Result<Self, TlsError> {
        Self::build(options, self.0.is_self_made.then(|| self.0.identity.clone()))
    }

    fn build(options: &TlsServerOptions, made: Option<Identity>) -> Result<Self, TlsError> {
        let read = Identity::read_optional(options.certificate.as_ref(), options.key.as_ref())?;
        let is_self_made = read.is_none();
        let identity = match read.or(made) {
            Some(identity) => identity,
            None => Identity::self_made()?,
        };
        let mut context = SslContext::builder(SslMethod::tls_server())?;
        options.policy.apply(&mut context)?;
        let lowered_security_level = identity.install(&mut context)?;
        context.set_session_id_context(b"pyproxy")?;
        context.set_session_cache_mode(SslSessionCacheMode::SERVER);
        context.set_session_cache_size(REMEMBERED_SESSIONS);
        // A connection has one session to go on with, not two.
        context.set_num_tickets(1)?;
        let required = options.client_certificates == ClientCertificates::Required;
        match &options.ca {
            None if required => {
                return Err(TlsError::Options(
                    "client certificates are required, but there is no CA",
                ));
            }
            None => context.set_verify(SslVerifyMode::NONE),
            Some(path) => {
                for ca in certificates(path)? {
                    context.add_client_ca(&ca)?;
                    context.cert_store_mut().add_cert(ca)?;
                }
                let mut mode = SslVerifyMode::PEER;
                mode.set(SslVerifyMode::FAIL_IF_NO_PEER_CERT, required);
                context.set_verify(mode);
            }
        }
        let fingerprint = identity.fingerprint()?;
        let context = context.build();
        Ok(Self(Arc::new(Inner {
            context,
            identity,
            is_self_made,
            fingerprint,
            lowered_security_level,
        })))
    }

    /// SHA-256 of the certificate, 32 bytes in hexadecimal with colons: what users compare.
    pub fn fingerprint(&self) -> &str {
        &self.0.fingerprint
    }

    /// Whether the certificate was made here, and no client can verify it.
    pub fn is_self_made(&self) -> bool {
        self.0.is_self_made
    }

    /// The security level of OpenSSL that the certificate is used with, if it is too weak for the distribution's: worth a
    /// warning.
    pub fn lowered_security_level(&self) -> Option<u32> {
        self.0.lowered_security_level
    }

    pub(crate) fn session(&self) -> Result<Session, TlsError> {
        let mut ssl = Ssl::new(&self.0.context)?;
        ssl.set_accept_state();
        Ok(Session::new(ssl)?)
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer")
            .field("fingerprint", &self.0.fingerprint)
            .finish_non_exhaustive()
    }
}
