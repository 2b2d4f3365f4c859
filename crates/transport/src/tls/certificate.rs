//! Certificates with their keys: read from files and checked, or made here.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use openssl::asn1::{Asn1Integer, Asn1Time, Asn1TimeRef};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::SslContextBuilder;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Name, X509Ref};

use super::error::{TlsError, reasons};

/// How long a certificate that was made here is valid.
const DAYS: u32 = 3650;

/// A certificate with the chain above it, and its private key.
#[derive(Clone)]
pub(super) struct Identity {
    pub(super) certificate: X509,
    chain: Vec<X509>,
    key: PKey<Private>,
}

impl Identity {
    /// Reads a certificate, chain behind it, and its key. Both may be one file.
    pub(super) fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let mut chain = certificates(certificate)?.into_iter();
        let Some(leaf) = chain.next() else {
            return Err(not_pem(certificate, "a certificate", "no certificate in it"));
        };
        check_validity(certificate, &leaf)?;
        let text = read(key)?;
        // A password would be asked for at the terminal, which a server does not have.
        let private = PKey::private_key_from_pem_passphrase(&text, b"")
            .map_err(|error| not_pem(key, "a private key without password", &reasons(&error)))?;
        let public = leaf.public_key()?;
        if !public.public_eq(&private) {
            return Err(TlsError::Mismatch { certificate: certificate.into(), key: key.into() });
        }
        Ok(Self { certificate: leaf, chain: chain.collect(), key: private })
    }

    /// Reads what two options name: both or none.
    pub(super) fn read_optional(
        certificate: Option<&PathBuf>,
        key: Option<&PathBuf>,
    ) -> Result<Option<Self>, TlsError> {
        match (certificate, key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Self::read(certificate, key).map(Some),
            _ => Err(TlsError::Half),
        }
    }

    /// Makes a certificate that signs itself. Its key is of P-256: made in no time, and cheap in each handshake.
    pub(super) fn self_made() -> Result<Self, ErrorStack> {
        let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
        let key = PKey::from_ec_key(EcKey::generate(&curve)?)?;
        let mut name = X509Name::builder()?;
        name.append_entry_by_nid(Nid::COMMONNAME, "pyproxy self-signed")?;
        let name = name.build();
        let mut serial = BigNum::new()?;
        serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
        let mut builder = X509::builder()?;
        builder.set_version(2)?;
        builder.set_serial_number(Asn1Integer::from_bn(&serial)?.as_ref())?;
        builder.set_subject_name(&name)?;
        builder.set_issuer_name(&name)?;
        builder.set_not_before(Asn1Time::days_from_now(0)?.as_ref())?;
        builder.set_not_after(Asn1Time::days_from_now(DAYS)?.as_ref())?;
        builder.set_pubkey(&key)?;
        builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
        let context = builder.x509v3_context(None, None);
        let names = SubjectAlternativeName::new()
            .dns("localhost")
            .ip("127.0.0.1")
            .ip("::1")
            .build(&context)?;
        builder.append_extension(names)?;
        builder.sign(&key, MessageDigest::sha256())?;
        Ok(Self { certificate: builder.build(), chain: Vec::new(), key })
    }

    /// Gives certificate, chain and key to a context.
    ///
    /// Many set-ups have certificates that are weaker than the distribution's security level, RSA of 1024 bits or SHA-1:
    /// the level is lowered for what is shown with it, to the highest that takes it. Returns that level, if it was lowered.
    pub(super) fn install(
        &self,
        context: &mut SslContextBuilder,
    ) -> Result<Option<u32>, ErrorStack> {
        let mut lowered = None;
        let mut result = self.try_install(context);
        for level in [1, 0] {
            if !result.as_ref().is_err_and(is_too_weak) {
                break;
            }
            context.set_security_level(level);
            lowered = Some(level);
            result = self.try_install(context);
        }
        result.map(|()| lowered)
    }

    fn try_install(&self, context: &mut SslContextBuilder) -> Result<(), ErrorStack> {
        context.set_certificate(&self.certificate)?;
        context.set_private_key(&self.key)?;
        for one in &self.chain {
            context.add_extra_chain_cert(one.clone())?;
        }
        context.check_private_key()
    }

    /// SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` prints it.
    pub(super) fn fingerprint(&self) -> Result<String, ErrorStack> {
        let digest = self.certificate.digest(MessageDigest::sha256())?;
        let parts: Vec<_> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        Ok(parts.join(":"))
    }
}

/// Whether OpenSSL refuses a certificate for the security level only: `ee key too small`, `ca md too weak`.
fn is_too_weak(stack: &ErrorStack) -> bool {
    stack
        .errors()
        .iter()
        .filter_map(|error| error.reason())
        .any(|reason| reason.ends_with("too small") || reason.ends_with("too weak"))
}

/// All certificates of a file.
pub(super) fn certificates(path: &Path) -> Result<Vec<X509>, TlsError> {
    let text = read(path)?;
    let all = X509::stack_from_pem(&text)
        .map_err(|error| not_pem(path, "a certificate", &reasons(&error)))?;
    if all.is_empty() {
        return Err(not_pem(path, "a certificate", "no certificate in it"));
    }
    Ok(all)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|error| TlsError::Read { path: path.into(), error })
}

fn not_pem(path: &Path, what: &'static str, reason: &str) -> TlsError {
    TlsError::Pem { path: path.into(), what, reason: reason.into() }
}

fn check_validity(path: &Path, certificate: &X509Ref) -> Result<(), TlsError> {
    let now = Asn1Time::days_from_now(0)?;
    let wrong = |what, date: &Asn1TimeRef| {
        Err(TlsError::Validity { path: path.into(), what, date: date.to_string() })
    };
    if certificate.not_after().compare(&now)? == Ordering::Less {
        return wrong("expired on", certificate.not_after());
    }
    if certificate.not_before().compare(&now)? == Ordering::Greater {
        return wrong("is not valid before", certificate.not_before());
    }
    Ok(())
}
