//! Logins as a server does them: who may come in, and the rounds that prove a password.
//!
//! Every method is done in full: a wrong password, a proof for another scramble or a broken
//! encryption is refused. Methods that MariaDB has (`mysql_old_password`, `ed25519`, `unix_socket`)
//! are not here: the tests ask a real MariaDB.
//!
//! Sources: the MySQL protocol documentation ("Connection Phase", "Caching_sha2_password
//! information"), and for `dialog` and `parsec` MariaDB's "Connection" page.

pub(crate) mod caching_sha2;
mod dialog;
mod exchange;
mod parsec;
mod request;
mod rsa_key;
mod sha256;

use std::collections::HashSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use dialog::{CODE, PROXY_NAME};
use exchange::Exchange;
use request::Request;
pub use rsa_key::{encrypted, public_key_pem};

use super::conn::ServerConn;
use super::greeting::SCRAMBLE;
use crate::proto::{caps, scramble};

/// The password of every account of [`Accounts::one_for_each_method`].
pub const PASSWORD: &str = "secret";

/// First byte of the request to begin with another method.
const SWITCH: &[u8] = b"\xfe";
/// First byte of the request to prove one more thing.
const NEXT_FACTOR: &[u8] = b"\x02";

/// How an account proves its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `mysql_native_password`.
    Native,
    /// `caching_sha2_password`: the first login of a user takes the full exchange, later ones the
    /// fast path.
    CachingSha2,
    /// `caching_sha2_password` of a server that forgets everybody at once: always the full exchange.
    ForgetfulSha2,
    /// `sha256_password`.
    Sha256,
    /// `mysql_clear_password`.
    Clear,
    /// `dialog`: the password and two further questions.
    Dialog,
    /// MariaDB's `parsec`.
    Parsec,
}

impl Method {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "mysql_native_password",
            Self::CachingSha2 | Self::ForgetfulSha2 => "caching_sha2_password",
            Self::Sha256 => "sha256_password",
            Self::Clear => "mysql_clear_password",
            Self::Dialog => "dialog",
            Self::Parsec => "parsec",
        }
    }

    /// Whether what a client sends with its login can be a proof: the others begin with a question
    /// that only a switch request asks.
    fn begins_with_the_login(self) -> bool {
        !matches!(self, Self::Dialog | Self::Parsec)
    }

    /// The data of the switch request.
    fn challenge(self, scramble: &[u8; 20]) -> Vec<u8> {
        match self {
            Self::Dialog => dialog::FIRST_QUESTION.to_vec(),
            Self::Parsec => parsec::challenge(scramble),
            _ => [scramble.as_slice(), &[0]].concat(),
        }
    }
}

/// Somebody who may log in.
#[derive(Debug, Clone)]
struct Account {
    user: String,
    password: String,
    method: Method,
    second: Option<Method>,
}

/// The accounts of a server, and whom `caching_sha2_password` remembers.
#[derive(Debug, Default)]
pub struct Accounts {
    accounts: Vec<Account>,
    remembered: Mutex<HashSet<String>>,
}

impl Accounts {
    /// `native`, `sha2`, `sha2_full`, `sha256`, `clear`, `dialog` and `parsec`, named after their
    /// methods; `factors` and `factors_sha2`, who prove the password twice, the second time with
    /// the method that the name tells. All have [`PASSWORD`].
    pub fn one_for_each_method() -> Self {
        [
            ("native", Method::Native),
            ("sha2", Method::CachingSha2),
            ("sha2_full", Method::ForgetfulSha2),
            ("sha256", Method::Sha256),
            ("clear", Method::Clear),
            ("dialog", Method::Dialog),
            ("parsec", Method::Parsec),
        ]
        .into_iter()
        .fold(Self::default(), |all, (user, method)| all.with(user, method, None))
        .with("factors", Method::Native, Some(Method::Native))
        .with("factors_sha2", Method::Native, Some(Method::CachingSha2))
    }

    fn with(mut self, user: &str, method: Method, second: Option<Method>) -> Self {
        let (user, password) = (user.into(), PASSWORD.into());
        self.accounts.push(Account { user, password, method, second });
        self
    }

    /// Answers a login (HandshakeResponse41) that was read as packet `id`, and returns who came in;
    /// `None` after an ERR. `scramble` is the handshake's.
    ///
    /// # Errors
    /// Those of the stream, or a login that cannot be read.
    ///
    /// # Panics
    /// If the packet ids of the rounds do not follow each other.
    pub fn log_in(
        &self,
        conn: &mut ServerConn,
        id: u8,
        login: &[u8],
        scramble: [u8; 20],
    ) -> io::Result<Option<Identity>> {
        let request = Request::parse_login(login)?;
        self.decide(&mut Exchange::new(conn, id), &request, Some(scramble))
    }

    /// Answers a COM_CHANGE_USER of a connection that was logged in with these capabilities, else
    /// as [`Accounts::log_in`]. Like real servers it asks in any case, with a new scramble.
    ///
    /// # Errors
    /// See [`Accounts::log_in`].
    ///
    /// # Panics
    /// See [`Accounts::log_in`].
    pub fn change_user(
        &self,
        conn: &mut ServerConn,
        command: &[u8],
        capabilities: u32,
    ) -> io::Result<Option<Identity>> {
        let request = Request::parse_change_user(command, capabilities)?;
        self.decide(&mut Exchange::new(conn, 0), &request, None)
    }

    fn decide(
        &self,
        exchange: &mut Exchange<'_>,
        request: &Request,
        greeted: Option<[u8; 20]>,
    ) -> io::Result<Option<Identity>> {
        let account = self.accounts.iter().find(|account| account.user == request.user);
        if let Some(account) = account
            && self.proves(exchange, request, account, greeted)?
        {
            exchange.ok()?;
            let Request { user, capabilities, .. } = request.clone();
            return Ok(Some(Identity { user, capabilities }));
        }
        exchange.refuse(&request.user)?;
        Ok(None)
    }

    fn proves(
        &self,
        exchange: &mut Exchange<'_>,
        request: &Request,
        account: &Account,
        greeted: Option<[u8; 20]>,
    ) -> io::Result<bool> {
        let method = account.method;
        let fits = request.method == method.name() && method.begins_with_the_login();
        let proven = match greeted {
            Some(scramble) if fits => {
                self.check(exchange, account, method, scramble, &request.auth_data)?
            }
            _ => self.ask(exchange, SWITCH, account, method)?,
        };
        match account.second {
            Some(second) if proven => {
                let may_ask = request.capabilities & caps::MULTI_FACTOR != 0;
                Ok(may_ask && self.ask(exchange, NEXT_FACTOR, account, second)?)
            }
            _ => Ok(proven),
        }
    }

    /// Has the client begin with a method.
    fn ask(
        &self,
        exchange: &mut Exchange<'_>,
        kind: &[u8],
        account: &Account,
        method: Method,
    ) -> io::Result<bool> {
        let scramble = fresh_scramble();
        let question = [kind, method.name().as_bytes(), b"\0", &method.challenge(&scramble)];
        let first = exchange.ask(&question.concat())?;
        self.check(exchange, account, method, scramble, &first)
    }

    /// Judges the client's first answer, and asks on as the method wants it.
    fn check(
        &self,
        exchange: &mut Exchange<'_>,
        account: &Account,
        method: Method,
        nonce: [u8; 20],
        first: &[u8],
    ) -> io::Result<bool> {
        let password = account.password.as_bytes();
        match method {
            Method::Native => Ok(first == scramble::native(&account.password, &nonce)),
            Method::Clear => Ok(first.strip_suffix(&[0]) == Some(password)),
            Method::Sha256 => sha256::proves(exchange, first, password, &nonce),
            Method::Dialog => dialog::proves(exchange, first, password),
            Method::Parsec => parsec::proves(exchange, first, password, &nonce),
            Method::ForgetfulSha2 => caching_sha2::proves(exchange, first, password, &nonce, false),
            Method::CachingSha2 => {
                let known = self.remembered().contains(&account.user);
                let proves = caching_sha2::proves(exchange, first, password, &nonce, known)?;
                if proves {
                    self.remembered().insert(account.user.clone());
                }
                Ok(proves)
            }
        }
    }

    fn remembered(&self) -> MutexGuard<'_, HashSet<String>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who logged in, and in which dialect.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The user's name.
    pub user: String,
    /// Capability bits of the login.
    pub capabilities: u32,
}

/// A scramble that no round before had: 20 bytes, none of them NUL.
pub(super) fn fresh_scramble() -> [u8; 20] {
    use sha1::{Digest, Sha1};
    use std::sync::atomic::{AtomicU64, Ordering};

    static USED: AtomicU64 = AtomicU64::new(0);
    let number = USED.fetch_add(1, Ordering::SeqCst).to_le_bytes();
    let mut scramble: [u8; 20] =
        Sha1::new_with_prefix(SCRAMBLE).chain_update(number).finalize().into();
    for byte in &mut scramble {
        *byte = b'!' + *byte % 90;
    }
    scramble
}
