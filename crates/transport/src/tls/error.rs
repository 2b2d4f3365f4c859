//! [`TlsError`]: why there is no configuration, or no session.

use std::io;
use std::path::PathBuf;

use openssl::error::ErrorStack;

/// Why TLS cannot be configured or started. The text is one line, fit for a log.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file is not what it should be.
    #[error("{} is not {what} in PEM form: {reason}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was expected.
        what: &'static str,
        /// What OpenSSL says.
        reason: String,
    },
    /// A certificate that no client would take.
    #[error("the certificate in {} {what} {date}", path.display())]
    Validity {
        /// The file.
        path: PathBuf,
        /// `expired on`, or `is not valid before`.
        what: &'static str,
        /// The date, in GMT.
        date: String,
    },
    /// Certificate and key do not belong together.
    #[error("the key in {} does not belong to the certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// A certificate without its key, or the other way round.
    #[error("a certificate needs its key, and a key its certificate")]
    Half,
    /// A value that OpenSSL refuses.
    #[error("{what} {value:?}: {reason}")]
    Value {
        /// What the value is.
        what: &'static str,
        /// The value.
        value: String,
        /// What OpenSSL says.
        reason: String,
    },
    /// Options that do not go together.
    #[error("{0}")]
    Options(&'static str),
    /// The stream has TLS or compression already.
    #[error("TLS cannot start: the stream has TLS or compression already")]
    Started,
    /// Anything else that OpenSSL refuses.
    #[error("OpenSSL: {}", reasons(.0))]
    OpenSsl(#[from] ErrorStack),
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        Self::other(error)
    }
}

/// What OpenSSL says, without the codes and source lines.
pub(super) fn reasons(stack: &ErrorStack) -> String {
    let all: Vec<_> = stack.errors().iter().filter_map(|error| error.reason()).collect();
    if all.is_empty() { "no reason given".into() } else { all.join(", ") }
}
