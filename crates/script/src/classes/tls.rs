//! `tls`: what the TLS handshake of one side agreed on.

use std::sync::Arc;

use engine::TlsInfo;
use pyo3::prelude::*;

use super::hashing::hash_of;

/// What a TLS handshake agreed on: a value, safe to keep.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Tls(Arc<TlsInfo>);

impl Tls {
    /// Of one side.
    pub fn new(tls: Arc<TlsInfo>) -> Self {
        Self(tls)
    }
}

#[pymethods]
impl Tls {
    /// The protocol: `TLSv1.2` or `TLSv1.3`.
    #[getter]
    fn version(&self) -> &str {
        &self.0.version
    }

    /// The cipher suite, as OpenSSL names it.
    #[getter]
    fn cipher(&self) -> &str {
        &self.0.cipher
    }

    /// The subject of the peer's certificate; None if it showed none.
    #[getter]
    fn peer_subject(&self) -> Option<&str> {
        self.0.peer_subject.as_deref()
    }

    fn __repr__(&self) -> String {
        let subject = self.0.peer_subject.as_ref().map(|subject| format!(" peer={subject:?}"));
        let (version, cipher) = (&self.0.version, &self.0.cipher);
        format!("<pyproxy.Tls {version} {cipher}{}>", subject.unwrap_or_default())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }

    fn __hash__(&self) -> u64 {
        hash_of((&self.0.version, &self.0.cipher, &self.0.peer_subject))
    }
}
