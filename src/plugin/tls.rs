//! What TLS is begun with: made of the options and the files that they name.

use std::path::Path;

use transport::tls::Verification;
use transport::{TlsClient, TlsError, TlsServer};

use super::options::{OptionError, Options};
use crate::drive::Tls;

/// Reads and checks all files, makes a certificate if none is given, and says in the log what of it matters. What cannot be
/// used is named with its option.
pub fn load(options: &Options) -> Result<Tls, OptionError> {
    let server = match options.tls_with_clients() {
        None => None,
        Some(how) => {
            let files = [
                ("pyproxy-tls-cert", how.certificate.as_deref()),
                ("pyproxy-tls-key", how.key.as_deref()),
                ("pyproxy-tls-ca", how.ca.as_deref()),
            ];
            let server = TlsServer::new(&how).map_err(|e| name_option(&e, &files))?;
            if server.is_self_made() {
                let print = server.fingerprint();
                log::info!("TLS: a certificate was made for clients, SHA-256 fingerprint {print}");
            }
            warn_of_weakness("pyproxy-tls-cert", server.lowered_security_level());
            Some((server, how))
        }
    };
    let client = match options.tls_with_servers() {
        None => None,
        Some(how) => {
            let files = [
                ("pyproxy-backend-tls-cert", how.certificate.as_deref()),
                ("pyproxy-backend-tls-key", how.key.as_deref()),
                ("pyproxy-backend-tls-ca", how.ca.as_deref()),
            ];
            let client = TlsClient::new(&how).map_err(|e| name_option(&e, &files))?;
            if how.verification == Verification::None {
                log::warn!("TLS: servers are not verified, pyproxy-backend-tls-ca is not set");
            }
            warn_of_weakness("pyproxy-backend-tls-cert", client.lowered_security_level());
            Some((client, how))
        }
    };
    Ok(Tls::new(server, client))
}

fn warn_of_weakness(option: &str, level: Option<u32>) {
    if let Some(level) = level {
        log::warn!("TLS: {option} is weak, it is used with OpenSSL's security level {level}");
    }
}

/// The option whose value is to blame: `files` has the certificate, its key and the CA.
fn name_option(error: &TlsError, files: &[(&'static str, Option<&Path>); 3]) -> OptionError {
    let [certificate, key, _] = files;
    let of_file = |path: &Path| files.iter().find(|(_, file)| *file == Some(path));
    let (option, file) = match error {
        TlsError::Value { what, value, .. } => {
            let is_new = what.contains("1.3");
            let option = if is_new { "pyproxy-tls-ciphersuites" } else { "pyproxy-tls-ciphers" };
            return OptionError::new(option, value, error);
        }
        // One file may be the certificate and the key.
        TlsError::Mismatch { .. } => key,
        TlsError::Pem { what, .. } if what.contains("key") => key,
        TlsError::Read { path, .. } | TlsError::Pem { path, .. } => {
            of_file(path).unwrap_or(certificate)
        }
        _ => certificate,
    };
    let file = file.map(|file| file.display().to_string()).unwrap_or_default();
    OptionError::new(option, &file, error)
}
