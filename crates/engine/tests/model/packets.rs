//! The packets that clients, servers and scripts make.

use engine::Shared;
use wire::connect::{AuthSwitch, ChangeUser, Handshake, Login};
use wire::query_attributes::NONE;
use wire::reply::{EofPacket, ErrPacket, OkPacket, PrepareOk, StatusFlags};
use wire::result::{ColumnDefinition, ColumnType, ResultSetEncoder};
use wire::{Capabilities, Command, Writer};

use super::choices::Choices;

/// A packet on its way: a command may have further parts.
#[derive(Debug, Clone)]
pub struct Packet {
    pub id: u8,
    pub payload: Vec<u8>,
    pub rest: Vec<Vec<u8>>,
    /// The id is wrong on purpose, where it matters: a peer that sends this must not be listened to.
    pub misnumbered: bool,
}

impl Packet {
    pub fn new(id: u8, payload: Vec<u8>) -> Self {
        Self { id, payload, rest: Vec::new(), misnumbered: false }
    }

    /// The id of the last part.
    pub fn last_id(&self) -> u8 {
        self.id.wrapping_add(u8::try_from(self.rest.len()).unwrap())
    }
}

/// What every connection of today agrees on.
const COMMON: Capabilities = Capabilities::PROTOCOL_41
    .union(Capabilities::TRANSACTIONS)
    .union(Capabilities::SECURE_CONNECTION)
    .union(Capabilities::MULTI_RESULTS);

/// What some have, too.
const OPTIONS: [Capabilities; 9] = [
    Capabilities::LONG_PASSWORD,
    Capabilities::FOUND_ROWS,
    Capabilities::SESSION_TRACK,
    Capabilities::LOCAL_FILES,
    Capabilities::PLUGIN_AUTH,
    Capabilities::MARIADB_EXTENDED_METADATA,
    Capabilities::DEPRECATE_EOF,
    Capabilities::MULTI_FACTOR_AUTHENTICATION,
    Capabilities::QUERY_ATTRIBUTES,
];

const METHODS: [&[u8]; 5] = [
    b"mysql_native_password",
    b"caching_sha2_password",
    b"dialog",
    b"client_ed25519",
    b"sha256_password",
];
pub const CACHING: &[u8] = b"caching_sha2_password";
pub const SHA256: &[u8] = b"sha256_password";
/// A password as it is sent in clear.
pub const PASSWORD: &[u8] = b"secret\0";
/// How everything begins that is encrypted with RSA.
pub const RSA: &[u8] = b"RSA";
pub const USERS: [&[u8]; 3] = [b"ann", b"bob", b""];
const DATABASES: [&[u8]; 3] = [b"", b"x", b"y"];

/// Those of them that change what a server sends, or takes.
pub const DIALECT: Capabilities = Capabilities::FOUND_ROWS
    .union(Capabilities::SESSION_TRACK)
    .union(Capabilities::LOCAL_FILES)
    .union(Capabilities::MARIADB_EXTENDED_METADATA)
    .union(Capabilities::DEPRECATE_EOF)
    .union(Capabilities::QUERY_ATTRIBUTES);

/// `of` with some of the options left out.
fn some_of(of: Capabilities, input: &mut Choices<'_>) -> Capabilities {
    let mut capabilities = of;
    let mask = input.byte();
    // Most pairs of clients agree, so that connections can be shared.
    if mask >= 64 {
        return capabilities;
    }
    for (n, option) in OPTIONS.iter().enumerate() {
        capabilities.set(*option, of.contains(*option) && mask & (1 << (n % 6)) != 0);
    }
    capabilities
}

/// What a server says first.
pub fn handshake(input: &mut Choices<'_>) -> Vec<u8> {
    let all = OPTIONS.iter().fold(COMMON, |all, option| all | *option);
    let mut capabilities = some_of(all, input) | Capabilities::PLUGIN_AUTH;
    capabilities.set(Capabilities::LONG_PASSWORD, input.chance(192));
    // Most servers have all of these.
    let transport = input.byte();
    capabilities.set(Capabilities::SSL, transport >= 32);
    capabilities.set(Capabilities::COMPRESS, transport % 32 >= 4);
    capabilities.set(Capabilities::ZSTD_COMPRESSION, transport % 32 >= 8);
    let handshake = Handshake {
        protocol_version: 10,
        server_version: b"8.0.36-model".to_vec(),
        thread_id: 7,
        scramble: vec![b's'; 20],
        capabilities,
        charset: 45,
        status: StatusFlags::AUTOCOMMIT,
        auth_plugin: Some(input.pick(&METHODS).to_vec()),
    };
    handshake.encode().unwrap()
}

/// What a client that was offered `offered` logs in with.
pub fn login(offered: Capabilities, method: &[u8], input: &mut Choices<'_>) -> Login {
    let database = input.pick(&DATABASES);
    let mut capabilities = some_of(offered, input) & (offered | COMMON) | COMMON;
    if !offered.contains(Capabilities::LONG_PASSWORD) {
        capabilities.remove(Capabilities::LONG_PASSWORD);
    }
    capabilities.remove(Capabilities::TRANSPORT);
    match input.byte() {
        0..=31 => capabilities |= offered & Capabilities::COMPRESS,
        32..=47 => capabilities |= offered & Capabilities::ZSTD_COMPRESSION,
        48..=55 => capabilities |= offered & Capabilities::COMPRESSION,
        // As if TLS were there already.
        255 => capabilities |= Capabilities::SSL,
        _ => {}
    }
    if input.chance(4) {
        // Asked for without having been offered.
        let unasked = Capabilities::DEPRECATE_EOF | Capabilities::QUERY_ATTRIBUTES;
        capabilities.insert(unasked | Capabilities::COMPRESS);
    }
    let with_method = capabilities.contains(Capabilities::PLUGIN_AUTH);
    Login {
        capabilities,
        max_packet_size: 1 << 24,
        charset: 45,
        username: input.pick(&USERS).to_vec(),
        auth_response: if input.chance(64) { Vec::new() } else { vec![b'a'; 20] },
        database: Some(database.to_vec()).filter(|database| !database.is_empty()),
        auth_plugin: with_method.then(|| method.to_vec()),
        attributes: None,
        zstd_level: capabilities.contains(Capabilities::ZSTD_COMPRESSION).then_some(3),
    }
}

/// The status of an answer: mostly plain, sometimes in a transaction.
pub fn status(input: &mut Choices<'_>) -> StatusFlags {
    let mut status = StatusFlags::AUTOCOMMIT;
    status.set(StatusFlags::IN_TRANS, input.chance(32));
    status
}

pub fn ok(status: StatusFlags, capabilities: Capabilities, input: &mut Choices<'_>) -> Vec<u8> {
    let mut ok = OkPacket { status, ..OkPacket::default() };
    // Kind 1, the name of the new default database.
    if input.chance(24) {
        ok.session_state = Some(b"\x01\x02\x01y");
    }
    ok.encode(capabilities)
}

pub fn err() -> Vec<u8> {
    ErrPacket { code: 1064, sqlstate: Some(*b"42000"), message: b"no" }.encode()
}

pub fn switch(input: &mut Choices<'_>) -> Vec<u8> {
    let plugin = input.pick(&METHODS).to_vec();
    AuthSwitch { plugin, data: vec![b't'; 20] }.encode().unwrap()
}

/// A result set with a few rows of various lengths; `status` is that of its end.
pub fn result_set(
    capabilities: Capabilities,
    status: StatusFlags,
    input: &mut Choices<'_>,
) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let column = ColumnDefinition::named(b"a", ColumnType::VAR_STRING);
    let columns = vec![column; 1 + input.below(2)];
    let sink = |payload: &[u8]| packets.push(payload.to_vec());
    let mut encoder =
        ResultSetEncoder::begin(&columns, capabilities, StatusFlags::AUTOCOMMIT, sink);
    for _ in 0..input.below(5) {
        // Now and then so much that the proxy looks whether somebody still waits for it.
        let len = if input.chance(2) { 40 << 10 } else { input.below(80) };
        encoder.text_row(
            columns
                .iter()
                .map(|_| Some(vec![b'r'; len]))
                .collect::<Vec<_>>()
                .iter()
                .map(|cell| cell.as_deref()),
        );
    }
    if input.chance(16) {
        encoder.fail(&ErrPacket { code: 1317, sqlstate: Some(*b"70100"), message: b"cut" });
    } else {
        encoder.finish(status, 0);
    }
    packets
}

/// The answer to an execution that opens a cursor: columns, and no rows.
pub fn cursor(capabilities: Capabilities) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let column = ColumnDefinition::named(b"a", ColumnType::VAR_STRING);
    let status = StatusFlags::AUTOCOMMIT | StatusFlags::CURSOR_EXISTS;
    let sink = |payload: &[u8]| packets.push(payload.to_vec());
    let encoder = ResultSetEncoder::begin(&[column], capabilities, status, sink);
    if capabilities.contains(Capabilities::DEPRECATE_EOF) {
        encoder.finish(status, 0);
    }
    packets
}

pub fn fetched(capabilities: Capabilities, input: &mut Choices<'_>) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let sink = |payload: &[u8]| packets.push(payload.to_vec());
    let mut encoder = ResultSetEncoder::of_cursor(capabilities, sink);
    for _ in 0..input.below(3) {
        encoder.raw_row(b"\0\0\x01r");
    }
    encoder.finish(StatusFlags::AUTOCOMMIT | StatusFlags::CURSOR_EXISTS, 0);
    packets
}

/// Definitions without a count, then EOF.
pub fn fields(capabilities: Capabilities, input: &mut Choices<'_>) -> Vec<Vec<u8>> {
    let mut packets = definitions(capabilities, input.below(3));
    packets.push(eof(StatusFlags::AUTOCOMMIT));
    packets
}

pub fn prepared(
    statement_id: u32,
    capabilities: Capabilities,
    input: &mut Choices<'_>,
) -> Vec<Vec<u8>> {
    let (params, columns) = (input.below(3), input.below(3));
    let count = |n: usize| u16::try_from(n).unwrap();
    let ok =
        PrepareOk { statement_id, columns: count(columns), params: count(params), warnings: 0 };
    let mut packets = vec![ok.encode()];
    for n in [params, columns] {
        packets.extend(definitions(capabilities, n));
        if n > 0 && !capabilities.contains(Capabilities::DEPRECATE_EOF) {
            packets.push(eof(StatusFlags::AUTOCOMMIT));
        }
    }
    packets
}

fn definitions(capabilities: Capabilities, n: usize) -> Vec<Vec<u8>> {
    let column = ColumnDefinition::named(b"p", ColumnType::VAR_STRING);
    let mut definition = Vec::new();
    column.encode(&mut definition, capabilities);
    vec![definition; n]
}

pub fn eof(status: StatusFlags) -> Vec<u8> {
    EofPacket { warnings: 0, status }.encode()
}

/// An execution of statement 1, without a cursor and without parameters.
pub const EXECUTE: &[u8] = b"\x17\x01\0\0\0\0\x01\0\0\0";
/// What is prepared. Clients mark theirs.
pub const STATEMENT: &[u8] = b"SELECT ?";

/// A command as clients send it and scripts queue it, with what it is about if that matters.
pub fn command(capabilities: Capabilities, input: &mut Choices<'_>) -> Vec<u8> {
    const TEXTS: [&[u8]; 4] = [b"SELECT 1", b"USE x", b"LOAD DATA LOCAL INFILE 'f'", b""];
    let with = |command: Command, rest: &[u8]| [&[command.0], rest].concat();
    match input.byte() {
        0..=99 => {
            let text = *input.pick(&TEXTS);
            with(Command::QUERY, text)
        }
        100..=109 => with(Command::PING, b""),
        110..=119 => with(Command::INIT_DB, b"y"),
        120..=129 => with(Command::STMT_PREPARE, STATEMENT),
        130..=145 => {
            let flags = u8::from(input.chance(128));
            let mut execution = EXECUTE.to_vec();
            execution[5] = flags;
            execution
        }
        146..=155 => with(Command::STMT_FETCH, b"\x01\0\0\0\x02\0\0\0"),
        156..=169 => with(Command::STMT_CLOSE, b"\x01\0\0\0"),
        170..=179 => with(Command::STMT_SEND_LONG_DATA, b"\x01\0\0\0\0\0data"),
        180..=183 => with(Command::STMT_RESET, b"\x01\0\0\0"),
        184..=205 => change_user(capabilities, input),
        206..=211 => with(Command::FIELD_LIST, b"t\0"),
        212..=215 => with(Command::STATISTICS, b""),
        216..=219 => with(Command::PROCESS_INFO, b""),
        220..=223 => with(Command::RESET_CONNECTION, b""),
        224..=227 => with(Command::STMT_BULK_EXECUTE, b"\x01\0\0\0\0\0"),
        228..=231 => with(Command::SET_OPTION, b"\0\0"),
        232..=236 => with(Command::BINLOG_DUMP, b"\x04\0\0\0\0\0\x01\0\0\0f"),
        237..=242 => with(Command::QUIT, b""),
        243 => with(Command::CHANGE_USER, b""),
        _ => {
            let mut any = vec![input.byte()];
            any.extend(input.garbage(12));
            any
        }
    }
}

/// A command as scripts queue it. Where they track sessions they let none begin anew, and close no statement: the client would know
/// nothing of it.
pub fn command_of_script(
    capabilities: Capabilities,
    shared: &Shared,
    input: &mut Choices<'_>,
) -> Vec<u8> {
    let command = command(capabilities, input);
    let ends = [Command::RESET_CONNECTION.0, Command::STMT_CLOSE.0];
    let ends = command.first().is_some_and(|byte| ends.contains(byte));
    if ends && shared.tracks_sessions() { vec![Command::PING.0] } else { command }
}

/// A command as a client sends it: with attributes, if that was agreed on.
pub fn command_with_attributes(capabilities: Capabilities, input: &mut Choices<'_>) -> Vec<u8> {
    const NAMED: &[u8] = b"\x01\x01\0\x01\xfd\0\x01n\x01v";
    let command = command(capabilities, input);
    match command.split_first() {
        Some((byte, text))
            if *byte == Command::QUERY.0
                && capabilities.contains(Capabilities::QUERY_ATTRIBUTES) =>
        {
            let block = match input.byte() {
                0..=199 => NONE.to_vec(),
                200..=249 => NAMED.to_vec(),
                _ => input.garbage(12),
            };
            [&[*byte], &block[..], text].concat()
        }
        _ => command,
    }
}

fn change_user(capabilities: Capabilities, input: &mut Choices<'_>) -> Vec<u8> {
    let change = ChangeUser {
        username: input.pick(&USERS).to_vec(),
        auth_response: vec![b'c'; 20],
        database: input.pick(&DATABASES).to_vec(),
        charset: Some(45),
        auth_plugin: Some(input.pick(&METHODS).to_vec()),
        attributes: None,
    };
    change.encode(capabilities).unwrap()
}

/// The method that a login or a COM_CHANGE_USER names.
pub fn method_named(payload: &[u8], capabilities: Capabilities) -> Option<Vec<u8>> {
    if let Ok(change) = ChangeUser::parse(payload, capabilities) {
        return change.auth_plugin;
    }
    Login::parse(payload).ok()?.auth_plugin
}

/// Whether this is what the proxy tells a server before a command, several at once.
pub fn prepares(payload: &[u8]) -> bool {
    let Some((command, text)) = payload.split_first() else { return false };
    match Command(*command) {
        Command::RESET_CONNECTION | Command::INIT_DB | Command::STMT_PREPARE => true,
        Command::QUERY => is_told(text) || cells_asked_for(text).is_some(),
        _ => false,
    }
}

fn says(payload: &[u8], text: &[u8]) -> bool {
    payload.windows(text.len()).any(|part| part == text)
}

fn is_told(payload: &[u8]) -> bool {
    says(payload, b"SET SESSION") || says(payload, b"SET ROLE")
}

/// How many columns the answer to a question of the proxy has.
pub fn cells_asked_for(payload: &[u8]) -> Option<usize> {
    if says(payload, b"@@global.session_track") {
        Some(4)
    } else {
        says(payload, b"information_schema.COLLATIONS").then_some(2)
    }
}

/// The answer to a question of the proxy.
pub fn one_row(cells: usize, capabilities: Capabilities) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let columns = vec![ColumnDefinition::named(b"a", ColumnType::VAR_STRING); cells];
    let sink = |payload: &[u8]| packets.push(payload.to_vec());
    let mut encoder =
        ResultSetEncoder::begin(&columns, capabilities, StatusFlags::AUTOCOMMIT, sink);
    encoder.text_row((0..cells).map(|_| Some(&b"utf8mb4"[..])));
    encoder.finish(StatusFlags::AUTOCOMMIT, 0);
    packets
}

/// A request for a local file.
pub fn file_request() -> Vec<u8> {
    let mut request = Vec::new();
    let mut w = Writer::new(&mut request);
    w.u8(0xfb);
    w.bytes(b"f");
    request
}
