//! The exact lexer: cases with the answers of servers, and properties. `tests/library/test_sql_lexer.py` of the repository
//! compares random texts with servers.

mod golden;
mod properties;
