//! What a token can be: 262 ids with the numbers and names that scripts know.
//!
//! Source: the token list of mysql-proxy 0.8.5, recorded in `tests/legacy/data/sql-tokens.tsv`. The keywords
//! are the reserved words of MySQL 5.1 and ten more; words reserved since are plain names.

use std::fmt;

use super::keyword;

macro_rules! token_ids {
    (
        classes {
            $(#[doc = $class_doc:literal] $class:ident = $class_value:literal $class_name:literal,)*
        }
        keywords { $($keyword:ident = $keyword_value:literal $word:literal,)* }
        added {
            $(#[doc = $added_doc:literal] $added:ident = $added_value:literal $added_name:literal,)*
        }
    ) => {
        /// What a token is.
        ///
        /// Numbers ([`value`](Self::value)) and names ([`name`](Self::name)) are those of mysql-proxy;
        /// scripts compare with both.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum TokenId {
            $(#[doc = $class_doc] $class = $class_value,)*
            $(#[doc = concat!("The keyword `", $word, "`.")] $keyword = $keyword_value,)*
            $(#[doc = $added_doc] $added = $added_value,)*
        }

        impl TokenId {
            /// All ids, in the order of their numbers.
            pub const ALL: [Self; 262] =
                [$(Self::$class,)* $(Self::$keyword,)* $(Self::$added,)*];

            /// The number of the id, below 262.
            pub const fn value(self) -> u16 {
                match self {
                    $(Self::$class => $class_value,)*
                    $(Self::$keyword => $keyword_value,)*
                    $(Self::$added => $added_value,)*
                }
            }

            /// The name of the id, such as `TK_SQL_SELECT`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$class => $class_name,)*
                    $(Self::$keyword => concat!("TK_SQL_", $word),)*
                    $(Self::$added => $added_name,)*
                }
            }

            /// The keyword in upper case; `None` for what is no keyword.
            pub const fn keyword(self) -> Option<&'static str> {
                match self {
                    $(Self::$keyword => Some($word),)*
                    _ => None,
                }
            }
        }
    };
}

impl TokenId {
    /// The id with this number; `None` from 262 on.
    pub fn from_value(value: u16) -> Option<Self> {
        Self::ALL.get(usize::from(value)).copied()
    }

    /// The id with this name, which must be in upper case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|id| id.name() == name)
    }

    /// The id of the keyword that `word` spells, in any mix of cases; `None` if it is no keyword.
    pub fn from_keyword(word: &[u8]) -> Option<Self> {
        keyword::find(word)
    }
}

impl fmt::Display for TokenId {
    /// Writes the [`name`](Self::name).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

token_ids! {
    classes {
        /// A byte that starts no other token.
        Unknown = 0 "TK_UNKNOWN",
        /// `<=`
        Le = 1 "TK_LE",
        /// `>=`
        Ge = 2 "TK_GE",
        /// `<`
        Lt = 3 "TK_LT",
        /// `>`
        Gt = 4 "TK_GT",
        /// `=`
        Eq = 5 "TK_EQ",
        /// `<>` or `!=`; the text tells which.
        Ne = 6 "TK_NE",
        /// A text in `'` or `"`.
        String = 7 "TK_STRING",
        /// A comment, without its marks.
        Comment = 8 "TK_COMMENT",
        /// A name that is no keyword, or anything in backticks.
        Literal = 9 "TK_LITERAL",
        /// A name directly followed by `(`, keyword or not.
        Function = 10 "TK_FUNCTION",
        /// Digits.
        Integer = 11 "TK_INTEGER",
        /// A number with a fraction, an exponent, or both.
        Float = 12 "TK_FLOAT",
        /// `.`
        Dot = 13 "TK_DOT",
        /// `,`
        Comma = 14 "TK_COMMA",
        /// `:=`
        Assign = 15 "TK_ASSIGN",
        /// `(`
        OBrace = 16 "TK_OBRACE",
        /// `)`
        CBrace = 17 "TK_CBRACE",
        /// `;`
        Semicolon = 18 "TK_SEMICOLON",
        /// `*`
        Star = 19 "TK_STAR",
        /// `+`
        Plus = 20 "TK_PLUS",
        /// `-`
        Minus = 21 "TK_MINUS",
        /// `/`
        Div = 22 "TK_DIV",
        /// `&`
        BitwiseAnd = 23 "TK_BITWISE_AND",
        /// `|`
        BitwiseOr = 24 "TK_BITWISE_OR",
        /// `^`
        BitwiseXor = 25 "TK_BITWISE_XOR",
        /// `&&`
        LogicalAnd = 26 "TK_LOGICAL_AND",
        /// `||`
        LogicalOr = 27 "TK_LOGICAL_OR",
    }
    keywords {
        SqlAccessible = 28 "ACCESSIBLE",
        SqlAction = 29 "ACTION",
        SqlAdd = 30 "ADD",
        SqlAll = 31 "ALL",
        SqlAlter = 32 "ALTER",
        SqlAnalyze = 33 "ANALYZE",
        SqlAnd = 34 "AND",
        SqlAs = 35 "AS",
        SqlAsc = 36 "ASC",
        SqlAsensitive = 37 "ASENSITIVE",
        SqlBefore = 38 "BEFORE",
        SqlBetween = 39 "BETWEEN",
        SqlBigint = 40 "BIGINT",
        SqlBinary = 41 "BINARY",
        SqlBit = 42 "BIT",
        SqlBlob = 43 "BLOB",
        SqlBoth = 44 "BOTH",
        SqlBy = 45 "BY",
        SqlCall = 46 "CALL",
        SqlCascade = 47 "CASCADE",
        SqlCase = 48 "CASE",
        SqlChange = 49 "CHANGE",
        SqlChar = 50 "CHAR",
        SqlCharacter = 51 "CHARACTER",
        SqlCheck = 52 "CHECK",
        SqlCollate = 53 "COLLATE",
        SqlColumn = 54 "COLUMN",
        SqlCondition = 55 "CONDITION",
        SqlConstraint = 56 "CONSTRAINT",
        SqlContinue = 57 "CONTINUE",
        SqlConvert = 58 "CONVERT",
        SqlCreate = 59 "CREATE",
        SqlCross = 60 "CROSS",
        SqlCurrentDate = 61 "CURRENT_DATE",
        SqlCurrentTime = 62 "CURRENT_TIME",
        SqlCurrentTimestamp = 63 "CURRENT_TIMESTAMP",
        SqlCurrentUser = 64 "CURRENT_USER",
        SqlCursor = 65 "CURSOR",
        SqlDatabase = 66 "DATABASE",
        SqlDatabases = 67 "DATABASES",
        SqlDate = 68 "DATE",
        SqlDayHour = 69 "DAY_HOUR",
        SqlDayMicrosecond = 70 "DAY_MICROSECOND",
        SqlDayMinute = 71 "DAY_MINUTE",
        SqlDaySecond = 72 "DAY_SECOND",
        SqlDec = 73 "DEC",
        SqlDecimal = 74 "DECIMAL",
        SqlDeclare = 75 "DECLARE",
        SqlDefault = 76 "DEFAULT",
        SqlDelayed = 77 "DELAYED",
        SqlDelete = 78 "DELETE",
        SqlDesc = 79 "DESC",
        SqlDescribe = 80 "DESCRIBE",
        SqlDeterministic = 81 "DETERMINISTIC",
        SqlDistinct = 82 "DISTINCT",
        SqlDistinctrow = 83 "DISTINCTROW",
        SqlDiv = 84 "DIV",
        SqlDouble = 85 "DOUBLE",
        SqlDrop = 86 "DROP",
        SqlDual = 87 "DUAL",
        SqlEach = 88 "EACH",
        SqlElse = 89 "ELSE",
        SqlElseif = 90 "ELSEIF",
        SqlEnclosed = 91 "ENCLOSED",
        SqlEnum = 92 "ENUM",
        SqlEscaped = 93 "ESCAPED",
        SqlExists = 94 "EXISTS",
        SqlExit = 95 "EXIT",
        SqlExplain = 96 "EXPLAIN",
        SqlFalse = 97 "FALSE",
        SqlFetch = 98 "FETCH",
        SqlFloat = 99 "FLOAT",
        SqlFloat4 = 100 "FLOAT4",
        SqlFloat8 = 101 "FLOAT8",
        SqlFor = 102 "FOR",
        SqlForce = 103 "FORCE",
        SqlForeign = 104 "FOREIGN",
        SqlFrom = 105 "FROM",
        SqlFulltext = 106 "FULLTEXT",
        SqlGrant = 107 "GRANT",
        SqlGroup = 108 "GROUP",
        SqlHaving = 109 "HAVING",
        SqlHighPriority = 110 "HIGH_PRIORITY",
        SqlHourMicrosecond = 111 "HOUR_MICROSECOND",
        SqlHourMinute = 112 "HOUR_MINUTE",
        SqlHourSecond = 113 "HOUR_SECOND",
        SqlIf = 114 "IF",
        SqlIgnore = 115 "IGNORE",
        SqlIn = 116 "IN",
        SqlIndex = 117 "INDEX",
        SqlInfile = 118 "INFILE",
        SqlInner = 119 "INNER",
        SqlInout = 120 "INOUT",
        SqlInsensitive = 121 "INSENSITIVE",
        SqlInsert = 122 "INSERT",
        SqlInt = 123 "INT",
        SqlInt1 = 124 "INT1",
        SqlInt2 = 125 "INT2",
        SqlInt3 = 126 "INT3",
        SqlInt4 = 127 "INT4",
        SqlInt8 = 128 "INT8",
        SqlInteger = 129 "INTEGER",
        SqlInterval = 130 "INTERVAL",
        SqlInto = 131 "INTO",
        SqlIs = 132 "IS",
        SqlIterate = 133 "ITERATE",
        SqlJoin = 134 "JOIN",
        SqlKey = 135 "KEY",
        SqlKeys = 136 "KEYS",
        SqlKill = 137 "KILL",
        SqlLeading = 138 "LEADING",
        SqlLeave = 139 "LEAVE",
        SqlLeft = 140 "LEFT",
        SqlLike = 141 "LIKE",
        SqlLimit = 142 "LIMIT",
        SqlLinear = 143 "LINEAR",
        SqlLines = 144 "LINES",
        SqlLoad = 145 "LOAD",
        SqlLocaltime = 146 "LOCALTIME",
        SqlLocaltimestamp = 147 "LOCALTIMESTAMP",
        SqlLock = 148 "LOCK",
        SqlLong = 149 "LONG",
        SqlLongblob = 150 "LONGBLOB",
        SqlLongtext = 151 "LONGTEXT",
        SqlLoop = 152 "LOOP",
        SqlLowPriority = 153 "LOW_PRIORITY",
        SqlMasterSslVerifyServerCert = 154 "MASTER_SSL_VERIFY_SERVER_CERT",
        SqlMatch = 155 "MATCH",
        SqlMediumblob = 156 "MEDIUMBLOB",
        SqlMediumint = 157 "MEDIUMINT",
        SqlMediumtext = 158 "MEDIUMTEXT",
        SqlMiddleint = 159 "MIDDLEINT",
        SqlMinuteMicrosecond = 160 "MINUTE_MICROSECOND",
        SqlMinuteSecond = 161 "MINUTE_SECOND",
        SqlMod = 162 "MOD",
        SqlModifies = 163 "MODIFIES",
        SqlNatural = 164 "NATURAL",
        SqlNo = 165 "NO",
        SqlNot = 166 "NOT",
        SqlNoWriteToBinlog = 167 "NO_WRITE_TO_BINLOG",
        SqlNull = 168 "NULL",
        SqlNumeric = 169 "NUMERIC",
        SqlOn = 170 "ON",
        SqlOptimize = 171 "OPTIMIZE",
        SqlOption = 172 "OPTION",
        SqlOptionally = 173 "OPTIONALLY",
        SqlOr = 174 "OR",
        SqlOrder = 175 "ORDER",
        SqlOut = 176 "OUT",
        SqlOuter = 177 "OUTER",
        SqlOutfile = 178 "OUTFILE",
        SqlPrecision = 179 "PRECISION",
        SqlPrimary = 180 "PRIMARY",
        SqlProcedure = 181 "PROCEDURE",
        SqlPurge = 182 "PURGE",
        SqlRange = 183 "RANGE",
        SqlRead = 184 "READ",
        SqlReadOnly = 185 "READ_ONLY",
        SqlReads = 186 "READS",
        SqlReadWrite = 187 "READ_WRITE",
        SqlReal = 188 "REAL",
        SqlReferences = 189 "REFERENCES",
        SqlRegexp = 190 "REGEXP",
        SqlRelease = 191 "RELEASE",
        SqlRename = 192 "RENAME",
        SqlRepeat = 193 "REPEAT",
        SqlReplace = 194 "REPLACE",
        SqlRequire = 195 "REQUIRE",
        SqlRestrict = 196 "RESTRICT",
        SqlReturn = 197 "RETURN",
        SqlRevoke = 198 "REVOKE",
        SqlRight = 199 "RIGHT",
        SqlRlike = 200 "RLIKE",
        SqlSchema = 201 "SCHEMA",
        SqlSchemas = 202 "SCHEMAS",
        SqlSecondMicrosecond = 203 "SECOND_MICROSECOND",
        SqlSelect = 204 "SELECT",
        SqlSensitive = 205 "SENSITIVE",
        SqlSeparator = 206 "SEPARATOR",
        SqlSet = 207 "SET",
        SqlShow = 208 "SHOW",
        SqlSmallint = 209 "SMALLINT",
        SqlSpatial = 210 "SPATIAL",
        SqlSpecific = 211 "SPECIFIC",
        SqlSql = 212 "SQL",
        SqlSqlBigResult = 213 "SQL_BIG_RESULT",
        SqlSqlCalcFoundRows = 214 "SQL_CALC_FOUND_ROWS",
        SqlSqlexception = 215 "SQLEXCEPTION",
        SqlSqlSmallResult = 216 "SQL_SMALL_RESULT",
        SqlSqlstate = 217 "SQLSTATE",
        SqlSqlwarning = 218 "SQLWARNING",
        SqlSsl = 219 "SSL",
        SqlStarting = 220 "STARTING",
        SqlStraightJoin = 221 "STRAIGHT_JOIN",
        SqlTable = 222 "TABLE",
        SqlTerminated = 223 "TERMINATED",
        SqlText = 224 "TEXT",
        SqlThen = 225 "THEN",
        SqlTime = 226 "TIME",
        SqlTimestamp = 227 "TIMESTAMP",
        SqlTinyblob = 228 "TINYBLOB",
        SqlTinyint = 229 "TINYINT",
        SqlTinytext = 230 "TINYTEXT",
        SqlTo = 231 "TO",
        SqlTrailing = 232 "TRAILING",
        SqlTrigger = 233 "TRIGGER",
        SqlTrue = 234 "TRUE",
        SqlUndo = 235 "UNDO",
        SqlUnion = 236 "UNION",
        SqlUnique = 237 "UNIQUE",
        SqlUnlock = 238 "UNLOCK",
        SqlUnsigned = 239 "UNSIGNED",
        SqlUpdate = 240 "UPDATE",
        SqlUsage = 241 "USAGE",
        SqlUse = 242 "USE",
        SqlUsing = 243 "USING",
        SqlUtcDate = 244 "UTC_DATE",
        SqlUtcTime = 245 "UTC_TIME",
        SqlUtcTimestamp = 246 "UTC_TIMESTAMP",
        SqlValues = 247 "VALUES",
        SqlVarbinary = 248 "VARBINARY",
        SqlVarchar = 249 "VARCHAR",
        SqlVarcharacter = 250 "VARCHARACTER",
        SqlVarying = 251 "VARYING",
        SqlWhen = 252 "WHEN",
        SqlWhere = 253 "WHERE",
        SqlWhile = 254 "WHILE",
        SqlWith = 255 "WITH",
        SqlWrite = 256 "WRITE",
        SqlX509 = 257 "X509",
        SqlXor = 258 "XOR",
        SqlYearMonth = 259 "YEAR_MONTH",
        SqlZerofill = 260 "ZEROFILL",
    }
    added {
        /// A versioned comment, `/*! ... */`: its text is not scanned.
        CommentMysql = 261 "TK_COMMENT_MYSQL",
    }
}
