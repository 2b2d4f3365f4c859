//! TLS of the two ends, with a certificate that nobody verifies.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::OnceLock;

use openssl::pkey::PKey;
use openssl::ssl::{SslAcceptor, SslConnector, SslMethod, SslVerifyMode};
use openssl::x509::X509;
use testkit::Issued;

/// It needs no more than memory and a certificate that it made itself.
const OPENSSL: &str = "OpenSSL can be set up";

/// A connection with or without TLS.
pub trait Stream: Read + Write + Send + std::fmt::Debug {}

impl<T: Read + Write + Send + std::fmt::Debug> Stream for T {}

/// The handshake of a client.
pub fn connect(stream: TcpStream) -> io::Result<Box<dyn Stream>> {
    static CONNECTOR: OnceLock<SslConnector> = OnceLock::new();
    let connector = CONNECTOR.get_or_init(|| {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).expect(OPENSSL);
        builder.set_verify(SslVerifyMode::NONE);
        builder.build()
    });
    let mut configuration = connector.configure().expect(OPENSSL);
    configuration.set_verify_hostname(false);
    Ok(Box::new(configuration.connect("localhost", stream).map_err(io::Error::other)?))
}

/// The handshake of a server.
pub fn accept(stream: TcpStream) -> io::Result<Box<dyn Stream>> {
    static ACCEPTOR: OnceLock<SslAcceptor> = OnceLock::new();
    let acceptor = ACCEPTOR.get_or_init(|| {
        let issued = Issued::ca("bench");
        let certificate = fs::read(issued.certificate()).expect("the certificate's file");
        let mut builder =
            SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).expect(OPENSSL);
        builder.set_certificate(&X509::from_pem(&certificate).expect(OPENSSL)).expect(OPENSSL);
        let key: &PKey<_> = issued.private_key();
        builder.set_private_key(key).expect(OPENSSL);
        builder.build()
    });
    Ok(Box::new(acceptor.accept(stream).map_err(io::Error::other)?))
}
