//! The options of TLS and compression: which go together, and what they become.

use engine::{ClientTls, Compression, ServerTls, Tls};
use transport::tls::{ClientCertificates, Policy, TlsClientOptions, TlsServerOptions};

use super::check::{EventLoop, OptionError};
use super::words::{BackendTls, TlsMode};
use super::{Options, Values};
use crate::chassis::address;

/// Refuses an option that has no meaning beside others.
fn refuse(option: &'static str, value: &str, reason: &str) -> Result<(), OptionError> {
    Err(OptionError::new(option, value, reason))
}

impl Options {
    /// Whether TLS with servers is used at all.
    fn has_backend_tls(&self) -> bool {
        self.tls == TlsMode::Mirror || self.backend_tls.is_some_and(|mode| mode != BackendTls::Off)
    }

    /// What is not given follows from the rest, and what does not go together is refused.
    pub(super) fn settle_tls(&mut self, values: &Values) -> Result<(), OptionError> {
        if self.event_loop == EventLoop::Chassis {
            return self.do_without_tls(values);
        }
        match (self.tls, self.backend_tls) {
            (TlsMode::Mirror, None) if self.backend_tls_ca.is_some() => {
                self.backend_tls = Some(BackendTls::VerifyCa);
            }
            (TlsMode::Mirror, Some(BackendTls::Off | BackendTls::Required)) => {
                let value = values.backend_tls.as_deref().unwrap_or_default();
                let reason = "with pyproxy-tls=mirror the client decides that; set pyproxy-tls to off, optional or required";
                return refuse("pyproxy-backend-tls", value, reason);
            }
            (TlsMode::Off | TlsMode::Optional | TlsMode::Required, None) => {
                self.backend_tls = Some(BackendTls::Off);
            }
            _ => {}
        }
        self.check_client_files(values)?;
        self.check_backend_files(values)?;
        if self.tls == TlsMode::Off && !self.has_backend_tls() {
            for (option, value) in policy_values(values) {
                refuse(option, value, "TLS is off, with clients and with servers")?;
            }
        }
        Ok(())
    }

    /// mysql-proxy's state machine moves plain packets only.
    fn do_without_tls(&mut self, values: &Values) -> Result<(), OptionError> {
        for (option, value) in all_values(values) {
            if value.trim() != "off" {
                refuse(option, value, "not possible with pyproxy-event-loop=chassis")?;
            }
        }
        self.tls = TlsMode::Off;
        self.backend_tls = Some(BackendTls::Off);
        self.compression = Compression::Off;
        Ok(())
    }

    fn check_client_files(&self, values: &Values) -> Result<(), OptionError> {
        if self.tls == TlsMode::Off {
            for (option, value) in client_values(values) {
                refuse(option, value, "there is no TLS with clients, pyproxy-tls is off")?;
            }
        }
        pair(("pyproxy-tls-cert", &values.tls_cert), ("pyproxy-tls-key", &values.tls_key))?;
        if self.tls_client_certificates == ClientCertificates::Required && self.tls_ca.is_none() {
            let reason = "there is no CA that they are verified with, set pyproxy-tls-ca";
            refuse("pyproxy-tls-client-certificates", "required", reason)?;
        }
        Ok(())
    }

    fn check_backend_files(&self, values: &Values) -> Result<(), OptionError> {
        let option = "pyproxy-backend-tls";
        let verified =
            matches!(self.backend_tls, Some(BackendTls::VerifyCa | BackendTls::VerifyIdentity));
        if !self.has_backend_tls() {
            for (option, value) in backend_values(values) {
                refuse(option, value, "there is no TLS with servers, pyproxy-backend-tls is off")?;
            }
        }
        pair(
            ("pyproxy-backend-tls-cert", &values.backend_tls_cert),
            ("pyproxy-backend-tls-key", &values.backend_tls_key),
        )?;
        match &values.backend_tls_ca {
            None if verified => {
                let value = values.backend_tls.as_deref().unwrap_or_default();
                refuse(option, value, "there is no CA to verify with, set pyproxy-backend-tls-ca")?;
            }
            Some(ca) if !verified => {
                let reason = "nothing is verified with it, set pyproxy-backend-tls to verify-ca or verify-identity";
                refuse("pyproxy-backend-tls-ca", ca, reason)?;
            }
            _ => {}
        }
        if self.backend_tls == Some(BackendTls::VerifyIdentity) {
            let backends = [&self.backends, &self.readonly_backends, &self.more_readonly_backends];
            let mut backends = backends.into_iter().flatten();
            if let Some(backend) = backends.find(|backend| address::host(backend).is_none()) {
                let reason = format!("the backend {backend} has no host name to verify");
                refuse(option, "verify-identity", &reason)?;
            }
        }
        Ok(())
    }

    /// Which side uses TLS.
    pub(super) fn tls_rule(&self) -> Tls {
        let client = match self.tls {
            TlsMode::Mirror => return Tls::Mirror,
            TlsMode::Off => ClientTls::Off,
            TlsMode::Optional => ClientTls::Optional,
            TlsMode::Required => ClientTls::Required,
        };
        let server = if self.has_backend_tls() { ServerTls::Required } else { ServerTls::Off };
        Tls::Hops { client, server }
    }

    fn policy(&self) -> Policy {
        let range = self.tls_versions.0;
        Policy {
            min_version: range.map(|(min, _)| min),
            max_version: range.map(|(_, max)| max),
            ciphers: self.tls_ciphers.clone(),
            ciphersuites: self.tls_ciphersuites.clone(),
        }
    }

    /// What clients are given TLS with; `None`: they are not.
    pub fn tls_with_clients(&self) -> Option<TlsServerOptions> {
        (self.tls != TlsMode::Off).then(|| TlsServerOptions {
            certificate: self.tls_cert.clone(),
            key: self.tls_key.clone(),
            ca: self.tls_ca.clone(),
            client_certificates: self.tls_client_certificates,
            policy: self.policy(),
        })
    }

    /// How TLS with servers is; `None`: there is none.
    pub fn tls_with_servers(&self) -> Option<TlsClientOptions> {
        self.has_backend_tls().then(|| TlsClientOptions {
            verification: self.backend_tls.map(BackendTls::verification).unwrap_or_default(),
            ca: self.backend_tls_ca.clone(),
            certificate: self.backend_tls_cert.clone(),
            key: self.backend_tls_key.clone(),
            policy: self.policy(),
        })
    }
}

/// An option as it was written.
type Written<'v> = (&'static str, &'v Option<String>);

fn given<'v, const N: usize>(
    options: [Written<'v>; N],
) -> impl Iterator<Item = (&'static str, &'v str)> {
    options.into_iter().filter_map(|(option, value)| Some((option, value.as_deref()?)))
}

fn client_values(values: &Values) -> impl Iterator<Item = (&'static str, &str)> {
    given([
        ("pyproxy-tls-cert", &values.tls_cert),
        ("pyproxy-tls-key", &values.tls_key),
        ("pyproxy-tls-ca", &values.tls_ca),
        ("pyproxy-tls-client-certificates", &values.tls_client_certificates),
    ])
}

fn backend_values(values: &Values) -> impl Iterator<Item = (&'static str, &str)> {
    given([
        ("pyproxy-backend-tls-ca", &values.backend_tls_ca),
        ("pyproxy-backend-tls-cert", &values.backend_tls_cert),
        ("pyproxy-backend-tls-key", &values.backend_tls_key),
    ])
}

fn policy_values(values: &Values) -> impl Iterator<Item = (&'static str, &str)> {
    given([
        ("pyproxy-tls-versions", &values.tls_versions),
        ("pyproxy-tls-ciphers", &values.tls_ciphers),
        ("pyproxy-tls-ciphersuites", &values.tls_ciphersuites),
    ])
}

fn all_values(values: &Values) -> impl Iterator<Item = (&'static str, &str)> {
    given([
        ("pyproxy-tls", &values.tls),
        ("pyproxy-backend-tls", &values.backend_tls),
        ("pyproxy-compression", &values.compression),
    ])
    .chain(client_values(values))
    .chain(backend_values(values))
    .chain(policy_values(values))
}

/// A certificate and its key: both or none.
fn pair(certificate: Written<'_>, key: Written<'_>) -> Result<(), OptionError> {
    let lonely = match (certificate.1, key.1) {
        (Some(value), None) => (certificate.0, value, key.0),
        (None, Some(value)) => (key.0, value, certificate.0),
        _ => return Ok(()),
    };
    let (option, value, other) = lonely;
    refuse(option, value, &format!("it needs {other}, too"))
}

#[cfg(test)]
mod tests {
    use transport::tls::Verification;

    use super::*;

    /// What is wrong with these values.
    fn error(given: &[(&str, &str)]) -> String {
        let mut values = Values::default();
        for (option, value) in given {
            let value = Some((*value).to_owned());
            match *option {
                "loop" => values.event_loop = value,
                "tls" => values.tls = value,
                "cert" => values.tls_cert = value,
                "key" => values.tls_key = value,
                "ca" => values.tls_ca = value,
                "client-certificates" => values.tls_client_certificates = value,
                "versions" => values.tls_versions = value,
                "backend" => values.backend_tls = value,
                "backend-ca" => values.backend_tls_ca = value,
                "backend-cert" => values.backend_tls_cert = value,
                "compression" => values.compression = value,
                "server" => values.backends.extend(value),
                other => panic!("{other}"),
            }
        }
        Options::check(&values).expect_err("a wrong value").to_string()
    }

    #[test]
    fn tls_options_that_do_not_go_together() {
        // Any file that is there.
        const FILE: &str = "/proc/self/exe";
        for (given, expected) in [
            (&[("tls", "yes")][..], "pyproxy-tls=yes: expected mirror, off, optional or required"),
            (
                &[("compression", "on")],
                "pyproxy-compression=on: expected mirror, off, client or server",
            ),
            (
                &[("versions", "TLSv1.1")],
                "pyproxy-tls-versions=TLSv1.1: expected TLSv1.2, TLSv1.3 or both",
            ),
            (&[("cert", FILE)], "pyproxy-tls-cert=/proc/self/exe: it needs pyproxy-tls-key, too"),
            (&[("key", FILE)], "pyproxy-tls-key=/proc/self/exe: it needs pyproxy-tls-cert, too"),
            (&[("cert", "/no")], "pyproxy-tls-cert=/no: No such file or directory (os error 2)"),
            (
                &[("tls", "off"), ("ca", FILE)],
                "pyproxy-tls-ca=/proc/self/exe: there is no TLS with clients, pyproxy-tls is off",
            ),
            (
                &[("client-certificates", "required")],
                "pyproxy-tls-client-certificates=required: there is no CA that they are verified with, set pyproxy-tls-ca",
            ),
            (
                &[("backend", "required")],
                "pyproxy-backend-tls=required: with pyproxy-tls=mirror the client decides that; \
                 set pyproxy-tls to off, optional or required",
            ),
            (
                &[("backend", "verify-ca")],
                "pyproxy-backend-tls=verify-ca: there is no CA to verify with, set pyproxy-backend-tls-ca",
            ),
            (
                &[("tls", "optional"), ("backend", "required"), ("backend-ca", FILE)],
                "pyproxy-backend-tls-ca=/proc/self/exe: nothing is verified with it, set pyproxy-backend-tls to \
                 verify-ca or verify-identity",
            ),
            (
                &[("tls", "optional"), ("backend-cert", FILE)],
                "pyproxy-backend-tls-cert=/proc/self/exe: there is no TLS with servers, pyproxy-backend-tls is off",
            ),
            (
                &[("backend", "verify-identity"), ("backend-ca", FILE), ("server", "/run/db.sock")],
                "pyproxy-backend-tls=verify-identity: the backend /run/db.sock has no host name to verify",
            ),
            (
                &[("tls", "off"), ("versions", "TLSv1.3")],
                "pyproxy-tls-versions=TLSv1.3: TLS is off, with clients and with servers",
            ),
            (
                &[("loop", "chassis"), ("tls", "mirror")],
                "pyproxy-tls=mirror: not possible with pyproxy-event-loop=chassis",
            ),
            (
                &[("loop", "chassis"), ("compression", "client")],
                "pyproxy-compression=client: not possible with pyproxy-event-loop=chassis",
            ),
            (
                &[("loop", "chassis"), ("ca", FILE)],
                "pyproxy-tls-ca=/proc/self/exe: not possible with pyproxy-event-loop=chassis",
            ),
        ] {
            assert_eq!(error(given), expected);
        }
    }

    #[test]
    fn what_follows_for_tls() {
        let off = ServerTls::Off;
        let required = ServerTls::Required;
        for (tls, backend, expected) in [
            (None, None, Tls::Mirror),
            (Some("off"), None, Tls::default()),
            (Some("optional"), None, Tls::Hops { client: ClientTls::Optional, server: off }),
            (Some("required"), Some("off"), Tls::Hops { client: ClientTls::Required, server: off }),
            (Some("off"), Some("required"), Tls::Hops { client: ClientTls::Off, server: required }),
        ] {
            let values = Values {
                tls: tls.map(str::to_owned),
                backend_tls: backend.map(str::to_owned),
                ..Values::default()
            };
            let options = Options::check(&values).expect("right");
            assert_eq!(options.settings().tls, expected, "{tls:?} {backend:?}");
            assert_eq!(options.settings().compression, Compression::Mirror);
            let has_server =
                matches!(expected, Tls::Mirror | Tls::Hops { server: ServerTls::Required, .. });
            assert_eq!(options.tls_with_servers().is_some(), has_server);
        }
        let chassis = |tls: Option<&str>| Values {
            event_loop: Some("chassis".into()),
            tls: tls.map(str::to_owned),
            ..Values::default()
        };
        for tls in [None, Some("off")] {
            let options = Options::check(&chassis(tls)).expect("right");
            assert_eq!(options.settings().tls, Tls::default());
            assert_eq!(options.settings().compression, Compression::Off);
            assert!(options.tls_with_clients().is_none() && options.tls_with_servers().is_none());
        }
    }

    #[test]
    fn a_ca_makes_mirror_verify() {
        let values = |backend: Option<&str>| Values {
            backend_tls_ca: Some("/proc/self/exe".into()),
            backend_tls: backend.map(str::to_owned),
            ..Values::default()
        };
        for (backend, expected) in
            [(None, Verification::Ca), (Some("verify-identity"), Verification::CaAndName)]
        {
            let options = Options::check(&values(backend)).expect("right");
            assert_eq!(options.settings().tls, Tls::Mirror);
            assert_eq!(options.tls_with_servers().expect("TLS").verification, expected);
        }
    }
}
