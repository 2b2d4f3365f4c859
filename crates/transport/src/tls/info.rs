//! [`TlsInfo`]: what a handshake agreed upon.

use openssl::ssl::SslRef;
use openssl::x509::{X509NameRef, X509Ref};

/// What a finished handshake agreed upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsInfo {
    /// The version, as MySQL's `Ssl_version` shows it: `TLSv1.3`.
    pub version: &'static str,
    /// The cipher, as MySQL's `Ssl_cipher` shows it: `TLS_AES_256_GCM_SHA384`.
    pub cipher: &'static str,
    /// The subject of the peer's certificate, as `REQUIRE SUBJECT` has it: `/C=SE/CN=client`. If it sent one.
    pub peer_subject: Option<String>,
    /// Whether an earlier session went on, without certificates being sent again.
    pub is_resumed: bool,
}

impl TlsInfo {
    pub(super) fn of(ssl: &SslRef) -> Self {
        Self {
            version: ssl.version_str(),
            cipher: ssl.current_cipher().map_or("", |cipher| cipher.name()),
            peer_subject: ssl.peer_certificate().map(|one| subject(&one)),
            is_resumed: ssl.session_reused(),
        }
    }
}

fn subject(certificate: &X509Ref) -> String {
    one_line(certificate.subject_name())
}

/// A name as `X509_NAME_oneline` writes it, which servers compare `REQUIRE SUBJECT` with; but UTF-8 stays UTF-8.
fn one_line(name: &X509NameRef) -> String {
    let mut text = String::new();
    for entry in name.entries() {
        let key = entry.object().nid().short_name().unwrap_or("UNDEF");
        let value = entry.data().to_string();
        text.push('/');
        text.push_str(key);
        text.push('=');
        text.push_str(&value.unwrap_or_default());
    }
    text
}
