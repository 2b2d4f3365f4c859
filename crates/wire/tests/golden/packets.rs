//! Handshake, login and generic answers.

use wire::Capabilities;
use wire::connect::{Handshake, Login, LoginKind};
use wire::reply::{EofPacket, ErrPacket, OkPacket, PrepareOk, StatusFlags};

use crate::case::{agreed, cases, text};

#[test]
fn decode_err() {
    for case in cases("mysql.proto.from_err_packet") {
        let packet = case.packet();
        match packet.as_slice() {
            // The message is not cut at a NUL.
            b"\xff\x15\x04#28000a\0b" => {
                assert_eq!(ErrPacket::parse(&packet).unwrap().message, b"a\0b");
            }
            // The form before 4.1 is read too.
            b"\xff\x15\x0428000denied" => {
                let err = ErrPacket::parse(&packet).unwrap();
                assert_eq!((err.sqlstate, err.message), (None, &b"28000denied"[..]));
            }
            _ => {
                let Some(err) = agreed(&case, ErrPacket::parse(&packet)) else { continue };
                assert_eq!(i64::from(err.code), case.number("errcode"), "line {}", case.line);
                assert_eq!(err.message, case.text("errmsg").unwrap_or_default());
                assert_eq!(err.sqlstate.unwrap().to_vec(), case.text("sqlstate").unwrap());
                assert_eq!(err.encode(), packet);
            }
        }
    }
}

#[test]
fn encode_err() {
    for case in cases("mysql.proto.to_err_packet") {
        let message = text(case.fields(), "errmsg").unwrap_or_default();
        let state = text(case.fields(), "sqlstate").unwrap_or(b"07000".to_vec());
        let err = ErrPacket {
            code: case.field("errcode").try_into().unwrap(),
            sqlstate: Some(state.try_into().unwrap()),
            message: &message,
        };
        assert_eq!(err.encode(), case.encoded(), "line {}", case.line);
    }
}

#[test]
fn decode_ok() {
    for case in cases("mysql.proto.from_ok_packet") {
        let packet = case.packet();
        let Some(ok) = agreed(&case, OkPacket::parse(&packet, Capabilities::empty())) else {
            continue;
        };
        // The bindings sign-extend bit 31.
        let affected = match case.number("affected_rows") {
            -2_147_483_648 => 2_147_483_648,
            number => u64::from_ne_bytes(number.to_ne_bytes()),
        };
        assert_eq!(ok.affected_rows, affected, "line {}", case.line);
        assert_eq!(i64::try_from(ok.insert_id).unwrap(), case.number("insert_id"));
        assert_eq!(i64::from(ok.status.bits()), case.number("server_status"));
        assert_eq!(i64::from(ok.warnings), case.number("warnings"));
        assert_eq!(
            OkPacket::parse(&ok.encode(Capabilities::empty()), Capabilities::empty()).unwrap().info,
            ok.info
        );
    }
}

#[test]
fn encode_ok() {
    for case in cases("mysql.proto.to_ok_packet") {
        let ok = OkPacket {
            affected_rows: case.field("affected_rows"),
            insert_id: case.field("insert_id"),
            status: StatusFlags::from_bits_retain(case.field("server_status").try_into().unwrap()),
            warnings: case.field("warnings").try_into().unwrap(),
            ..OkPacket::default()
        };
        assert_eq!(ok.encode(Capabilities::empty()), case.encoded(), "line {}", case.line);
    }
}

#[test]
fn decode_eof() {
    for case in cases("mysql.proto.from_eof_packet") {
        let packet = case.packet();
        let Some(eof) = agreed(&case, EofPacket::parse(&packet)) else { continue };
        assert_eq!(
            i64::from(eof.status.bits()),
            case.number("server_status"),
            "line {}",
            case.line
        );
        assert_eq!(i64::from(eof.warnings), case.number("warnings"));
    }
}

#[test]
fn encode_eof() {
    for case in cases("mysql.proto.to_eof_packet") {
        let eof = EofPacket {
            warnings: case.field("warnings").try_into().unwrap(),
            status: StatusFlags::from_bits_retain(case.field("server_status").try_into().unwrap()),
        };
        assert_eq!(eof.encode(), case.encoded(), "line {}", case.line);
    }
}

#[test]
fn decode_handshake() {
    // Refused by the bindings for their version text only.
    let any_version: [&[u8]; 4] = [b"11.4.2-MariaDB", b"5.7.101", b"abc", b"5.7"];
    let mut seen = 0;
    for case in cases("mysql.proto.from_challenge_packet") {
        let packet = case.packet();
        let parsed = Handshake::parse(&packet);
        if let Ok(h) = &parsed
            && any_version.contains(&h.server_version.as_slice())
        {
            seen += 1;
            continue;
        }
        let Some(h) = agreed(&case, parsed) else { continue };
        let line = case.line;
        assert_eq!(
            h.version_id().map(i64::from),
            Some(case.number("server_version")),
            "line {line}"
        );
        assert_eq!(i64::from(h.thread_id), case.number("thread_id"), "line {line}");
        assert_eq!(i64::from(h.charset), case.number("charset"), "line {line}");
        assert_eq!(i64::from(h.status.bits()), case.number("server_status"), "line {line}");
        assert_eq!(h.auth_plugin, case.text("auth_plugin_name"), "line {line}");
        let classic = h.capabilities.difference(Capabilities::MARIADB_EXTENDED).bits();
        assert_eq!(i64::try_from(classic).unwrap(), case.number("capabilities"), "line {line}");
        // The bindings drop the NUL of the scramble unless the server announces plugins.
        let scramble = if h.auth_plugin.is_some() { &h.scramble } else { h.scramble20() };
        assert_eq!(scramble, case.text("challenge").unwrap(), "line {line}");
    }
    assert_eq!(seen, any_version.len());
}

#[test]
fn handshakes_encode_to_the_same_bytes() {
    for case in cases("mysql.proto.to_challenge_packet") {
        let packet = case.encoded();
        let h = Handshake::parse(&packet).unwrap();
        let mut want = packet.clone();
        // Before 5.5.10 the method had no NUL.
        if h.server_version == b"5.05.00" {
            want.push(0);
        }
        assert_eq!(h.encode().unwrap(), want, "line {}", case.line);
    }
}

#[test]
fn decode_login() {
    for case in cases("mysql.proto.from_response_packet") {
        let packet = case.packet();
        let line = case.line;
        if packet.starts_with(b"\x01\0") {
            assert_eq!(LoginKind::classify(&packet), Ok(LoginKind::Pre41), "line {line}");
            continue;
        }
        if packet.ends_with(b"world") {
            // The last string may lack its NUL.
            assert_eq!(Login::parse(&packet).unwrap().database.unwrap(), b"world");
            continue;
        }
        let Some(login) = agreed(&case, Login::parse(&packet)) else { continue };
        let caps = i64::try_from(login.capabilities.bits()).unwrap();
        assert_eq!(caps, case.number("capabilities"), "line {line}");
        assert_eq!(i64::from(login.charset), case.number("charset"), "line {line}");
        assert_eq!(i64::from(login.max_packet_size), case.number("max_packet_size"), "line {line}");
        assert_eq!(Some(&login.username), case.text("username").as_ref(), "line {line}");
        assert_eq!(login.auth_response, case.text("response").unwrap_or_default(), "line {line}");
        // The bindings go by the server's bits; here the client's own bits decide, as on the
        // server.
        let server = case.number("server_capabilities");
        if server & 0x08 != 0 {
            assert_eq!(login.database, case.text("database"), "line {line}");
        }
        if server & 0x0008_0000 != 0 {
            assert_eq!(login.auth_plugin, case.text("auth_plugin_name"), "line {line}");
        }
    }
}

#[test]
fn decode_prepare_ok() {
    for case in cases("mysql.proto.from_stmt_prepare_ok_packet") {
        let packet = case.packet();
        let Some(ok) = agreed(&case, PrepareOk::parse(&packet)) else { continue };
        assert_eq!(i64::from(ok.statement_id), case.number("stmt_id"), "line {}", case.line);
        assert_eq!(i64::from(ok.columns), case.number("num_columns"));
        assert_eq!(i64::from(ok.params), case.number("num_params"));
        assert_eq!(i64::from(ok.warnings), case.number("warnings"));
        assert_eq!(ok.encode(), packet);
    }
}
