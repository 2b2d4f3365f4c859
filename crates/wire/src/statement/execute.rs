//! COM_STMT_EXECUTE: runs a statement with these parameters.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html>.
//! The packet leaves much unsaid: how many parameters there are stands in the answer to the
//! preparation, their types may have been sent with an earlier execution, and the value of a
//! parameter may have come ahead as long data. [`PreparedStatement`](super::PreparedStatement)
//! remembers all that. Query attributes (MySQL 8.0.23) would change the layout; their capability is
//! masked.

use std::collections::BTreeSet;

use super::open;
use crate::binary::{BinaryValue, NullBitmap, NullBitmapSpace, ValueType};
use crate::{Command, Reader, WireError, Writer};

/// Parameters have no unused bits in front of their NULL bitmap.
const NULL_OFFSET: usize = 0;

/// A COM_STMT_EXECUTE command.
#[derive(Debug, Clone, PartialEq)]
pub struct StmtExecute<'p> {
    /// Id of the statement.
    pub statement_id: u32,
    /// Cursor to open: 0 none, 1 read-only, 2 for update, 4 scrollable.
    pub flags: u8,
    /// Always 1.
    pub iteration_count: u32,
    /// Whether the packet carries the types, as it must the first time; `false` without parameters.
    pub new_params_bound: bool,
    /// The parameters.
    pub params: Params<'p>,
}

/// Parameters of an execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Params<'p> {
    /// All of them, in order; empty for a statement without parameters.
    Typed(Vec<Param<'p>>),
    /// The types are neither in the packet nor known. The bytes are the packet from the NULL bitmap
    /// on, as sent.
    Untyped(&'p [u8]),
}

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Param<'p> {
    /// Type of the value.
    pub value_type: ValueType,
    /// The value; `None` if it was sent as long data before.
    pub value: Option<BinaryValue<'p>>,
}

impl<'p> StmtExecute<'p> {
    /// Reads the id of the statement only, with which the rest can be looked up.
    pub fn statement_id(payload: &[u8]) -> Result<u32, WireError> {
        Self::open(payload)?.u32() // int<4>
    }

    /// Reads the id of the statement and the cursor that is asked for only: see
    /// [`flags`](Self::flags).
    pub fn cursor(payload: &[u8]) -> Result<(u32, u8), WireError> {
        let mut r = Self::open(payload)?;
        Ok((r.u32()?, r.u8()?)) // int<4>, int<1>
    }

    /// Reads a payload, command byte included.
    ///
    /// `params` is the number of parameters from the answer to the preparation, `known_types` are
    /// the types that an earlier execution carried, `long_data` has the parameters, counted from
    /// 0, whose values were sent ahead since the last execution. What follows the last value is
    /// ignored. Known types of another number than `params` are an error where they are needed.
    pub fn parse(
        payload: &'p [u8],
        params: u16,
        known_types: Option<&[ValueType]>,
        long_data: &BTreeSet<u16>,
    ) -> Result<Self, WireError> {
        let mut r = Self::open(payload)?;
        let statement_id = r.u32()?; // int<4>
        let flags = r.u8()?; // int<1>
        let iteration_count = r.u32()?; // int<4>
        let mut new_params_bound = false;
        let params = if params == 0 {
            Params::Typed(Vec::new())
        } else {
            let raw = r.peek_rest();
            // binary<(n + 7) / 8>
            let nulls = NullBitmap::read(&mut r, params.into(), NULL_OFFSET)?;
            new_params_bound = r.u8()? != 0; // int<1>
            if new_params_bound {
                let mut types = Reader::new(r.bytes(usize::from(params) * 2)?); // binary<2n>
                let types = (0..params).map(|_| ValueType::read(&mut types));
                Params::Typed(values(&mut r, nulls, types, long_data)?)
            } else if let Some(types) = known_types {
                if types.len() != usize::from(params) {
                    return Err(WireError::CellCount { expected: params.into() });
                }
                Params::Typed(values(&mut r, nulls, types.iter().copied().map(Ok), long_data)?)
            } else {
                Params::Untyped(raw)
            }
        };
        Ok(Self { statement_id, flags, iteration_count, new_params_bound, params })
    }

    /// The payload. The types are written if `new_params_bound` is set, untyped parameters as they
    /// were read.
    ///
    /// Refuses a value that is not one of its type, see [`BinaryValue::write`].
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        let mut out = Vec::new();
        let mut w = Writer::new(&mut out);
        w.u8(Command::STMT_EXECUTE.0);
        w.u32(self.statement_id);
        w.u8(self.flags);
        w.u32(self.iteration_count);
        match &self.params {
            Params::Untyped(raw) => w.bytes(raw),
            Params::Typed(params) if params.is_empty() => {}
            Params::Typed(params) => self.append(&mut out, params)?,
        }
        Ok(out)
    }

    fn open(payload: &[u8]) -> Result<Reader<'_>, WireError> {
        open(payload, Command::STMT_EXECUTE, "COM_STMT_EXECUTE")
    }

    fn append(&self, out: &mut Vec<u8>, params: &[Param<'_>]) -> Result<(), WireError> {
        let nulls = NullBitmapSpace::reserve(out, params.len(), NULL_OFFSET);
        let mut w = Writer::new(out);
        w.u8(self.new_params_bound.into());
        if self.new_params_bound {
            for param in params {
                param.value_type.write(&mut w);
            }
        }
        for (index, param) in params.iter().enumerate() {
            match param.value {
                None => {}
                Some(BinaryValue::Null) => nulls.set_null(out, index),
                Some(value) => value.write(&mut Writer::new(out), param.value_type)?,
            }
        }
        Ok(())
    }
}

/// Reads the values. A parameter sent as long data has none, and its NULL bit does not count.
fn values<'p>(
    r: &mut Reader<'p>,
    nulls: NullBitmap<'p>,
    types: impl Iterator<Item = Result<ValueType, WireError>>,
    long_data: &BTreeSet<u16>,
) -> Result<Vec<Param<'p>>, WireError> {
    let read = |(index, value_type): (u16, Result<ValueType, WireError>)| {
        let value_type = value_type?;
        let value = if long_data.contains(&index) {
            None
        } else if nulls.is_null(index.into()) {
            Some(BinaryValue::Null)
        } else {
            Some(BinaryValue::read(r, value_type)?)
        };
        Ok(Param { value_type, value })
    };
    (0..=u16::MAX).zip(types).map(read).collect()
}

#[cfg(test)]
#[path = "execute_tests.rs"]
mod tests;
