//! Options whose value is one of a few words, and the words of those about TLS and compression.

use engine::Compression;
use transport::tls::{ClientCertificates, TlsVersion, Verification};

use super::check::{Given, OptionError, Show};
use crate::embed::ConfigValue;

/// A value that is one of a few words.
pub trait Word: Copy + PartialEq + 'static {
    /// All of them.
    const ALL: &'static [(&'static str, Self)];
}

/// One of the words; `None` if nothing is given and there is no default.
fn optional_word<T: Word>(given: Given<'_, Option<String>>) -> Result<Option<T>, OptionError> {
    let Some(text) = given.value.as_deref().or(given.default) else { return Ok(None) };
    let found = T::ALL.iter().find(|(word, _)| *word == text.trim());
    let words: Vec<_> = T::ALL.iter().map(|(word, _)| *word).collect();
    found.map(|(_, value)| Some(*value)).ok_or_else(|| {
        let (last, others) = words.split_last().expect("there are words");
        let reason = format!("expected {} or {last}", others.join(", "));
        OptionError::new(given.option, text, reason)
    })
}

impl<T: Word> Show for T {
    fn show(&self) -> ConfigValue {
        let word = T::ALL.iter().find(|(_, value)| value == self).map_or("", |(word, _)| *word);
        ConfigValue::Text(word.to_owned())
    }
}

impl<T: Word> Show for Option<T> {
    fn show(&self) -> ConfigValue {
        self.map_or(ConfigValue::None, |word| word.show())
    }
}

/// TLS with clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// As the server has it.
    Mirror,
    /// None.
    Off,
    /// For clients that want it.
    Optional,
    /// For all.
    Required,
}

impl Word for TlsMode {
    const ALL: &'static [(&'static str, Self)] = &[
        ("mirror", Self::Mirror),
        ("off", Self::Off),
        ("optional", Self::Optional),
        ("required", Self::Required),
    ];
}

/// TLS with servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendTls {
    /// None.
    Off,
    /// Encrypted, with whoever it is.
    Required,
    /// A CA signed the server's certificate.
    VerifyCa,
    /// And it has the server's name.
    VerifyIdentity,
}

impl Word for BackendTls {
    const ALL: &'static [(&'static str, Self)] = &[
        ("off", Self::Off),
        ("required", Self::Required),
        ("verify-ca", Self::VerifyCa),
        ("verify-identity", Self::VerifyIdentity),
    ];
}

impl BackendTls {
    /// What of a server's certificate that is.
    pub fn verification(self) -> Verification {
        match self {
            Self::Off | Self::Required => Verification::None,
            Self::VerifyCa => Verification::Ca,
            Self::VerifyIdentity => Verification::CaAndName,
        }
    }
}

impl Word for ClientCertificates {
    const ALL: &'static [(&'static str, Self)] =
        &[("optional", Self::Optional), ("required", Self::Required)];
}

impl Word for Compression {
    const ALL: &'static [(&'static str, Self)] = &[
        ("mirror", Self::Mirror),
        ("off", Self::Off),
        ("client", Self::ClientOnly),
        ("server", Self::ServerOnly),
    ];
}

/// A word with a default.
pub fn word<T: Word>(given: Given<'_, Option<String>>) -> Result<T, OptionError> {
    optional_word(given).map(|word| word.expect("there is a default"))
}

/// A word, if one is given.
pub fn word_or_none<T: Word>(given: Given<'_, Option<String>>) -> Result<Option<T>, OptionError> {
    optional_word(given)
}

/// The lowest and the highest version of TLS; `None`: as the distribution has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions(pub Option<(TlsVersion, TlsVersion)>);

const VERSIONS: [(&str, TlsVersion); 2] =
    [("TLSv1.2", TlsVersion::V1_2), ("TLSv1.3", TlsVersion::V1_3)];

/// A comma list of versions.
pub fn versions(given: Given<'_, Option<String>>) -> Result<Versions, OptionError> {
    let Some(text) = given.value.as_deref() else { return Ok(Versions(None)) };
    let wrong = || OptionError::new(given.option, text, "expected TLSv1.2, TLSv1.3 or both");
    let version = |word: &str| {
        let word = word.trim();
        let found = VERSIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        found.map(|(_, version)| *version).ok_or_else(wrong)
    };
    let all: Vec<_> = text.split(',').map(version).collect::<Result<_, _>>()?;
    let range = all.iter().min().zip(all.iter().max());
    Ok(Versions(range.map(|(min, max)| (*min, *max))))
}

impl Show for Versions {
    fn show(&self) -> ConfigValue {
        let Some((min, max)) = self.0 else { return ConfigValue::None };
        let within = VERSIONS.iter().filter(|(_, version)| (min..=max).contains(version));
        let names: Vec<_> = within.map(|(name, _)| *name).collect();
        ConfigValue::Text(names.join(","))
    }
}

/// Any text.
pub fn text(given: Given<'_, Option<String>>) -> Result<Option<String>, OptionError> {
    Ok(given.value.clone())
}

impl Show for Option<String> {
    fn show(&self) -> ConfigValue {
        self.clone().map_or(ConfigValue::None, ConfigValue::Text)
    }
}
