//! Names of a login that the server would read as others than scripts do.
//!
//! Scripts get names as UTF-8. A server converts them from the character set of the login, and shortens them. Tried with
//! MySQL 9.7, MariaDB 10.11 and 11.8: MySQL ends user and database at the first byte that is no text (`u\xff` logs in as
//! `u`); all convert letters of other character sets, and take question marks for letters outside of the Basic Multilingual
//! Plane, as they keep names in utf8mb3; both MariaDBs take the first 128 letters of a longer user name.

use sqltok::exact::Dialect;
use wire::connect::Login;

/// The longest user names, in letters.
const LONGEST_IN_MYSQL: usize = 32;
const LONGEST_IN_MARIADB: usize = 128;
/// The last letter of the Basic Multilingual Plane.
const LAST_OF_UTF8MB3: u32 = 0xffff;
/// The first version of MySQL that knows the collation 255, utf8mb4_0900_ai_ci.
const WITH_UTF8MB4_0900: u32 = 80_000;

/// Shortens the user name to what a server of this version takes of it.
pub fn shorten(username: &mut Vec<u8>, server: Dialect) {
    if let Dialect::MariaDb(_) = server
        && let Ok(name) = std::str::from_utf8(username)
        && let Some((end, _)) = name.char_indices().nth(LONGEST_IN_MARIADB)
    {
        username.truncate(end);
    }
}

/// Why a login is refused whose names a server of this version may read in another way; `None` if it is not.
pub fn objection(login: &Login, server: Dialect) -> Option<&'static str> {
    let Ok(user) = std::str::from_utf8(&login.username) else {
        return Some("the user name is not UTF-8");
    };
    let Ok(database) = std::str::from_utf8(login.database.as_deref().unwrap_or_default()) else {
        return Some("the name of the database is not UTF-8");
    };
    let is_ascii = user.is_ascii() && database.is_ascii();
    if !is_ascii && !is_utf8(login.charset, server) {
        return Some("a name beyond ASCII needs a login with a character set of UTF-8");
    }
    if user.chars().chain(database.chars()).any(|letter| u32::from(letter) > LAST_OF_UTF8MB3) {
        return Some("a name has a letter that the server takes for a question mark");
    }
    let longest = match server {
        Dialect::MySql(_) => LONGEST_IN_MYSQL,
        // Where it is MariaDB for sure, the name was shortened.
        _ => LONGEST_IN_MARIADB,
    };
    (user.chars().count() > longest).then_some("the user name is longer than the server keeps")
}

/// Whether the server surely takes the collation of this number for one of utf8mb3 or utf8mb4. It takes one that it does not
/// know for its own default.
fn is_utf8(collation: u8, server: Dialect) -> bool {
    match collation {
        33 | 45 | 46 | 83 | 192..=211 | 224..=243 => true,
        255 => matches!(server, Dialect::MySql(version) if version >= WITH_UTF8MB4_0900),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Capabilities;

    const MYSQL: Dialect = Dialect::MySql(90_700);
    const MARIADB: Dialect = Dialect::MariaDb(101_100);

    fn refused(user: &[u8], database: &[u8], charset: u8, server: Dialect) -> bool {
        let login = Login {
            capabilities: Capabilities::empty(),
            max_packet_size: 0,
            charset,
            username: user.to_vec(),
            auth_response: Vec::new(),
            database: Some(database.to_vec()),
            auth_plugin: None,
            attributes: None,
            zstd_level: None,
        };
        objection(&login, server).is_some()
    }

    #[test]
    fn ascii_is_the_same_in_every_character_set() {
        for charset in 0..=u8::MAX {
            assert!(!refused(b"u", b"d ", charset, MYSQL));
        }
    }

    #[test]
    fn what_is_no_text_would_be_cut() {
        assert!(refused(b"u\xff", b"", 45, MYSQL));
        assert!(refused(b"u", b"d\xff", 45, MARIADB));
    }

    #[test]
    fn letters_need_a_character_set_that_the_server_knows() {
        for (charset, server, is_refused) in [
            (8, MYSQL, true),
            (0, MYSQL, true),
            (254, MARIADB, true),
            (255, MARIADB, true),
            (255, MYSQL, false),
            (255, Dialect::MySql(50_744), true),
            (33, MARIADB, false),
            (45, MYSQL, false),
            (224, MARIADB, false),
        ] {
            assert_eq!(refused("ü".as_bytes(), b"", charset, server), is_refused, "{charset}");
            assert_eq!(refused(b"u", "ä".as_bytes(), charset, server), is_refused, "{charset}");
        }
    }

    #[test]
    fn servers_keep_names_in_three_bytes_for_a_letter() {
        assert!(refused("u\u{10000}".as_bytes(), b"", 45, MYSQL));
        assert!(refused(b"u", "d\u{1f600}".as_bytes(), 45, MARIADB));
        assert!(!refused("u\u{ffff}".as_bytes(), b"", 45, MYSQL));
    }

    #[test]
    fn names_are_no_longer_than_the_server_keeps() {
        assert!(!refused("ü".repeat(32).as_bytes(), b"", 45, MYSQL));
        assert!(refused("ü".repeat(33).as_bytes(), b"", 45, MYSQL));
        assert!(!refused(&[b'u'; 128], b"", 45, Dialect::Any));
        assert!(refused(&[b'u'; 129], b"", 45, Dialect::Any));
    }

    #[test]
    fn mariadb_takes_the_first_letters_of_a_longer_name() {
        let shortened = |name: &str, server| {
            let mut username = name.as_bytes().to_vec();
            shorten(&mut username, server);
            String::from_utf8(username).unwrap()
        };
        for letter in ["u", "ü", "€"] {
            let (kept, longer) = (letter.repeat(128), letter.repeat(129));
            assert_eq!(shortened(&kept, MARIADB), kept);
            assert_eq!(shortened(&longer, MARIADB), kept);
            assert_eq!(shortened(&longer, MYSQL), longer);
            assert_eq!(shortened(&longer, Dialect::Any), longer);
        }
    }
}
