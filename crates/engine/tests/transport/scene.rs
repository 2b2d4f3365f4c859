//! A connection under test, and a driver that writes down what it is told.

use std::sync::Arc;
use std::time::Instant;

use doubles::AlwaysUp;
use engine::{
    Address, Algorithm, Awaits, Client, Compression, Connecting, Driver, Effect, Engine, Event,
    Hook, HookSet, Incoming, Link, Session, Settings, Shared, Side, Slot, Then, Tls, TlsInfo,
    Verdict,
};
use wire::Capabilities;
use wire::connect::{Handshake, Login};
use wire::reply::{ErrPacket, StatusFlags};

pub const OK: &[u8] = b"\0\0\0\x02\0\0\0";
pub const CACHING: &[u8] = b"caching_sha2_password";
pub const SHA256: &[u8] = b"sha256_password";
pub const NATIVE: &[u8] = b"mysql_native_password";
/// Of the proxy.
pub const CHALLENGE: [u8; 20] = *b"a challenge of ours!";
/// Of the server.
pub const KEY: &[u8] = b"-----BEGIN PUBLIC KEY-----";

/// What every server of these tests offers.
pub const COMMON: Capabilities = Capabilities::PROTOCOL_41
    .union(Capabilities::LONG_PASSWORD)
    .union(Capabilities::SECURE_CONNECTION)
    .union(Capabilities::PLUGIN_AUTH);

#[derive(Debug)]
struct QuietLink {
    is_unix: bool,
}

impl Link for QuietLink {
    fn is_quiet(&self) -> bool {
        true
    }

    fn addresses(&self) -> (Address, Address) {
        let family = if self.is_unix { 1 } else { 2 };
        let end = || Address { family, ..Address::default() };
        (end(), end())
    }
}

/// What the driver was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did {
    Send(Side, u8, Vec<u8>),
    Forward(Side, u8),
    StartTls(Side),
    Compress(Side, Algorithm),
    NewExchange(Side),
}

/// The driver.
#[derive(Debug, Default)]
pub struct Hands {
    pub did: Vec<Did>,
    /// It has no RSA.
    pub has_no_rsa: bool,
    pub has_no_random: bool,
    pub server_is_unix: bool,
    /// The backends that were connected to.
    pub connects: Vec<usize>,
}

/// As a driver that has RSA encrypts, so that tests can see what.
pub fn encrypted(key: &[u8], obfuscated: &[u8]) -> Vec<u8> {
    [b"RSA(", key, b", ", obfuscated, b")"].concat()
}

impl Driver for Hands {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn connect(&mut self, ndx: usize) -> Connecting {
        self.connects.push(ndx);
        Connecting::Done(Box::new(QuietLink { is_unix: self.server_is_unix }))
    }

    fn random(&mut self) -> Option<[u8; 20]> {
        (!self.has_no_random).then_some(CHALLENGE)
    }

    fn encrypt_password(&mut self, key: &[u8], obfuscated: &[u8]) -> Option<Vec<u8>> {
        (!self.has_no_rsa).then(|| encrypted(key, obfuscated))
    }

    fn public_key(&mut self) -> Option<Vec<u8>> {
        (!self.has_no_rsa).then(|| b"our key".to_vec())
    }

    fn decrypt_password(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let inner = bytes.strip_prefix(b"RSA(our key, ")?.strip_suffix(b")")?;
        (!self.has_no_rsa).then(|| inner.to_vec())
    }

    fn effect(&mut self, effect: Effect<'_>) {
        match effect {
            Effect::Send { to, id, payload } | Effect::SendPart { to, id, payload } => {
                self.did.push(Did::Send(to, id, payload.to_vec()));
            }
            Effect::Forward { to, id } => self.did.push(Did::Forward(to, id)),
            Effect::StartTls(side) => self.did.push(Did::StartTls(side)),
            Effect::Compress { side, algorithm } => self.did.push(Did::Compress(side, algorithm)),
            Effect::NewExchange(side) => self.did.push(Did::NewExchange(side)),
            _ => {}
        }
    }
}

/// Everything that connections share, with one backend.
pub fn shared(pool_change_user: bool) -> Arc<Shared> {
    sharing_backends(1, pool_change_user)
}

/// The same with several.
pub fn sharing_backends(backends: usize, pool_change_user: bool) -> Arc<Shared> {
    Arc::new(Shared::new(Box::new(AlwaysUp(backends)), pool_change_user, 1 << 20))
}

/// Each side by itself.
pub fn hops(client: engine::ClientTls, server: engine::ServerTls) -> Settings {
    Settings { tls: Tls::Hops { client, server }, ..Settings::default() }
}

pub fn mirror() -> Settings {
    Settings { tls: Tls::Mirror, ..Settings::default() }
}

pub fn compressing(compression: Compression) -> Settings {
    Settings { compression, ..Settings::default() }
}

/// A greeting that offers this besides what all offer.
pub fn greeting(offered: Capabilities) -> Handshake {
    Handshake {
        protocol_version: 10,
        server_version: b"8.0.36".to_vec(),
        thread_id: 1,
        scramble: vec![b's'; 20],
        capabilities: COMMON | offered,
        charset: 45,
        status: StatusFlags::AUTOCOMMIT,
        auth_plugin: Some(NATIVE.to_vec()),
    }
}

/// A login that asks for this besides what all ask for.
pub fn login(asked: Capabilities, method: &[u8]) -> Login {
    Login {
        capabilities: COMMON | asked,
        max_packet_size: 1 << 24,
        charset: 45,
        username: b"ann".to_vec(),
        auth_response: vec![b'a'; 20],
        database: None,
        auth_plugin: Some(method.to_vec()),
        attributes: None,
        zstd_level: asked.contains(Capabilities::ZSTD_COMPRESSION).then_some(7),
    }
}

/// The request for TLS that goes with a login.
pub fn request(login: &Login) -> Vec<u8> {
    Login::tls_request(&login.encode().unwrap()).unwrap()
}

pub struct Scene {
    pub engine: Engine,
    pub hands: Hands,
    pub awaits: Option<Awaits>,
}

impl Scene {
    pub fn new(settings: Settings, hooks: &[Hook]) -> Self {
        Self::sharing(&shared(true), settings, hooks)
    }

    pub fn sharing(shared: &Arc<Shared>, settings: Settings, hooks: &[Hook]) -> Self {
        let session = Slot::new(Session::new(1, Client::default()));
        let hooks = HookSet::from_iter(hooks.iter().copied());
        let engine = Engine::new(session, Arc::clone(shared), settings, hooks);
        Self { engine, hands: Hands::default(), awaits: None }
    }

    /// The same with a client that comes over a unix socket.
    pub fn over_unix_socket(self) -> Self {
        self.engine.session().lock().unwrap().client.src.family = 1;
        self
    }

    pub fn tell(&mut self, event: Event<'_>) -> Vec<Did> {
        self.hands.did.clear();
        self.awaits = match self.engine.handle(event, &mut self.hands) {
            Then::Await(awaits) => Some(awaits),
            Then::Ask(_) => None,
        };
        std::mem::take(&mut self.hands.did)
    }

    pub fn client(&mut self, id: u8, payload: &[u8]) -> Vec<Did> {
        self.tell(Event::Client(Incoming::single(id, payload)))
    }

    pub fn server(&mut self, id: u8, payload: &[u8]) -> Vec<Did> {
        self.tell(Event::Server(Incoming::single(id, payload)))
    }

    /// What the script says about a packet.
    pub fn verdict_on(&mut self, verdict: Verdict, id: u8, payload: &[u8]) -> Vec<Did> {
        self.tell(Event::Verdict(verdict, Some(Incoming::single(id, payload))))
    }

    pub fn verdict(&mut self, verdict: Verdict) -> Vec<Did> {
        self.tell(Event::Verdict(verdict, None))
    }

    pub fn secured(&mut self, side: Side) -> Vec<Did> {
        let version = if side == Side::Client { "TLSv1.2" } else { "TLSv1.3" };
        let tls = TlsInfo {
            version: version.to_owned(),
            cipher: "a cipher".to_owned(),
            peer_subject: None,
        };
        self.tell(Event::Secured { side, tls })
    }

    pub fn tls_failed(&mut self, side: Side) -> Vec<Did> {
        self.tell(Event::TlsFailed { side, why: "no cipher".to_owned() })
    }

    /// Up to the login; what the client was offered.
    pub fn greeted(&mut self, offered: Capabilities) -> Capabilities {
        self.tell(Event::Accepted);
        let did = self.server(0, &greeting(offered).encode().unwrap());
        let [Did::Send(Side::Client, 0, payload)] = &did[..] else { panic!("{did:?}") };
        Handshake::parse(payload).unwrap().capabilities
    }

    /// The client asks for TLS, and gets it.
    pub fn client_tls(&mut self, login: &Login) {
        let did = self.client(1, &request(login));
        assert_eq!(did, [Did::StartTls(Side::Client)]);
        assert_eq!(self.awaits, Some(Awaits::Secured(Side::Client)));
        assert_eq!(self.secured(Side::Client), []);
        assert_eq!(self.awaits, Some(Awaits::Login));
    }

    /// The server's TLS, behind a login that led to this; what the server gets then.
    pub fn server_tls(&mut self, did: &[Did]) -> Login {
        let [Did::Send(Side::Server, 1, asked), Did::StartTls(Side::Server)] = did else {
            panic!("{did:?}");
        };
        let asked = asked.clone();
        assert_eq!(self.awaits, Some(Awaits::Secured(Side::Server)));
        let did = self.secured(Side::Server);
        let [Did::Send(Side::Server, 2, payload)] = &did[..] else { panic!("{did:?}") };
        assert_eq!(Login::tls_request(payload).unwrap(), asked, "both tell the same");
        assert_eq!(asked.len(), 32);
        Login::parse(payload).unwrap()
    }
}

/// The login that the server gets in plain.
pub fn plain_login(did: &[Did]) -> Login {
    let [Did::Send(Side::Server, 1, payload)] = did else { panic!("{did:?}") };
    Login::parse(payload).unwrap()
}

/// The number and text of the one ERR that the client gets.
pub fn refusal(did: &[Did]) -> (u16, String) {
    let [Did::Send(Side::Client, _, payload)] = did else { panic!("{did:?}") };
    let err = ErrPacket::parse(payload).unwrap();
    (err.code, String::from_utf8_lossy(err.message).into_owned())
}
