//! Configurations of TLS.

use transport::tls::{Policy, TlsClientOptions, TlsServerOptions, TlsVersion, Verification};
use transport::{TlsClient, TlsServer};

use testkit::Issued;

pub fn server(options: &TlsServerOptions) -> TlsServer {
    TlsServer::new(options).unwrap()
}

pub fn client(options: &TlsClientOptions) -> TlsClient {
    TlsClient::new(options).unwrap()
}

pub fn with_certificate(issued: &Issued) -> TlsServerOptions {
    TlsServerOptions {
        certificate: Some(issued.certificate()),
        key: Some(issued.key()),
        ..TlsServerOptions::default()
    }
}

pub fn verifying(ca: &Issued, verification: Verification) -> TlsClientOptions {
    TlsClientOptions { verification, ca: Some(ca.certificate()), ..TlsClientOptions::default() }
}

pub fn only(version: TlsVersion) -> Policy {
    Policy { min_version: Some(version), max_version: Some(version), ..Policy::default() }
}
