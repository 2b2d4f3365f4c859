//! What both sides can be configured with: versions and ciphers.

use openssl::ssl::{SslContextBuilder, SslMode, SslOptions, SslVersion as OpensslVersion};

use super::error::{TlsError, reasons};

/// A version of TLS. Servers of MySQL and MariaDB have no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2.
    V1_2,
    /// TLS 1.3.
    V1_3,
}

impl TlsVersion {
    fn number(self) -> OpensslVersion {
        match self {
            Self::V1_2 => OpensslVersion::TLS1_2,
            Self::V1_3 => OpensslVersion::TLS1_3,
        }
    }
}

/// Which versions and ciphers are used. What is `None` is as the distribution has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The lowest version; if there is none, TLS 1.2, or what the distribution demands.
    pub min_version: Option<TlsVersion>,
    /// The highest version.
    pub max_version: Option<TlsVersion>,
    /// Ciphers of TLS 1.2, as `openssl ciphers` names them.
    pub ciphers: Option<String>,
    /// Ciphers of TLS 1.3.
    pub ciphersuites: Option<String>,
}

impl Policy {
    pub(super) fn apply(&self, context: &mut SslContextBuilder) -> Result<(), TlsError> {
        // Sessions move between buffers, and most are idle: no 32 KiB of buffers each.
        context.set_mode(
            SslMode::RELEASE_BUFFERS | SslMode::ENABLE_PARTIAL_WRITE | SslMode::AUTO_RETRY,
        );
        context.set_options(SslOptions::NO_RENEGOTIATION | SslOptions::NO_COMPRESSION);
        if self.min_version.zip(self.max_version).is_some_and(|(min, max)| min > max) {
            return Err(TlsError::Options("the lowest version of TLS is above the highest"));
        }
        if let Some(version) = self.min_version {
            context.set_min_proto_version(Some(version.number()))?;
        } else if context.min_proto_version() != Some(OpensslVersion::TLS1_3) {
            // What the system's configuration demands may be higher, but is not lower.
            context.set_min_proto_version(Some(OpensslVersion::TLS1_2))?;
        }
        if let Some(version) = self.max_version {
            context.set_max_proto_version(Some(version.number()))?;
        }
        if let Some(list) = &self.ciphers {
            context.set_cipher_list(list).map_err(|error| refused("ciphers", list, &error))?;
        }
        if let Some(list) = &self.ciphersuites {
            context
                .set_ciphersuites(list)
                .map_err(|error| refused("ciphers of TLS 1.3", list, &error))?;
        }
        Ok(())
    }
}

fn refused(what: &'static str, value: &str, error: &openssl::error::ErrorStack) -> TlsError {
    TlsError::Value { what, value: value.into(), reason: reasons(error) }
}
