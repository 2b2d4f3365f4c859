//! The handshake and the login.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use wire::Capabilities;
use wire::connect::{Handshake, Login, LoginKind, OldLogin};
use wire::reply::StatusFlags;

use super::{checked, payload};
use crate::data::Data;
use crate::error::{Number, PacketError};

type Challenge<'py> =
    (u8, Bound<'py, PyBytes>, u32, u32, u32, u8, u16, Bound<'py, PyBytes>, Bound<'py, PyBytes>);
type Response<'py> = (
    u32,
    u32,
    u8,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
);

/// A field that is sent only if it has something in it.
fn present(field: &Data<'_>) -> Option<Vec<u8>> {
    Some(field.as_bytes()).filter(|bytes| !bytes.is_empty()).map(<[u8]>::to_vec)
}

#[pyfunction]
#[pyo3(signature = (packet, /))]
fn decode_challenge<'py>(py: Python<'py>, packet: Data<'py>) -> PyResult<Challenge<'py>> {
    let handshake = checked(Handshake::parse(packet.as_bytes()))?;
    // A server that names a method sends data of any length, else it is 20 bytes and a NUL.
    let challenge = match handshake.auth_plugin {
        Some(_) => handshake.scramble.as_slice(),
        None => handshake.scramble20(),
    };
    Ok((
        handshake.protocol_version,
        payload(py, &handshake.server_version),
        handshake.version_id().unwrap_or(0),
        handshake.thread_id,
        handshake.capabilities.classic(),
        handshake.charset,
        handshake.status.bits(),
        payload(py, challenge),
        payload(py, handshake.auth_plugin.as_deref().unwrap_or_default()),
    ))
}

#[pyfunction]
#[pyo3(signature = (
    server_version_text, thread_id, capabilities, charset, server_status, challenge, auth_plugin_name, /
))]
fn encode_challenge<'py>(
    py: Python<'py>,
    server_version_text: Data<'py>,
    thread_id: Number<u32>,
    capabilities: Number<u32>,
    charset: Number<u8>,
    server_status: Number<u16>,
    challenge: Data<'py>,
    auth_plugin_name: Data<'py>,
) -> PyResult<Bound<'py, PyBytes>> {
    let capabilities = Capabilities::from_bits_retain(capabilities.0.into());
    let handshake = Handshake {
        protocol_version: 10,
        server_version: server_version_text.as_bytes().to_vec(),
        thread_id: thread_id.0,
        scramble: challenge.as_bytes().to_vec(),
        capabilities,
        charset: charset.0,
        status: StatusFlags::from_bits_retain(server_status.0),
        auth_plugin: Some(auth_plugin_name.as_bytes().to_vec()),
    };
    Ok(payload(py, checked(handshake.encode())?))
}

#[pyfunction]
#[pyo3(signature = (packet, /))]
fn decode_response<'py>(py: Python<'py>, packet: Data<'py>) -> PyResult<Response<'py>> {
    let optional = |field: Option<&[u8]>| payload(py, field.unwrap_or_default());
    match checked(LoginKind::classify(packet.as_bytes()))? {
        LoginKind::V41(login) => Ok((
            login.capabilities.classic(),
            login.max_packet_size,
            login.charset,
            payload(py, &login.username),
            payload(py, &login.auth_response),
            optional(login.database.as_deref()),
            optional(login.auth_plugin.as_deref()),
        )),
        LoginKind::Pre41 => {
            let login = checked(OldLogin::parse(packet.as_bytes()))?;
            Ok((
                login.capabilities.classic(),
                login.max_packet_size,
                0,
                payload(py, login.username),
                payload(py, login.auth_response),
                optional(login.database),
                optional(None),
            ))
        }
        LoginKind::Ssl => Err(PacketError::new_err("a request for TLS, not a login")),
    }
}

#[pyfunction]
#[pyo3(signature = (
    capabilities, max_packet_size, charset, username, response, database, auth_plugin_name, /
))]
fn encode_response<'py>(
    py: Python<'py>,
    capabilities: Number<u32>,
    max_packet_size: Number<u32>,
    charset: Number<u8>,
    username: Data<'py>,
    response: Data<'py>,
    database: Data<'py>,
    auth_plugin_name: Data<'py>,
) -> PyResult<Bound<'py, PyBytes>> {
    let capabilities = Capabilities::from_bits_retain(capabilities.0.into());
    if !capabilities.contains(Capabilities::PROTOCOL_41) {
        let login = OldLogin {
            capabilities,
            max_packet_size: max_packet_size.0,
            username: username.as_bytes(),
            auth_response: response.as_bytes(),
            database: Some(database.as_bytes()).filter(|database| !database.is_empty()),
        };
        return Ok(payload(py, checked(login.encode())?));
    }
    let login = Login {
        capabilities,
        max_packet_size: max_packet_size.0,
        charset: charset.0,
        username: username.as_bytes().to_vec(),
        auth_response: response.as_bytes().to_vec(),
        database: present(&database),
        auth_plugin: present(&auth_plugin_name),
        attributes: None,
        zstd_level: None,
    };
    let mut packet = checked(login.encode())?;
    // A bit whose field is empty stays as it was asked for; but who sees these two waits for more.
    let asked =
        capabilities.difference(Capabilities::CONNECT_ATTRS | Capabilities::ZSTD_COMPRESSION);
    for (byte, bits) in packet.iter_mut().zip(asked.classic().to_le_bytes()) {
        *byte |= bits;
    }
    Ok(payload(py, packet))
}

/// Adds the functions.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(decode_challenge, module)?)?;
    module.add_function(wrap_pyfunction!(encode_challenge, module)?)?;
    module.add_function(wrap_pyfunction!(decode_response, module)?)?;
    module.add_function(wrap_pyfunction!(encode_response, module)?)
}
