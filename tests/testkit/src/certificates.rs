//! Certificates of all kinds, made in a moment.

use std::path::{Path, PathBuf};

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name};

use crate::scratch::ScratchDir;

/// It makes certificates in memory: nothing of the machine can be in the way.
const OPENSSL: &str = "OpenSSL makes certificates";

/// A certificate with its key, in files of a folder of their own.
#[derive(Debug)]
pub struct Issued {
    folder: ScratchDir,
    certificate: X509,
    key: PKey<Private>,
}

/// What to make.
pub struct Wanted<'a> {
    /// The name of its subject, beside the country SE.
    pub common_name: &'a str,
    /// The host name or IP address that it is for.
    pub host: Option<&'a str>,
    /// Who signs it; `None`: it signs itself, and is a CA.
    pub issuer: Option<&'a Issued>,
    /// A key of RSA; `None`: of P-256.
    pub rsa_bits: Option<u32>,
    /// 3, or 1 of old set-ups.
    pub version: i32,
    /// From when to when it is valid, in seconds since 1970.
    pub valid: (i64, i64),
    /// What signs it.
    pub digest: MessageDigest,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self {
            common_name: "test",
            host: None,
            issuer: None,
            rsa_bits: None,
            version: 3,
            valid: (0, 4_000_000_000),
            digest: MessageDigest::sha256(),
        }
    }
}

impl Issued {
    /// A CA.
    pub fn ca(common_name: &str) -> Self {
        Wanted { common_name, ..Wanted::default() }.make()
    }

    /// A certificate that this CA signed.
    pub fn issue(&self, common_name: &str, host: Option<&str>) -> Self {
        Wanted { common_name, host, issuer: Some(self), ..Wanted::default() }.make()
    }

    /// Its file.
    pub fn certificate(&self) -> PathBuf {
        self.folder.file("certificate.pem")
    }

    /// The file of its key.
    pub fn key(&self) -> PathBuf {
        self.folder.file("key.pem")
    }

    /// Where the files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The key itself.
    pub fn private_key(&self) -> &PKey<Private> {
        &self.key
    }

    fn write(&self) {
        self.folder.write("certificate.pem", self.certificate.to_pem().expect(OPENSSL));
        self.folder.write("key.pem", self.key.private_key_to_pem_pkcs8().expect(OPENSSL));
    }

    /// The files become those of another.
    ///
    /// # Panics
    /// If they cannot be written.
    pub fn replace_with(&self, other: &Self) {
        for (from, to) in [(other.certificate(), self.certificate()), (other.key(), self.key())] {
            std::fs::copy(from, to).expect("a file can be copied");
        }
    }
}

impl Wanted<'_> {
    /// Makes it.
    pub fn make(&self) -> Issued {
        let key = match self.rsa_bits {
            Some(bits) => PKey::from_rsa(Rsa::generate(bits).expect(OPENSSL)).expect(OPENSSL),
            None => {
                let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect(OPENSSL);
                PKey::from_ec_key(EcKey::generate(&curve).expect(OPENSSL)).expect(OPENSSL)
            }
        };
        let mut name = X509Name::builder().expect(OPENSSL);
        name.append_entry_by_nid(Nid::COUNTRYNAME, "SE").expect(OPENSSL);
        name.append_entry_by_nid(Nid::COMMONNAME, self.common_name).expect(OPENSSL);
        let name = name.build();
        let mut builder = X509::builder().expect(OPENSSL);
        builder.set_version(self.version - 1).expect(OPENSSL);
        let serial = Asn1Integer::from_bn(&BigNum::from_u32(7).expect(OPENSSL)).expect(OPENSSL);
        builder.set_serial_number(&serial).expect(OPENSSL);
        builder.set_subject_name(&name).expect(OPENSSL);
        let issuer = self.issuer.map_or(&*name, |issuer| issuer.certificate.subject_name());
        builder.set_issuer_name(issuer).expect(OPENSSL);
        builder.set_not_before(&Asn1Time::from_unix(self.valid.0).expect(OPENSSL)).expect(OPENSSL);
        builder.set_not_after(&Asn1Time::from_unix(self.valid.1).expect(OPENSSL)).expect(OPENSSL);
        builder.set_pubkey(&key).expect(OPENSSL);
        if self.version == 3 {
            self.extend(&mut builder);
        }
        let signer = self.issuer.map_or(&key, |issuer| &issuer.key);
        builder.sign(signer, self.digest).expect(OPENSSL);
        let certificate = builder.build();
        let folder = ScratchDir::new("certificate");
        let issued = Issued { folder, certificate, key };
        issued.write();
        issued
    }

    fn extend(&self, builder: &mut X509Builder) {
        let mut constraints = BasicConstraints::new();
        if self.issuer.is_none() {
            constraints.critical().ca();
        }
        builder.append_extension(constraints.build().expect(OPENSSL)).expect(OPENSSL);
        if let Some(host) = self.host {
            let context = builder.x509v3_context(None, None);
            let mut names = SubjectAlternativeName::new();
            if host.parse::<std::net::IpAddr>().is_ok() {
                names.ip(host);
            } else {
                names.dns(host);
            }
            let names = names.build(&context).expect(OPENSSL);
            builder.append_extension(names).expect(OPENSSL);
        }
    }
}
