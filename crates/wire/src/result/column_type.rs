//! Column types, as in column definitions and in the parameters of prepared statements.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html>.

/// A column type byte, known or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ColumnType(pub u8);

macro_rules! types {
    ($($name:ident = $value:literal $text:literal),* $(,)?) => {
        impl ColumnType {
            $(#[doc = concat!("`", $text, "`")] pub const $name: Self = Self($value);)*

            /// Those that have a name, by number.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The protocol's name of the type, such as `MYSQL_TYPE_LONG`; `None` for a byte
            /// without one.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

types! {
    DECIMAL = 0 "MYSQL_TYPE_DECIMAL",
    TINY = 1 "MYSQL_TYPE_TINY",
    SHORT = 2 "MYSQL_TYPE_SHORT",
    LONG = 3 "MYSQL_TYPE_LONG",
    FLOAT = 4 "MYSQL_TYPE_FLOAT",
    DOUBLE = 5 "MYSQL_TYPE_DOUBLE",
    NULL = 6 "MYSQL_TYPE_NULL",
    TIMESTAMP = 7 "MYSQL_TYPE_TIMESTAMP",
    LONGLONG = 8 "MYSQL_TYPE_LONGLONG",
    INT24 = 9 "MYSQL_TYPE_INT24",
    DATE = 10 "MYSQL_TYPE_DATE",
    TIME = 11 "MYSQL_TYPE_TIME",
    DATETIME = 12 "MYSQL_TYPE_DATETIME",
    YEAR = 13 "MYSQL_TYPE_YEAR",
    NEWDATE = 14 "MYSQL_TYPE_NEWDATE",
    VARCHAR = 15 "MYSQL_TYPE_VARCHAR",
    BIT = 16 "MYSQL_TYPE_BIT",
    VECTOR = 242 "MYSQL_TYPE_VECTOR",
    JSON = 245 "MYSQL_TYPE_JSON",
    NEWDECIMAL = 246 "MYSQL_TYPE_NEWDECIMAL",
    ENUM = 247 "MYSQL_TYPE_ENUM",
    SET = 248 "MYSQL_TYPE_SET",
    TINY_BLOB = 249 "MYSQL_TYPE_TINY_BLOB",
    MEDIUM_BLOB = 250 "MYSQL_TYPE_MEDIUM_BLOB",
    LONG_BLOB = 251 "MYSQL_TYPE_LONG_BLOB",
    BLOB = 252 "MYSQL_TYPE_BLOB",
    VAR_STRING = 253 "MYSQL_TYPE_VAR_STRING",
    STRING = 254 "MYSQL_TYPE_STRING",
    GEOMETRY = 255 "MYSQL_TYPE_GEOMETRY",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_protocol() {
        assert_eq!(ColumnType(3).name(), Some("MYSQL_TYPE_LONG"));
        assert_eq!(ColumnType::GEOMETRY, ColumnType(255));
        assert_eq!(ColumnType(200).name(), None);
    }
}
