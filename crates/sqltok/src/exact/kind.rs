//! What a token is.

/// The kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A bare name or a keyword: `SELECT`, `users`, `1a`, `_utf8`.
    Word,
    /// A quoted name: `` `a` ``, and `"a"` with ANSI_QUOTES.
    QuotedName,
    /// `'a'`, `"a"`.
    String,
    /// `N'a'`.
    NationalString,
    /// A text in dollar signs, `$$a$$` or `$tag$a$tag$`, of newer versions of MySQL.
    DollarString,
    /// `1`.
    Integer,
    /// `1.5`, `.5`, `1.`.
    Decimal,
    /// `1e5`.
    Float,
    /// `0x41`, `x'41'`.
    Hex,
    /// `0b1`, `b'1'`.
    Bits,
    /// `\N`, which is NULL to MariaDB.
    Null,
    /// `@a`, `@'a'`, `` @`a` ``, `@`; behind a name it is the host of an account.
    UserVariable,
    /// `@@a`; of `@@global.a` the `@@global`.
    SystemVariable,
    /// `.` that is no part of a number.
    Dot,
    /// `,`.
    Comma,
    /// `;`.
    Semicolon,
    /// `(`.
    OpenParen,
    /// `)`.
    CloseParen,
    /// `:=`.
    Assign,
    /// Any other operator, such as `<=>` or `->>`, and `?`.
    Symbol,
    /// What the server skips: `/* a */`, `-- a`, `# a`. Without the end of the line.
    Comment,
    /// What this server skips but another runs: `/*!999999 a */` as a whole.
    SkippedVersion,
    /// The beginning of a comment whose content this server runs: `/*!`, `/*!50000`, `/*M!100100`.
    OpenVersion,
    /// The `*/` of such a comment.
    CloseVersion,
    /// `/*+ a */` as a whole. MySQL obeys it where it may stand, and otherwise skips it.
    Hint,
    /// A quoted text or a comment that does not end. It reaches to the end of the text, and is empty there if an opened
    /// versioned comment does not end.
    Unterminated,
    /// What no server reads, such as a control character or `x'4'`, with all that follows.
    Invalid,
}

impl Kind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 27] = [
        Self::Word,
        Self::QuotedName,
        Self::String,
        Self::NationalString,
        Self::DollarString,
        Self::Integer,
        Self::Decimal,
        Self::Float,
        Self::Hex,
        Self::Bits,
        Self::Null,
        Self::UserVariable,
        Self::SystemVariable,
        Self::Dot,
        Self::Comma,
        Self::Semicolon,
        Self::OpenParen,
        Self::CloseParen,
        Self::Assign,
        Self::Symbol,
        Self::Comment,
        Self::SkippedVersion,
        Self::OpenVersion,
        Self::CloseVersion,
        Self::Hint,
        Self::Unterminated,
        Self::Invalid,
    ];

    /// Its name as scripts see it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::QuotedName => "quoted_name",
            Self::String => "string",
            Self::NationalString => "national_string",
            Self::DollarString => "dollar_string",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Float => "float",
            Self::Hex => "hex",
            Self::Bits => "bits",
            Self::Null => "null",
            Self::UserVariable => "user_variable",
            Self::SystemVariable => "system_variable",
            Self::Dot => "dot",
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::OpenParen => "open_paren",
            Self::CloseParen => "close_paren",
            Self::Assign => "assign",
            Self::Symbol => "symbol",
            Self::Comment => "comment",
            Self::SkippedVersion => "skipped_version",
            Self::OpenVersion => "open_version",
            Self::CloseVersion => "close_version",
            Self::Hint => "hint",
            Self::Unterminated => "unterminated",
            Self::Invalid => "invalid",
        }
    }

    /// Whether it is nothing to the grammar: a comment, a hint, or the marks of a versioned comment.
    #[must_use]
    pub const fn is_comment(self) -> bool {
        matches!(
            self,
            Self::Comment
                | Self::SkippedVersion
                | Self::OpenVersion
                | Self::CloseVersion
                | Self::Hint
        )
    }

    /// Whether the server refuses the statement here.
    #[must_use]
    pub const fn is_error(self) -> bool {
        matches!(self, Self::Unterminated | Self::Invalid)
    }
}
