//! What one prepared statement makes its connection remember.
//!
//! Sources: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html>,
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_send_long_data.html>:
//! types stay until other ones are sent, long data until the next execution or reset.

use std::collections::BTreeSet;

use super::{Params, StmtExecute};
use crate::binary::ValueType;
use crate::reply::PrepareOk;
use crate::{Capabilities, WireError};

/// A statement between its preparation and its end. Feed it, in order, what the client sends for
/// this statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedStatement {
    capabilities: Capabilities,
    params: u16,
    types: Option<Vec<ValueType>>,
    long_data: BTreeSet<u16>,
}

impl PreparedStatement {
    /// A statement that was just prepared with this answer, on a connection with these capabilities.
    pub const fn new(ok: &PrepareOk, capabilities: Capabilities) -> Self {
        Self { capabilities, params: ok.params, types: None, long_data: BTreeSet::new() }
    }

    /// Number of parameters.
    pub const fn params(&self) -> u16 {
        self.params
    }

    /// Types of the parameters as last sent; `None` before the first execution.
    pub fn types(&self) -> Option<&[ValueType]> {
        self.types.as_deref()
    }

    /// The client sent long data for this parameter. One that does not exist is ignored, as nothing
    /// answers the command.
    pub fn send_long_data(&mut self, param: u16) {
        if param < self.params {
            self.long_data.insert(param);
        }
    }

    /// The client reset the statement.
    pub fn reset(&mut self) {
        self.long_data.clear();
    }

    /// The client executes the statement: reads the payload and remembers its types.
    ///
    /// After an error the types are unknown, because those in the packet could not be read, until
    /// the client sends them again.
    pub fn execute<'p>(&mut self, payload: &'p [u8]) -> Result<StmtExecute<'p>, WireError> {
        let long_data = std::mem::take(&mut self.long_data);
        let known = self.types.take();
        let (capabilities, params) = (self.capabilities, self.params);
        let execute =
            StmtExecute::parse(payload, capabilities, params, known.as_deref(), &long_data)?;
        self.types = match &execute.params {
            Params::Typed(params) if execute.new_params_bound => {
                Some(params.iter().map(|param| param.value_type).collect())
            }
            _ => known,
        };
        Ok(execute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary::BinaryValue;
    use crate::result::ColumnType;

    /// TINY 7, with its type.
    const BOUND: &[u8] = b"\x17\x01\0\0\0\0\x01\0\0\0\x00\x01\x01\x00\x07";
    /// 8, without.
    const UNBOUND: &[u8] = b"\x17\x01\0\0\0\0\x01\0\0\0\x00\x00\x08";

    fn statement() -> PreparedStatement {
        let ok = PrepareOk { statement_id: 1, columns: 0, params: 1, warnings: 0 };
        PreparedStatement::new(&ok, Capabilities::empty())
    }

    /// The value of the only parameter.
    fn value<'p>(execute: &StmtExecute<'p>) -> Option<BinaryValue<'p>> {
        match &execute.params {
            Params::Typed(params) => params[0].value,
            Params::Untyped(raw) => panic!("untyped: {raw:?}"),
        }
    }

    #[test]
    fn types_are_remembered() {
        let mut statement = statement();
        let first = statement.execute(UNBOUND).unwrap();
        assert_eq!(first.params, Params::Untyped(b"\x00\x00\x08"));
        assert_eq!(statement.types(), None);

        assert_eq!(value(&statement.execute(BOUND).unwrap()), Some(BinaryValue::Int(7)));
        assert_eq!(statement.types(), Some(&[ValueType::new(ColumnType::TINY)][..]));
        for _ in 0..2 {
            assert_eq!(value(&statement.execute(UNBOUND).unwrap()), Some(BinaryValue::Int(8)));
        }
    }

    #[test]
    fn long_data_is_for_one_execution() {
        let mut statement = statement();
        statement.send_long_data(0);
        statement.send_long_data(1);
        assert_eq!(value(&statement.execute(BOUND).unwrap()), None);
        assert_eq!(value(&statement.execute(UNBOUND).unwrap()), Some(BinaryValue::Int(8)));

        statement.send_long_data(0);
        statement.reset();
        assert_eq!(value(&statement.execute(UNBOUND).unwrap()), Some(BinaryValue::Int(8)));
    }

    #[test]
    fn an_unreadable_execution_forgets_the_types() {
        let mut statement = statement();
        statement.execute(BOUND).unwrap();
        statement.execute(b"\x17\x01\0\0\0\0\x01\0\0\0\x00\x01\xc8\x00\x07").unwrap_err();
        assert_eq!(statement.types(), None);
        assert!(matches!(statement.execute(UNBOUND).unwrap().params, Params::Untyped(_)));
    }
}
