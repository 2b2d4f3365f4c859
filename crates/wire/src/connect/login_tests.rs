//! Golden bytes of [`Login`]: the forms of auth data, short packets, masking.

use super::*;

/// The fixed part with these capability words, 16 MiB packets, collation 33.
fn fixed(classic: u32, extended: u32) -> Vec<u8> {
    let mut out = classic.to_le_bytes().to_vec();
    out.extend_from_slice(&[0, 0, 0, 1, 33]);
    out.extend_from_slice(&[0; FILLER]);
    out.extend_from_slice(&extended.to_le_bytes());
    out
}

fn login(classic: u32, extended: u32, tail: &[u8]) -> Vec<u8> {
    [fixed(classic, extended), tail.to_vec()].concat()
}

/// PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, LONG_PASSWORD.
const BASE: u32 = 0x0008_8201;
const WITH_DB: u32 = 0x08;
const ATTRS: u32 = 0x0010_0000;
const LENENC: u32 = 0x0020_0000;
const ZSTD: u32 = 0x0400_0000;

#[test]
fn full_login_both_ways() {
    let golden = login(
        BASE | WITH_DB | ATTRS | ZSTD,
        0,
        b"root\0\x14RRRRRRRRRRRRRRRRRRRRworld\0mysql_native_password\0\x08\x04_pid\x0242\x03",
    );
    let l = Login::parse(&golden).unwrap();
    assert_eq!((l.max_packet_size, l.charset), (0x100_0000, 33));
    assert_eq!(l.username, b"root");
    assert_eq!(l.auth_response, [b'R'; 20]);
    assert_eq!(l.database.as_deref(), Some(&b"world"[..]));
    assert_eq!(l.auth_plugin.as_deref(), Some(&b"mysql_native_password"[..]));
    assert_eq!(l.attributes().next(), Some(Ok((&b"_pid"[..], &b"42"[..]))));
    assert_eq!(l.zstd_level, Some(3));
    assert_eq!(l.encode().unwrap(), golden);
}

#[test]
fn auth_data_takes_the_clients_form() {
    let long = [vec![0xfc, 0x2c, 0x01], vec![b'T'; 300]].concat();
    let lenenc = login(BASE | LENENC, 0, &[b"u\0", &long[..], b"m\0"].concat());
    let l = Login::parse(&lenenc).unwrap();
    assert_eq!(l.auth_response, [b'T'; 300]);
    assert_eq!(l.encode().unwrap(), lenenc);

    let mut byte = l.clone();
    byte.capabilities.remove(Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA);
    let error = WireError::TooLong { field: "auth data", len: 300, max: 255 };
    assert_eq!(byte.encode(), Err(error));

    let nul = login(0x0200, 0, b"root\0oldpw\0");
    let l = Login::parse(&nul).unwrap();
    assert_eq!(l.auth_response, b"oldpw");
    assert_eq!(l.encode().unwrap(), nul);
}

#[test]
fn fields_may_be_missing_at_the_end() {
    let l = Login::parse(&login(BASE | WITH_DB | ATTRS | ZSTD, 0, b"root\0\0")).unwrap();
    assert_eq!(l.database, None);
    assert_eq!((l.auth_plugin, l.attributes, l.zstd_level), (None, None, None));
    let l = Login::parse(&login(BASE | WITH_DB, 0, b"root\0\0world")).unwrap();
    assert_eq!(l.database.as_deref(), Some(&b"world"[..]));
}

#[test]
fn extended_capabilities_need_a_clear_bit_0() {
    let l = Login::parse(&login(BASE & !1, 0x1d, b"root\0\0m\0")).unwrap();
    assert!(l.capabilities.contains(Capabilities::MARIADB_CACHE_METADATA));
    let l = Login::parse(&login(BASE, 0x1d, b"root\0\0m\0")).unwrap();
    assert!(!l.capabilities.intersects(Capabilities::MARIADB_EXTENDED));
}

#[test]
fn kinds() {
    assert_eq!(LoginKind::classify(&fixed(BASE | 0x800, 0)), Ok(LoginKind::Ssl));
    assert_eq!(LoginKind::classify(b"\x01\x00\x00\x00\x01root\0QQQQQQQQ"), Ok(LoginKind::Pre41));
    let payload = login(BASE, 0, b"root\0\0m\0");
    assert_eq!(LoginKind::classify(&payload), Ok(LoginKind::V41(Login::parse(&payload).unwrap())));
    let with_ssl_bit = login(BASE | 0x800, 0, b"root\0\0m\0");
    assert!(matches!(LoginKind::classify(&with_ssl_bit), Ok(LoginKind::V41(_))));
    assert!(LoginKind::classify(&fixed(BASE, 0)).is_err());
    assert!(LoginKind::classify(b"\x00").is_err());
    assert_eq!(Login::parse(b"\x01\x00\x00\x00\x01root\0"), Err(WireError::Pre41));
}

#[test]
fn truncated_logins_are_refused() {
    let golden = login(BASE, 0, b"root\0\x14RRRRRRRRRRRRRRRRRRRR");
    assert!(Login::parse(&golden).is_ok());
    for end in 0..golden.len() {
        assert!(Login::parse(&golden[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn encode_refuses_nul_in_strings() {
    let mut l = Login::parse(&login(BASE, 0, b"root\0\0m\0")).unwrap();
    l.username = b"ro\0ot".to_vec();
    assert_eq!(l.encode(), Err(WireError::EmbeddedNul { field: "user name" }));
}

#[test]
fn mask_clears_bits_and_the_level_byte() {
    let tail = b"root\0\0db\0m\0\x00\x03";
    // COMPRESS, SSL and ZSTD in the classic word, all extended bits but those of
    // extended metadata, bulk operations and their units.
    let unsupported = 0x0820 | ZSTD;
    let mut payload = login(BASE & !1 | WITH_DB | ATTRS | unsupported, 0xffff_ffff, tail);
    Login::mask(&mut payload, Capabilities::UNSUPPORTED).unwrap();
    assert_eq!(payload, login(BASE & !1 | WITH_DB | ATTRS, 44, &tail[..tail.len() - 1]));
}

#[test]
fn another_login_takes_the_extended_set_of_the_client() {
    let tail = b"root\0\0m\0";
    let extended = Capabilities::MARIADB_EXTENDED_METADATA;
    let copied = |bits, word, client| {
        let mut payload = login(bits, word, tail);
        Login::copy_form(&mut payload, client).unwrap();
        payload
    };
    assert_eq!(copied(BASE, 0, extended), login(BASE & !1, 8, tail));
    assert_eq!(copied(BASE & !1, 0xff, extended | Capabilities::SSL), login(BASE & !1, 8, tail));
    assert_eq!(copied(BASE & !1, 8, Capabilities::empty()), login(BASE & !1, 0, tail));
    let filler = copied(BASE, 0xdead_beef, Capabilities::empty());
    assert_eq!(filler, login(BASE, 0xdead_beef, tail), "with the bit set it is filler");
    assert!(Login::copy_form(&mut [], extended).is_err());
}

#[test]
fn another_login_takes_the_form_of_packets_of_the_client() {
    const EOF: u32 = 1 << 24;
    const ATTRIBUTES: u32 = 1 << 27;
    let tail = b"root\0\0m\0";
    for (bits, client, copied) in [
        (BASE, Capabilities::DEPRECATE_EOF, BASE | EOF),
        (BASE | EOF, Capabilities::empty(), BASE),
        (BASE | EOF, Capabilities::QUERY_ATTRIBUTES, BASE | ATTRIBUTES),
        (BASE | ATTRIBUTES, Capabilities::empty(), BASE),
        (BASE | EOF, Capabilities::DEPRECATE_EOF | Capabilities::SSL, BASE | EOF),
    ] {
        let mut payload = login(bits, 0, tail);
        Login::copy_form(&mut payload, client).unwrap();
        assert_eq!(payload, login(copied, 0, tail));
    }
}

#[test]
fn mask_spares_what_is_filler() {
    let mut payload = login(BASE | 0x20, 0xdead_beef, b"root\0\0m\0");
    Login::mask(&mut payload, Capabilities::UNSUPPORTED).unwrap();
    assert_eq!(payload, login(BASE, 0xdead_beef, b"root\0\0m\0"));
}

#[test]
fn mask_refuses_layout_bits_and_broken_logins() {
    let mut payload = login(BASE, 0, b"root\0\0m\0");
    let layout = WireError::LayoutBits(Capabilities::CONNECT_ATTRS.bits());
    assert_eq!(Login::mask(&mut payload, Capabilities::CONNECT_ATTRS), Err(layout));
    assert!(Login::mask(&mut Vec::new(), Capabilities::UNSUPPORTED).is_err());
}

#[test]
fn a_request_for_tls_is_the_start_of_the_login() {
    let payload = login(BASE, 0xaabb_ccdd, b"root\0\0m\0");
    let request = Login::tls_request(&payload).unwrap();
    assert_eq!(request, fixed(BASE | 0x800, 0xaabb_ccdd));
    assert_eq!(LoginKind::classify(&request), Ok(LoginKind::Ssl));
    assert_eq!(Login::tls_request(&payload[..31]), None);
}

#[test]
fn a_login_obeys_its_request_for_tls() {
    let mut payload = login(BASE, 0x1d, b"root\0\0m\0");
    Login::obey_request(&mut payload, &fixed(BASE | 0x800 | WITH_DB, 0xffff_ffff));
    assert_eq!(payload, login(BASE | 0x800 | WITH_DB, 0x1d, b"root\0\0m\0"), "filler stays");
    Login::obey_request(&mut payload, &fixed(BASE & !1, 0x04));
    assert_eq!(payload, login(BASE & !1, 0x04, b"root\0\0m\0"));
    Login::obey_request(&mut payload, b"short");
}

#[test]
fn asking_sets_what_has_no_field_of_its_own() {
    let mut payload = login(BASE, 0, b"root\0\0m\0");
    Login::ask(&mut payload, Capabilities::all());
    assert_eq!(payload, login(BASE | 0x0180_0820, 0, b"root\0\0m\0"));
}
