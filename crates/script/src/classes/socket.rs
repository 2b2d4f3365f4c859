//! `socket`: one side of a connection, `proxy.connection.client` or `.server`.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use wire::Capabilities;
use wire::connect::{Attributes, Handshake, Login};
use wire::reply::StatusFlags;

use super::access;
use super::address::Address;
use super::flags::Flags;
use super::hashing::hash_of;
use super::sessions::ServerSession;
use super::tls::Tls;
use crate::text;
use engine::{Session, Slot, TlsInfo};

/// Which side of which connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Side {
    Client,
    /// The server connection of this number, while it is attached.
    Server(u64),
}

/// One side of a connection: the client, or a server while it is attached.
///
/// What is not known yet is None.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Socket {
    session: Slot<Session>,
    side: Side,
}

/// What both sides have in common.
struct End<'s> {
    src: &'s engine::Address,
    dst: &'s engine::Address,
    handshake: Option<&'s Handshake>,
    login: Option<&'s Login>,
    capabilities: Option<Capabilities>,
    default_db: &'s [u8],
    status: Option<StatusFlags>,
    tls: Option<&'s Arc<TlsInfo>>,
}

impl Socket {
    /// The client of a connection.
    pub fn client(session: &Slot<Session>) -> Self {
        Self { session: session.clone(), side: Side::Client }
    }

    /// The server connection that is attached now.
    pub fn server(session: &Slot<Session>) -> PyResult<Option<Self>> {
        let id = access::read(session, "the connection", |session| {
            session.server.as_ref().map(|server| server.id)
        })?;
        Ok(id.map(|id| Self { session: session.clone(), side: Side::Server(id) }))
    }

    fn read<R>(&self, f: impl FnOnce(End<'_>) -> R) -> PyResult<R> {
        let end = access::read(&self.session, "the connection", |session| {
            let end = match self.side {
                Side::Client => {
                    let client = &session.client;
                    Some(End {
                        src: &client.src,
                        dst: &client.dst,
                        handshake: client.handshake.as_deref(),
                        login: client.login.as_deref(),
                        capabilities: client.login.as_deref().map(|login| login.capabilities),
                        default_db: &client.default_db,
                        status: None,
                        tls: client.tls.as_ref(),
                    })
                }
                Side::Server(id) => {
                    session.server.as_ref().filter(|server| server.id == id).map(|server| End {
                        src: &server.src,
                        dst: &server.dst,
                        handshake: server.handshake.as_deref(),
                        login: server.login.as_deref(),
                        capabilities: server.authenticated.then(|| server.capabilities()),
                        default_db: &server.default_db,
                        status: Some(server.status()),
                        tls: server.tls.as_ref(),
                    })
                }
            };
            end.map(f)
        })?;
        end.ok_or_else(|| access::gone("the server connection"))
    }

    fn name(&self) -> &'static str {
        match self.side {
            Side::Client => "client",
            Side::Server(_) => "server",
        }
    }
}

#[pymethods]
impl Socket {
    /// Where the connection comes from: the client itself (as a PROXY header names it), or our end towards the server.
    #[getter]
    fn src(&self) -> PyResult<Option<Address>> {
        self.read(|end| Address::known(end.src))
    }

    /// Where the connection goes to: our listening end, or the server.
    #[getter]
    fn dst(&self) -> PyResult<Option<Address>> {
        self.read(|end| Address::known(end.dst))
    }

    /// The default database; empty if there is none.
    #[getter]
    fn default_db<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        text::to_str(py, &self.read(|end| end.default_db.to_vec())?)
    }

    /// What the server reported last about the state of the connection; None of the client.
    #[getter]
    fn flags(&self) -> PyResult<Option<Flags>> {
        Ok(self.read(|end| end.status)?.map(Flags::new))
    }

    /// What the TLS handshake agreed on; None without TLS. A server's is made behind `read_auth`.
    #[getter]
    fn tls(&self) -> PyResult<Option<Tls>> {
        self.read(|end| end.tls.map(|tls| Tls::new(Arc::clone(tls))))
    }

    /// The session on a server connection; None of the client, which has `connection.client_session`.
    #[getter]
    fn session(&self) -> PyResult<Option<ServerSession>> {
        self.read(|_| ())?;
        Ok(match self.side {
            Side::Client => None,
            Side::Server(id) => Some(ServerSession::new(self.session.clone(), id)),
        })
    }

    /// The user name of the login.
    #[getter]
    fn username<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let name = self.read(|end| end.login.map(|login| login.username.clone()))?;
        name.map(|name| text::to_str(py, &name)).transpose()
    }

    /// The character set of the login, as the number of its collation (45 is utf8mb4_general_ci). What the client sets
    /// later, with SET NAMES, is not followed.
    #[getter]
    fn charset(&self) -> PyResult<Option<u8>> {
        self.read(|end| end.login.map(|login| login.charset))
    }

    /// What the client asked for in its login, or the one who opened the connection to the server: a number of capability
    /// bits, without what the proxy cannot follow. It decides about the form of packets.
    #[getter]
    fn capabilities(&self) -> PyResult<Option<u64>> {
        self.read(|end| end.capabilities.map(|capabilities| capabilities.bits()))
    }

    /// The connection attributes of the login (`_client_name`, `program_name`); empty if it has none.
    #[getter]
    fn attributes<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let block = self.read(|end| end.login.map(|login| login.attributes.clone()))?;
        let Some(block) = block else { return Ok(None) };
        let attributes = PyDict::new(py);
        // What is behind a malformed pair cannot be read.
        for (name, value) in Attributes::new(&block.unwrap_or_default()).map_while(Result::ok) {
            attributes.set_item(text::to_str(py, name)?, text::to_str(py, value)?)?;
        }
        Ok(Some(attributes))
    }

    /// The authentication method: of the login if there was one, else the one the server proposed.
    #[getter]
    fn auth_plugin_name<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let name = self.read(|end| match (end.login, end.handshake) {
            (Some(login), _) => login.auth_plugin.clone(),
            (None, Some(handshake)) => handshake.auth_plugin.clone(),
            (None, None) => None,
        })?;
        name.map(|name| text::to_str(py, &name)).transpose()
    }

    /// The server's version as a number: 80036 for 8.0.36.
    #[getter]
    fn mysqld_version(&self) -> PyResult<Option<u32>> {
        self.read(|end| end.handshake.and_then(Handshake::version_id))
    }

    /// The server's id of the connection.
    #[getter]
    fn thread_id(&self) -> PyResult<Option<u32>> {
        self.read(|end| end.handshake.map(|handshake| handshake.thread_id))
    }

    /// The random bytes of the server's handshake: 20, and a NUL if the server announces authentication methods.
    #[getter]
    fn scramble_buffer<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let scramble = self.read(|end| {
            end.handshake.map(|handshake| {
                if handshake.capabilities.contains(Capabilities::PLUGIN_AUTH) {
                    handshake.scramble.clone()
                } else {
                    handshake.scramble20().to_vec()
                }
            })
        })?;
        Ok(scramble.map(|bytes| PyBytes::new(py, &bytes)))
    }

    /// What the login proved the password with.
    #[getter]
    fn scrambled_password<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let proof = self.read(|end| end.login.map(|login| login.auth_response.clone()))?;
        Ok(proof.map(|bytes| PyBytes::new(py, &bytes)))
    }

    /// The payload of the login, with the capabilities that the proxy passes on.
    #[getter]
    fn login_packet<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let login = self.read(|end| end.login.map(Login::encode))?.transpose();
        let payload = login.map_err(|e| PyValueError::new_err(e.to_string()))?;
        Ok(payload.map(|bytes| PyBytes::new(py, &bytes)))
    }

    fn __repr__(&self) -> String {
        let known = self.read(|end| {
            let peer = match self.side {
                Side::Client => &end.src.name,
                Side::Server(_) => &end.dst.name,
            };
            let user = end.login.map(|login| String::from_utf8_lossy(&login.username).into_owned());
            (peer.clone(), user)
        });
        match known {
            Ok((peer, Some(user))) => {
                format!("<pyproxy.Socket {} {peer} user={user:?}>", self.name())
            }
            Ok((peer, None)) => format!("<pyproxy.Socket {} {peer}>", self.name()),
            Err(_) => format!("<pyproxy.Socket {} (gone)>", self.name()),
        }
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| {
            let other = other.get();
            other.side == self.side && other.session.is_same(&self.session)
        })
    }

    fn __hash__(&self) -> u64 {
        hash_of((self.session.identity(), self.side))
    }
}
