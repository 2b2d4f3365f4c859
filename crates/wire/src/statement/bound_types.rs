//! The types of an execution's parameters, as they stand in its packet.
//!
//! Clients send them with the first execution of a statement only, and the server remembers them; another server connection has to
//! be told. Sources: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html>,
//! <https://mariadb.com/kb/en/com_stmt_bulk_execute/>.

use super::open;
use crate::{Capabilities, Command, Reader, WireError};

/// Of COM_STMT_BULK_EXECUTE: the types are sent.
const BULK_TYPES: u16 = 0x80;
/// Where its flags stand.
const BULK_FLAGS_AT: usize = 5;

/// Where the types are in the packet of an execution, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundTypes {
    /// The byte that says whether they are there, with the bit that says so.
    flag: (usize, u8),
    start: usize,
    /// Behind those of the statement's own parameters; `None` if they are not there.
    end: Option<usize>,
}

impl BoundTypes {
    /// Looks for them in an execution of a statement with so many parameters, single or in bulk. `None`: it has no place for them.
    pub fn find(
        payload: &[u8],
        capabilities: Capabilities,
        params: u16,
    ) -> Result<Option<Self>, WireError> {
        if params == 0 {
            return Ok(None);
        }
        match payload.first().copied().map(Command) {
            Some(Command::STMT_EXECUTE) => Self::of_execution(payload, capabilities, params),
            Some(Command::STMT_BULK_EXECUTE) => Self::of_bulk(payload, params).map(Some),
            _ => Ok(None),
        }
    }

    fn of_execution(
        payload: &[u8],
        capabilities: Capabilities,
        params: u16,
    ) -> Result<Option<Self>, WireError> {
        let mut r = open(payload, Command::STMT_EXECUTE, "COM_STMT_EXECUTE")?;
        r.u32()?; // int<4> id of the statement
        r.u8()?; // int<1> flags
        r.u32()?; // int<4> iterations
        let is_counted = capabilities.contains(Capabilities::QUERY_ATTRIBUTES);
        let count = if is_counted {
            usize::try_from(r.lenenc_int()?).map_err(|_| WireError::TooManyParameters)?
        } else {
            params.into()
        };
        if count < params.into() {
            return Err(WireError::CellCount { expected: params.into() });
        }
        r.bytes(count.div_ceil(8))?; // binary<(n + 7) / 8>, NULLs
        let at = position(payload, &r);
        let is_bound = r.u8()? != 0; // int<1>
        let start = position(payload, &r);
        if !is_bound {
            // Attributes cannot be there without types.
            let has_place = count == usize::from(params);
            return Ok(has_place.then_some(Self { flag: (at, 1), start, end: None }));
        }
        for _ in 0..params {
            r.bytes(2)?; // int<2>
            if is_counted {
                r.lenenc_bytes()?; // string<lenenc>
            }
        }
        Ok(Some(Self { flag: (at, 1), start, end: Some(position(payload, &r)) }))
    }

    fn of_bulk(payload: &[u8], params: u16) -> Result<Self, WireError> {
        let mut r = open(payload, Command::STMT_BULK_EXECUTE, "COM_STMT_BULK_EXECUTE")?;
        r.u32()?; // int<4> id of the statement
        let flags = r.u16()?; // int<2>
        let start = position(payload, &r);
        let [bit, _] = BULK_TYPES.to_le_bytes();
        let mut found = Self { flag: (BULK_FLAGS_AT, bit), start, end: None };
        if flags & BULK_TYPES != 0 {
            r.bytes(usize::from(params) * 2)?; // int<2> each
            found.end = Some(position(payload, &r));
        }
        Ok(found)
    }

    /// The types in this packet; `None` if they are not there.
    pub fn bytes<'p>(&self, payload: &'p [u8]) -> Option<&'p [u8]> {
        payload.get(self.start..self.end?)
    }

    /// The packet, which has none, with these.
    pub fn insert(&self, payload: &[u8], types: &[u8]) -> Vec<u8> {
        let (before, behind) = payload.split_at_checked(self.start).unwrap_or((payload, &[]));
        let mut out = [before, types, behind].concat();
        let (at, bit) = self.flag;
        if let Some(flag) = out.get_mut(at) {
            *flag |= bit;
        }
        out
    }
}

fn position(payload: &[u8], r: &Reader<'_>) -> usize {
    payload.len() - r.peek_rest().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Capabilities = Capabilities::empty();
    /// TINY 7 and NULL.
    const BOUND: &[u8] = b"\x17\x01\0\0\0\0\x01\0\0\0\x02\x01\x01\x00\x06\x00\x07";
    /// 8 and NULL.
    const UNBOUND: &[u8] = b"\x17\x01\0\0\0\0\x01\0\0\0\x02\x00\x08";

    fn find(payload: &[u8], capabilities: Capabilities, params: u16) -> BoundTypes {
        BoundTypes::find(payload, capabilities, params).expect("well formed").expect("a place")
    }

    #[test]
    fn types_go_from_one_execution_to_another() {
        let bound = find(BOUND, NONE, 2);
        let types = bound.bytes(BOUND).expect("there");
        assert_eq!(types, b"\x01\x00\x06\x00");
        let unbound = find(UNBOUND, NONE, 2);
        assert_eq!(unbound.bytes(UNBOUND), None);
        let told = unbound.insert(UNBOUND, types);
        assert_eq!(told, b"\x17\x01\0\0\0\0\x01\0\0\0\x02\x01\x01\x00\x06\x00\x08");
    }

    #[test]
    fn types_have_names_where_there_may_be_attributes() {
        let with = Capabilities::QUERY_ATTRIBUTES;
        // A parameter without a name, and an attribute behind it.
        let bound = b"\x17\x01\0\0\0\x08\x01\0\0\0\x02\x00\x01\x01\x00\x00\xfd\x00\x01a\x07\x01x";
        let types = find(bound, with, 1).bytes(bound).expect("there").to_vec();
        assert_eq!(types, b"\x01\x00\x00");
        let unbound = b"\x17\x01\0\0\0\x08\x01\0\0\0\x01\x00\x00\x08";
        let told = find(unbound, with, 1).insert(unbound, &types);
        assert_eq!(told, b"\x17\x01\0\0\0\x08\x01\0\0\0\x01\x00\x01\x01\x00\x00\x08");
        let attributes_only = b"\x17\x01\0\0\0\x08\x01\0\0\0\x02\x00\x00\x08";
        assert_eq!(BoundTypes::find(attributes_only, with, 1), Ok(None));
    }

    #[test]
    fn types_of_executions_in_bulk() {
        let bound = b"\xfa\x01\0\0\0\x80\0\x01\x00\x00\x07\x00\x08";
        let types = find(bound, NONE, 1).bytes(bound).expect("there");
        assert_eq!(types, b"\x01\x00");
        let unbound = b"\xfa\x01\0\0\0\x40\0\x00\x07";
        let told = find(unbound, NONE, 1).insert(unbound, types);
        assert_eq!(told, b"\xfa\x01\0\0\0\xc0\0\x01\x00\x00\x07");
    }

    #[test]
    fn others_have_no_place_for_types() {
        assert_eq!(BoundTypes::find(BOUND, NONE, 0), Ok(None));
        for other in [&b""[..], b"\x03SELECT 1", b"\x19\x01\0\0\0"] {
            assert_eq!(BoundTypes::find(other, NONE, 1), Ok(None));
        }
    }

    #[test]
    fn cut_packets_are_errors() {
        for end in 1..BOUND.len() - 1 {
            assert!(BoundTypes::find(&BOUND[..end], NONE, 2).is_err(), "cut at {end}");
        }
        assert!(BoundTypes::find(b"\xfa\x01\0\0\0\x80\0\x01", NONE, 1).is_err());
    }
}
