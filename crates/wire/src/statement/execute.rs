//! COM_STMT_EXECUTE: runs a statement with these parameters.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html>.
//! The packet leaves much unsaid: how many parameters there are stands in the answer to the
//! preparation, their types may have been sent with an earlier execution, and the value of a
//! parameter may have come ahead as long data. [`PreparedStatement`](super::PreparedStatement)
//! remembers all that. On a connection with
//! [`QUERY_ATTRIBUTES`](Capabilities::QUERY_ATTRIBUTES) the packet has the number of parameters and
//! their names, and query attributes may follow the statement's own.

use std::collections::BTreeSet;

use super::open;
use crate::binary::{BinaryValue, NullBitmap, NullBitmapSpace, ValueType};
use crate::reader::length;
use crate::{Capabilities, Command, Reader, WireError, Writer};

/// Parameters have no unused bits in front of their NULL bitmap.
const NULL_OFFSET: usize = 0;

/// In the flags of an execution, with QUERY_ATTRIBUTES: the packet has the number of parameters,
/// though the statement has none. If it has some, the number is there with and without the flag,
/// and clients differ in whether they set it.
pub const PARAMETER_COUNT_AVAILABLE: u8 = 8;

/// In the flags of an execution: what asks for a cursor.
pub const CURSOR_FLAGS: u8 = 7;

/// A COM_STMT_EXECUTE command.
#[derive(Debug, Clone, PartialEq)]
pub struct StmtExecute<'p> {
    /// Id of the statement.
    pub statement_id: u32,
    /// Cursor to open: 0 none, 1 read-only, 2 for update, 4 scrollable; and
    /// [`PARAMETER_COUNT_AVAILABLE`].
    pub flags: u8,
    /// Always 1.
    pub iteration_count: u32,
    /// Whether the packet carries the types, as it must the first time; `false` without parameters.
    pub new_params_bound: bool,
    /// The parameters.
    pub params: Params<'p>,
    /// Query attributes, which need `new_params_bound`. `None` in the form without the number of
    /// parameters and their names: they are not agreed on, or there are no parameters and no
    /// [`PARAMETER_COUNT_AVAILABLE`].
    pub attributes: Option<Vec<Param<'p>>>,
}

/// Parameters of an execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Params<'p> {
    /// All of them, in order; empty for a statement without parameters.
    Typed(Vec<Param<'p>>),
    /// The types are neither in the packet nor known. The bytes are the packet from the NULL bitmap
    /// (or the number of parameters in front of it) on, as sent.
    Untyped(&'p [u8]),
}

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Param<'p> {
    /// Type of the value.
    pub value_type: ValueType,
    /// The value; `None` if it was sent as long data before.
    pub value: Option<BinaryValue<'p>>,
    /// Its name, empty if it has none; sent with the type, where there can be query attributes. The
    /// server takes a parameter with a name for one of them as well.
    pub name: &'p [u8],
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
    /// `capabilities` are those that client and server agreed on. `params` is the number of
    /// parameters from the answer to the preparation, `known_types` are
    /// the types that an earlier execution carried, `long_data` has the parameters, counted from
    /// 0, whose values were sent ahead since the last execution. What follows the last value is
    /// ignored. Known types of another number than `params` are an error where they are needed.
    pub fn parse(
        payload: &'p [u8],
        capabilities: Capabilities,
        params: u16,
        known_types: Option<&[ValueType]>,
        long_data: &BTreeSet<u16>,
    ) -> Result<Self, WireError> {
        let mut r = Self::open(payload)?;
        let statement_id = r.u32()?; // int<4>
        let flags = r.u8()?; // int<1>
        let iteration_count = r.u32()?; // int<4>
        let own = usize::from(params);
        let raw = r.peek_rest();
        let is_counted = capabilities.contains(Capabilities::QUERY_ATTRIBUTES)
            && (params > 0 || flags & PARAMETER_COUNT_AVAILABLE != 0);
        let count = if is_counted {
            u16::try_from(r.lenenc_int()?).map_err(|_| WireError::TooManyParameters)? // int<lenenc>
        } else {
            params
        };
        if count < params {
            return Err(WireError::CellCount { expected: own });
        }
        let mut new_params_bound = false;
        let mut attributes = is_counted.then(Vec::new);
        let params = if count == 0 {
            Params::Typed(Vec::new())
        } else {
            // binary<(n + 7) / 8>
            let nulls = NullBitmap::read(&mut r, count.into(), NULL_OFFSET)?;
            new_params_bound = r.u8()? != 0; // int<1>
            if new_params_bound {
                let mut types = r;
                for _ in 0..count {
                    r.bytes(2)?; // int<2>
                    if is_counted {
                        r.lenenc_bytes()?; // string<lenenc>
                    }
                }
                let types = (0..count).map(|_| {
                    let value_type = ValueType::read(&mut types)?;
                    let name = if is_counted { types.lenenc_bytes()? } else { &[] };
                    Ok((value_type, name))
                });
                let ahead = |index| index < params && long_data.contains(&index);
                let mut all = values(&mut r, nulls, types, ahead)?;
                let further = all.split_off(own.min(all.len()));
                attributes = is_counted.then_some(further);
                Params::Typed(all)
            } else if usize::from(count) != own {
                return Err(WireError::Untyped);
            } else if let Some(types) = known_types {
                if types.len() != own {
                    return Err(WireError::CellCount { expected: own });
                }
                let types = types.iter().map(|value_type| Ok((*value_type, &[][..])));
                let ahead = |index| long_data.contains(&index);
                Params::Typed(values(&mut r, nulls, types, ahead)?)
            } else {
                Params::Untyped(raw)
            }
        };
        Ok(Self { statement_id, flags, iteration_count, new_params_bound, params, attributes })
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
            Params::Typed(params) => self.append(&mut out, params)?,
        }
        Ok(out)
    }

    fn open(payload: &[u8]) -> Result<Reader<'_>, WireError> {
        open(payload, Command::STMT_EXECUTE, "COM_STMT_EXECUTE")
    }

    fn append(&self, out: &mut Vec<u8>, params: &[Param<'_>]) -> Result<(), WireError> {
        let is_counted = self.attributes.is_some();
        let attributes = self.attributes.as_deref().unwrap_or_default();
        if !attributes.is_empty() && !self.new_params_bound {
            return Err(WireError::Untyped);
        }
        let count = params.len().saturating_add(attributes.len());
        let mut w = Writer::new(out);
        if is_counted {
            w.lenenc(length(count));
        }
        if count == 0 {
            return Ok(());
        }
        let params = || params.iter().chain(attributes);
        let nulls = NullBitmapSpace::reserve(out, count, NULL_OFFSET);
        let mut w = Writer::new(out);
        w.u8(self.new_params_bound.into());
        if self.new_params_bound {
            for param in params() {
                param.value_type.write(&mut w);
                if is_counted {
                    w.lenenc_bytes(param.name);
                }
            }
        }
        for (index, param) in params().enumerate() {
            match param.value {
                None => {}
                Some(BinaryValue::Null) => nulls.set_null(out, index),
                Some(value) => value.write(&mut Writer::new(out), param.value_type)?,
            }
        }
        Ok(())
    }
}

/// Reads the values. A parameter sent ahead as long data has none, and its NULL bit does not count.
fn values<'p>(
    r: &mut Reader<'p>,
    nulls: NullBitmap<'p>,
    types: impl Iterator<Item = Result<(ValueType, &'p [u8]), WireError>>,
    is_ahead: impl Fn(u16) -> bool,
) -> Result<Vec<Param<'p>>, WireError> {
    let read = |(index, known): (u16, Result<(ValueType, &'p [u8]), WireError>)| {
        let (value_type, name) = known?;
        let value = if is_ahead(index) {
            None
        } else if nulls.is_null(index.into()) {
            Some(BinaryValue::Null)
        } else {
            Some(BinaryValue::read(r, value_type)?)
        };
        Ok(Param { value_type, value, name })
    };
    (0..=u16::MAX).zip(types).map(read).collect()
}

#[cfg(test)]
#[path = "execute_tests.rs"]
mod tests;
