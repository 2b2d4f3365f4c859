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

/// A certificate with its key, in files.
pub struct Issued {
    folder: tempfile::TempDir,
    certificate: X509,
    key: PKey<Private>,
}

/// What to make.
pub struct Wanted<'a> {
    pub common_name: &'a str,
    pub host: Option<&'a str>,
    pub issuer: Option<&'a Issued>,
    pub rsa_bits: Option<u32>,
    /// 3, or 1 of old set-ups.
    pub version: i32,
    /// Seconds since 1970.
    pub valid: (i64, i64),
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
    pub fn ca(common_name: &str) -> Self {
        Wanted { common_name, ..Wanted::default() }.make()
    }

    pub fn issue(&self, common_name: &str, host: Option<&str>) -> Self {
        Wanted { common_name, host, issuer: Some(self), ..Wanted::default() }.make()
    }

    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn private_key(&self) -> &PKey<Private> {
        &self.key
    }

    /// The files become those of another.
    pub fn replace_with(&self, other: &Self) {
        std::fs::copy(other.certificate(), self.certificate()).unwrap();
        std::fs::copy(other.key(), self.key()).unwrap();
    }
}

impl Wanted<'_> {
    pub fn make(&self) -> Issued {
        let key = match self.rsa_bits {
            Some(bits) => PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap(),
            None => {
                let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
                PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap()
            }
        };
        let mut name = X509Name::builder().unwrap();
        name.append_entry_by_nid(Nid::COUNTRYNAME, "SE").unwrap();
        name.append_entry_by_nid(Nid::COMMONNAME, self.common_name).unwrap();
        let name = name.build();
        let mut builder = X509::builder().unwrap();
        builder.set_version(self.version - 1).unwrap();
        let serial = Asn1Integer::from_bn(&BigNum::from_u32(7).unwrap()).unwrap();
        builder.set_serial_number(&serial).unwrap();
        builder.set_subject_name(&name).unwrap();
        let issuer = self.issuer.map_or(&*name, |issuer| issuer.certificate.subject_name());
        builder.set_issuer_name(issuer).unwrap();
        builder.set_not_before(&Asn1Time::from_unix(self.valid.0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::from_unix(self.valid.1).unwrap()).unwrap();
        builder.set_pubkey(&key).unwrap();
        if self.version == 3 {
            self.extend(&mut builder);
        }
        let signer = self.issuer.map_or(&key, |issuer| &issuer.key);
        builder.sign(signer, self.digest).unwrap();
        let certificate = builder.build();
        let folder = tempfile::tempdir().unwrap();
        let issued = Issued { folder, certificate, key };
        std::fs::write(issued.certificate(), issued.certificate.to_pem().unwrap()).unwrap();
        std::fs::write(issued.key(), issued.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        issued
    }

    fn extend(&self, builder: &mut X509Builder) {
        let mut constraints = BasicConstraints::new();
        if self.issuer.is_none() {
            constraints.critical().ca();
        }
        builder.append_extension(constraints.build().unwrap()).unwrap();
        if let Some(host) = self.host {
            let context = builder.x509v3_context(None, None);
            let mut names = SubjectAlternativeName::new();
            if host.parse::<std::net::IpAddr>().is_ok() {
                names.ip(host);
            } else {
                names.dns(host);
            }
            let names = names.build(&context).unwrap();
            builder.append_extension(names).unwrap();
        }
    }
}
