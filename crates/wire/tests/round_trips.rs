//! Properties: what is encoded decodes to itself, and no input makes a decoder panic.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use wire::connect::{Attributes, AuthReply, AuthSwitch, ChangeUser, Handshake, Login, LoginKind};
use wire::reply::{EofPacket, ErrPacket, OkPacket, PrepareOk, StatusFlags};
use wire::result::{ColumnDefinition, ColumnFlags, ColumnType, TextRow, encode_text_row};
use wire::{Capabilities, Header, packet};

/// Bytes that may be sent NUL-terminated.
fn text() -> impl Strategy<Value = Vec<u8>> {
    vec(1..=255_u8, 0..40)
}

/// Bytes around the lengths where the length prefix grows.
fn blob() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..20),
        vec(any::<u8>(), 248..258),
        (65_533..65_540_usize).prop_map(|len| vec![7; len]),
    ]
}

/// Arbitrary bytes that often start like a packet.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let start = prop_oneof![
        Just(vec![]),
        Just(b"\x0a8.0\0".to_vec()),
        Just(vec![0x00, 0xfe]),
        Just(vec![0xff, 0x15, 0x04, b'#']),
        Just(vec![0x11]),
        Just(b"\x03def".to_vec()),
        // A login: PROTOCOL_41, LENENC auth data, attributes, database, plugin.
        Just([&[0x08, 0x82, 0x38, 0x04][..], &[0; 28], b"u\0"].concat()),
    ];
    (start, vec(any::<u8>(), 0..200)).prop_map(|(start, rest)| [start, rest].concat())
}

/// Any status, known bits or not.
fn status() -> impl Strategy<Value = StatusFlags> {
    any::<u16>().prop_map(StatusFlags::from_bits_retain)
}

prop_compose! {
    fn handshake()(
        server_version in text(),
        thread_id: u32,
        secret in vec(any::<u8>(), 21..=255),
        caps: u64,
        charset: u8,
        status in status(),
        plugin in text(),
    ) -> Handshake {
        let mut capabilities = Capabilities::from_bits_retain(caps);
        if capabilities.contains(Capabilities::LONG_PASSWORD) {
            capabilities.remove(Capabilities::MARIADB_EXTENDED);
        }
        let plugins = capabilities.contains(Capabilities::PLUGIN_AUTH);
        // Without plugins the length of the scramble is not sent: 20 bytes and a NUL.
        let scramble = if plugins {
            secret
        } else if capabilities.contains(Capabilities::SECURE_CONNECTION) {
            secret[..21].to_vec()
        } else {
            secret[..8].to_vec()
        };
        Handshake {
            protocol_version: 10,
            server_version,
            thread_id,
            scramble,
            capabilities,
            charset,
            status,
            auth_plugin: plugins.then_some(plugin),
        }
    }
}

prop_compose! {
    fn login()(
        caps: u64,
        max_packet_size: u32,
        charset: u8,
        username in text(),
        auth in vec(1..=255_u8, 0..=255),
        database in option::of(text()),
        auth_plugin in option::of(text()),
        attributes in option::of(blob()),
        zstd_level: Option<u8>,
    ) -> Login {
        let mut capabilities = Capabilities::from_bits_retain(caps) | Capabilities::PROTOCOL_41;
        if capabilities.contains(Capabilities::LONG_PASSWORD) {
            capabilities.remove(Capabilities::MARIADB_EXTENDED);
        }
        capabilities.set(Capabilities::CONNECT_WITH_DB, database.is_some());
        capabilities.set(Capabilities::PLUGIN_AUTH, auth_plugin.is_some());
        capabilities.set(Capabilities::CONNECT_ATTRS, attributes.is_some());
        capabilities.set(Capabilities::ZSTD_COMPRESSION, zstd_level.is_some());
        Login {
            capabilities,
            max_packet_size,
            charset,
            username,
            auth_response: auth,
            database,
            auth_plugin,
            attributes,
            zstd_level,
        }
    }
}

proptest! {
    #[test]
    fn handshakes(h in handshake()) {
        prop_assert_eq!(Handshake::parse(&h.encode().unwrap()).unwrap(), h);
    }

    #[test]
    fn masked_handshakes_differ_in_capabilities_only(h in handshake()) {
        let mut payload = h.encode().unwrap();
        let len = payload.len();
        Handshake::mask(&mut payload, Capabilities::UNSUPPORTED).unwrap();
        let capabilities = h.capabilities.difference(Capabilities::UNSUPPORTED);
        prop_assert_eq!(payload.len(), len);
        prop_assert_eq!(Handshake::parse(&payload).unwrap(), Handshake { capabilities, ..h });
    }

    #[test]
    fn logins(l in login()) {
        let payload = l.encode().unwrap();
        prop_assert_eq!(LoginKind::classify(&payload).unwrap(), LoginKind::V41(l));
    }

    #[test]
    fn masked_logins_differ_in_capabilities_only(l in login()) {
        let mut payload = l.encode().unwrap();
        Login::mask(&mut payload, Capabilities::UNSUPPORTED).unwrap();
        let capabilities = l.capabilities.difference(Capabilities::UNSUPPORTED);
        let want = Login { capabilities, zstd_level: None, ..l };
        prop_assert_eq!(&payload, &want.encode().unwrap());
        prop_assert_eq!(Login::parse(&payload).unwrap(), want);
    }

    #[test]
    fn change_users(
        username in text(),
        auth_response in vec(1..=255_u8, 0..=249),
        database in text(),
        charset: u16,
        auth_plugin in text(),
        attributes in blob(),
        caps: u64,
    ) {
        let caps = Capabilities::from_bits_retain(caps);
        let change = ChangeUser {
            username,
            auth_response,
            database,
            charset: Some(charset),
            auth_plugin: caps.contains(Capabilities::PLUGIN_AUTH).then_some(auth_plugin),
            attributes: caps.contains(Capabilities::CONNECT_ATTRS).then_some(attributes),
        };
        prop_assert_eq!(ChangeUser::parse(&change.encode(caps).unwrap(), caps).unwrap(), change);
    }

    #[test]
    fn auth_switches(plugin in text(), data in blob()) {
        let switch = AuthSwitch { plugin, data };
        prop_assert_eq!(AuthSwitch::parse(&switch.encode().unwrap()).unwrap(), switch);
    }

    #[test]
    fn oks(
        affected_rows: u64,
        insert_id: u64,
        status in status(),
        warnings: u16,
        info in blob(),
        state in option::of(blob()),
        track: bool,
    ) {
        let mut caps = Capabilities::DEPRECATE_EOF;
        caps.set(Capabilities::SESSION_TRACK, track);
        let session_state = state.as_deref().filter(|_| track);
        let status = match session_state {
            Some(_) => status | StatusFlags::SESSION_STATE_CHANGED,
            None => status & !StatusFlags::SESSION_STATE_CHANGED,
        };
        let info = &info;
        let ok = OkPacket { affected_rows, insert_id, status, warnings, info, session_state };
        for payload in [ok.encode(caps), ok.encode_as_eof(caps)] {
            prop_assert_eq!(OkPacket::parse(&payload, caps).unwrap(), ok);
        }
    }

    #[test]
    fn errs(code: u16, state: [u8; 5], message in blob()) {
        let err = ErrPacket { code, sqlstate: Some(state), message: &message };
        let payload = err.encode();
        prop_assert_eq!(ErrPacket::parse(&payload).unwrap(), err);
    }

    #[test]
    fn eofs_and_prepare_oks(
        warnings: u16,
        status in status(),
        statement_id: u32,
        columns: u16,
        params: u16,
    ) {
        let eof = EofPacket { warnings, status };
        prop_assert_eq!(EofPacket::parse(&eof.encode()).unwrap(), eof);
        let ok = PrepareOk { statement_id, columns, params, warnings };
        prop_assert_eq!(PrepareOk::parse(&ok.encode()).unwrap(), ok);
    }

    #[test]
    fn columns(
        names in vec(blob(), 7),
        charset: u16,
        length: u32,
        kind: u8,
        flags: u16,
        decimals: u8,
    ) {
        let column = ColumnDefinition {
            catalog: &names[0],
            database: &names[1],
            table: &names[2],
            org_table: &names[3],
            name: &names[4],
            org_name: &names[5],
            extended: &names[6],
            charset,
            length,
            column_type: ColumnType(kind),
            flags: ColumnFlags::from_bits_retain(flags),
            decimals,
        };
        let mut payload = Vec::new();
        let extended = Capabilities::MARIADB_EXTENDED_METADATA;
        column.encode(&mut payload, extended);
        prop_assert_eq!(ColumnDefinition::parse(&payload, extended).unwrap(), column);
        payload.clear();
        column.encode(&mut payload, Capabilities::empty());
        let plain = ColumnDefinition { extended: b"", ..column };
        prop_assert_eq!(ColumnDefinition::parse(&payload, Capabilities::empty()).unwrap(), plain);
    }

    #[test]
    fn text_rows(cells in vec(option::of(blob()), 0..12)) {
        let mut payload = Vec::new();
        encode_text_row(&mut payload, cells.iter().map(Option::as_deref));
        let read: Result<Vec<_>, _> = TextRow::new(&payload).collect();
        let want: Vec<_> = cells.iter().map(Option::as_deref).collect();
        prop_assert_eq!(read, Ok(want));
    }

    #[test]
    fn frames(payloads in vec(blob(), 0..5), first_id: u8) {
        let mut framed = Vec::new();
        let mut id = first_id;
        for payload in &payloads {
            id = packet::frame(payload, id, &mut framed);
        }
        let ids: Vec<_> = packet::packets(&framed).map(|p| p.unwrap().0.id).collect();
        let want: Vec<_> = (0..5).map(|i| first_id.wrapping_add(i)).take(payloads.len()).collect();
        prop_assert_eq!(ids, want);
        prop_assert_eq!(packet::join(&framed).unwrap(), payloads);
    }

    #[test]
    fn no_input_makes_a_decoder_panic(bytes in hostile(), caps: u64) {
        let caps = Capabilities::from_bits_retain(caps);
        let mut copy = bytes.clone();
        // Only a panic fails here; what the decoders return is checked elsewhere.
        let _ = Handshake::mask(&mut copy, Capabilities::UNSUPPORTED);
        let _ = Login::mask(&mut copy, Capabilities::UNSUPPORTED);
        let _ = Handshake::parse(&bytes).map(|h| (h.version_id(), h.encode()));
        let _ = LoginKind::classify(&bytes);
        let _ = Login::parse(&bytes).map(|l| (l.attributes().count(), l.encode()));
        let _ = ChangeUser::parse(&bytes, caps).map(|c| (c.attributes().count(), c.encode(caps)));
        let _ = AuthSwitch::parse(&bytes);
        let _ = AuthReply::classify(&bytes);
        let _ = OkPacket::parse(&bytes, caps).map(|ok| (ok.schema_change(), ok.encode(caps)));
        let _ = ErrPacket::parse(&bytes);
        let _ = EofPacket::parse(&bytes);
        let _ = PrepareOk::parse(&bytes);
        let _ = ColumnDefinition::parse(&bytes, caps);
        let _ = Header::parse(&bytes);
        let _ = packet::join(&bytes);
        let _ = TextRow::new(&bytes).count();
        let _ = Attributes::new(&bytes).count();
    }

    #[test]
    fn a_mask_leaves_nothing_unsupported(bytes in hostile()) {
        let mut copy = bytes.clone();
        if Handshake::mask(&mut copy, Capabilities::UNSUPPORTED).is_ok() {
            let offered = Handshake::parse(&copy).unwrap().capabilities;
            prop_assert!(!offered.intersects(Capabilities::UNSUPPORTED));
        } else {
            prop_assert_eq!(&copy, &bytes);
        }
        let mut copy = bytes.clone();
        if Login::mask(&mut copy, Capabilities::UNSUPPORTED).is_ok() {
            let wanted = Login::parse(&copy).unwrap().capabilities;
            prop_assert!(!wanted.intersects(Capabilities::UNSUPPORTED));
        } else {
            prop_assert_eq!(&copy, &bytes);
        }
    }
}
