//! Golden bytes of [`Handshake`]: a MariaDB 10.11, a MySQL 8.0, and what odd servers send.

use super::*;

const MARIADB: &[u8] = b"\x0a5.5.5-10.11.19-MariaDB-0+deb12u1\0\x01\x02\x03\x0401234567\0\
    \xfe\xf7\x08\x02\0\xff\x81\x15\0\0\0\0\0\0\x1d\0\0\089012345\
6789\0mysql_native_password\0";
const MYSQL: &[u8] = b"\x0a8.0.36\0\x01\x02\x03\x0401234567\0\xff\xff\x08\x02\0\xff\xdf\x15\
    \0\0\0\0\0\0\0\0\0\0890123456789\0caching_sha2_password\0";

fn greeting(version: &[u8]) -> Vec<u8> {
    let mut handshake = Handshake::parse(MYSQL).unwrap();
    handshake.server_version = version.to_vec();
    handshake.encode().unwrap()
}

#[test]
fn mariadb_both_ways() {
    let h = Handshake::parse(MARIADB).unwrap();
    assert_eq!(h.server_version, b"5.5.5-10.11.19-MariaDB-0+deb12u1");
    assert_eq!(h.thread_id, 0x0403_0201);
    assert_eq!(h.scramble, b"01234567890123456789\0");
    assert_eq!(h.scramble20(), b"01234567890123456789");
    assert_eq!(h.capabilities.bits(), 0x1d_81ff_f7fe);
    assert_eq!((h.charset, h.status.bits()), (8, 2));
    assert_eq!(h.auth_plugin.as_deref(), Some(&b"mysql_native_password"[..]));
    assert_eq!(h.encode().unwrap(), MARIADB);
}

#[test]
fn mysql_both_ways() {
    let h = Handshake::parse(MYSQL).unwrap();
    assert_eq!(h.capabilities.bits(), 0xdfff_ffff);
    assert_eq!(h.encode().unwrap(), MYSQL);
}

#[test]
fn any_version_text_is_accepted() {
    let cases: [(&[u8], Option<u32>); 11] = [
        (b"5.5.5-10.11.2-MariaDB", Some(50505)),
        (b"11.4.2-MariaDB", Some(110_402)),
        (b"8.0.36", Some(80036)),
        (b"5.7", Some(50700)),
        (b"5.7.x", Some(50700)),
        (b"5.7.101", Some(50801)),
        (b"5.", None),
        (b"8", None),
        (b"abc", None),
        (b"", None),
        (b"99999999999.1.1", None),
    ];
    for (version, id) in cases {
        let h = Handshake::parse(&greeting(version)).unwrap();
        assert_eq!(h.server_version, version);
        assert_eq!(h.version_id(), id, "{}", version.escape_ascii());
    }
}

#[test]
fn short_old_forms() {
    let upto = |needle: &[u8]| {
        let at = MYSQL.windows(needle.len()).position(|w| w == needle).unwrap();
        &MYSQL[..at + needle.len()]
    };
    let part_1 = Handshake::parse(upto(b"01234567")).unwrap();
    assert_eq!(part_1.scramble, b"01234567");
    assert_eq!(part_1.capabilities, Capabilities::empty());
    let low = Handshake::parse(upto(b"01234567\0\xff\xff")).unwrap();
    assert_eq!(low.capabilities.bits(), 0xffff);
    assert_eq!(low.auth_plugin, None);
}

#[test]
fn odd_lengths_of_the_scramble() {
    let at = MYSQL.iter().position(|&b| b == 0x15).unwrap();
    for odd in [0, 4, 8, 20, 255] {
        let mut payload = MYSQL.to_vec();
        payload[at] = odd;
        let h = Handshake::parse(&payload).unwrap();
        assert_eq!(h.scramble, b"01234567890123456789\0", "{odd}");
        assert_eq!(h.auth_plugin.as_deref(), Some(&b"caching_sha2_password"[..]), "{odd}");
        assert!(h.encode().is_ok());
    }
    let mut long = Handshake::parse(MYSQL).unwrap();
    long.scramble = vec![b'x'; 255];
    assert_eq!(Handshake::parse(&long.encode().unwrap()).unwrap(), long);
}

#[test]
fn without_plugins_the_length_is_filler() {
    let mut h = Handshake::parse(MYSQL).unwrap();
    h.capabilities.remove(Capabilities::PLUGIN_AUTH);
    h.auth_plugin = None;
    let mut payload = h.encode().unwrap();
    let length_at = payload.len() - PART_2_MIN - 4 - RESERVED - 1;
    assert_eq!(payload[length_at], 0);
    payload[length_at] = 30;
    payload.extend_from_slice(b"more bytes than the length announces");
    assert_eq!(Handshake::parse(&payload).unwrap(), h);
    h.scramble = vec![b'x'; 40];
    assert_eq!(Handshake::parse(&h.encode().unwrap()).unwrap().scramble, [b'x'; 21]);
}

#[test]
fn a_method_without_nul_is_accepted() {
    let h = Handshake::parse(&MARIADB[..MARIADB.len() - 1]).unwrap();
    assert_eq!(h.auth_plugin.as_deref(), Some(&b"mysql_native_password"[..]));
}

#[test]
fn refuses_what_is_no_greeting() {
    assert_eq!(Handshake::parse(b"\x095.0"), Err(WireError::ProtocolVersion(9)));
    assert_eq!(Handshake::parse(b"\xff\x15\x04Too many"), Err(WireError::ProtocolVersion(255)));
    assert_eq!(Handshake::parse(b"\x0a5.0.24"), Err(WireError::MissingNul));
    assert!(Handshake::parse(b"").is_err());
    let mut h = Handshake::parse(MYSQL).unwrap();
    h.server_version = b"8\0".to_vec();
    assert_eq!(h.encode(), Err(WireError::EmbeddedNul { field: "server version" }));
}

fn changed(before: &[u8], after: &[u8]) -> Vec<usize> {
    assert_eq!(before.len(), after.len());
    (0..before.len()).filter(|&i| before[i] != after[i]).collect()
}

#[test]
fn mask_clears_bits_and_nothing_else() {
    for golden in [MARIADB, MYSQL] {
        let mut masked = golden.to_vec();
        Handshake::mask(&mut masked, Capabilities::UNSUPPORTED).unwrap();
        let mut want = Handshake::parse(golden).unwrap();
        want.capabilities.remove(Capabilities::UNSUPPORTED);
        assert_eq!(Handshake::parse(&masked).unwrap(), want);
        assert_eq!(want.encode().unwrap(), masked);
    }
}

#[test]
fn mask_spares_the_filler_of_a_mysql_server() {
    let mut payload = MYSQL.to_vec();
    let filler = payload.iter().position(|&b| b == 0x15).unwrap() + 1;
    payload[filler + 6..filler + 10].copy_from_slice(b"\x01\x02\x03\x04");
    let before = payload.clone();
    Handshake::mask(&mut payload, Capabilities::UNSUPPORTED).unwrap();
    assert!(changed(&before, &payload).iter().all(|&at| at < filler));
}

#[test]
fn mask_of_short_and_broken_payloads() {
    let mut short = b"\x0a4.1\0\x01\0\0\0ABCDEFGH\0\xff\xff".to_vec();
    Handshake::mask(&mut short, Capabilities::UNSUPPORTED).unwrap();
    assert_eq!(short, b"\x0a4.1\0\x01\0\0\0ABCDEFGH\0\xdf\xf7");
    assert!(Handshake::mask(&mut [], Capabilities::UNSUPPORTED).is_err());
    let layout = WireError::LayoutBits(Capabilities::PLUGIN_AUTH.bits());
    assert_eq!(Handshake::mask(&mut MYSQL.to_vec(), Capabilities::PLUGIN_AUTH), Err(layout));
}
