//! Tests of [`StmtExecute`]: what the packet says and what it leaves to the reader.

use super::*;
use crate::result::ColumnType;

const OLD: Capabilities = Capabilities::empty();
const NEW: Capabilities = Capabilities::QUERY_ATTRIBUTES;

const TYPES: [ValueType; 3] = [
    ValueType::new(ColumnType::STRING),
    ValueType::new(ColumnType::LONG),
    ValueType::unsigned(ColumnType::LONGLONG),
];

/// NULL, 42 and NULL, with their types.
const BOUND: &[u8] = b"\x17\x01\0\0\0\0\x01\0\0\0\x05\x01\xfe\0\x03\0\x08\x80\x2a\0\0\0";
/// The same without types.
const UNBOUND: &[u8] = b"\x17\x01\0\0\0\0\x01\0\0\0\x05\0\x2a\0\0\0";

fn execute(new_params_bound: bool, params: Params<'_>) -> StmtExecute<'_> {
    StmtExecute {
        statement_id: 1,
        flags: 0,
        iteration_count: 1,
        new_params_bound,
        params,
        attributes: None,
    }
}

fn typed(values: [Option<BinaryValue<'static>>; 3]) -> Params<'static> {
    let params = TYPES.into_iter().zip(values);
    Params::Typed(
        params.map(|(value_type, value)| Param { value_type, value, name: b"" }).collect(),
    )
}

fn answer() -> Params<'static> {
    typed([Some(BinaryValue::Null), Some(BinaryValue::Int(42)), Some(BinaryValue::Null)])
}

fn parse<'p>(payload: &'p [u8], known: Option<&[ValueType]>) -> Result<StmtExecute<'p>, WireError> {
    StmtExecute::parse(payload, OLD, 3, known, &BTreeSet::new())
}

#[test]
fn golden_both_ways() {
    let bound = execute(true, answer());
    assert_eq!(parse(BOUND, None), Ok(bound.clone()));
    assert_eq!(bound.encode().unwrap(), BOUND);

    let unbound = execute(false, answer());
    assert_eq!(parse(UNBOUND, Some(&TYPES)), Ok(unbound.clone()));
    assert_eq!(unbound.encode().unwrap(), UNBOUND);
}

#[test]
fn types_in_the_packet_win() {
    let known = [ValueType::new(ColumnType::TINY); 3];
    assert_eq!(parse(BOUND, Some(&known)), Ok(execute(true, answer())));
}

#[test]
fn without_types_the_bytes_stay() {
    let untyped = execute(false, Params::Untyped(b"\x05\0\x2a\0\0\0"));
    assert_eq!(parse(UNBOUND, None), Ok(untyped.clone()));
    assert_eq!(untyped.encode().unwrap(), UNBOUND);
}

#[test]
fn known_types_must_be_as_many_as_the_parameters() {
    assert_eq!(parse(UNBOUND, Some(&TYPES[..2])), Err(WireError::CellCount { expected: 3 }));
}

#[test]
fn long_data_takes_no_bytes_and_its_null_bit_does_not_count() {
    let long_data = BTreeSet::from([0]);
    let want = execute(true, typed([None, Some(BinaryValue::Int(42)), Some(BinaryValue::Null)]));
    assert_eq!(StmtExecute::parse(BOUND, OLD, 3, None, &long_data), Ok(want.clone()));
    // Clients leave the bit clear.
    let mut clear = BOUND.to_vec();
    clear[10] = 0x04;
    assert_eq!(StmtExecute::parse(&clear, OLD, 3, None, &long_data), Ok(want.clone()));
    assert_eq!(want.encode().unwrap(), clear);
}

#[test]
fn no_parameters() {
    let golden = b"\x17\xef\xbe\xad\xde\x01\x01\0\0\0";
    let execute = StmtExecute {
        statement_id: 0xdead_beef,
        flags: 1,
        iteration_count: 1,
        new_params_bound: false,
        params: Params::Typed(Vec::new()),
        attributes: None,
    };
    assert_eq!(StmtExecute::parse(golden, OLD, 0, None, &BTreeSet::new()), Ok(execute.clone()));
    assert_eq!(execute.encode().unwrap(), golden);
}

/// Of one parameter, "a", with the attribute `n` = "v".
const COUNTED: &[u8] = b"\x17\x01\0\0\0\x08\x01\0\0\0\x02\0\x01\xfd\0\0\xfd\0\x01n\x01a\x01v";

#[test]
fn attributes_follow_the_parameters() {
    let value_type = ValueType::new(ColumnType::VAR_STRING);
    let param = |value, name| Param { value_type, value: Some(BinaryValue::Bytes(value)), name };
    let parse = |payload, params| StmtExecute::parse(payload, NEW, params, None, &BTreeSet::new());
    let mut without_flag = COUNTED.to_vec();
    without_flag[5] = 0;
    for golden in [COUNTED, &without_flag] {
        let execute = parse(golden, 1).unwrap();
        assert_eq!(execute.params, Params::Typed(vec![param(b"a", b"")]));
        assert_eq!(execute.attributes, Some(vec![param(b"v", b"n")]));
        assert_eq!(execute.encode().unwrap(), golden);
    }
    assert_eq!(parse(COUNTED, 0).unwrap().attributes.unwrap().len(), 2, "of a statement without");
    assert_eq!(parse(&without_flag, 0).unwrap().attributes, None);
    assert_eq!(parse(COUNTED, 3), Err(WireError::CellCount { expected: 3 }));
    for end in 0..COUNTED.len() {
        assert!(parse(&COUNTED[..end], 1).is_err(), "cut at {end}");
    }
    let mut execute = parse(COUNTED, 1).unwrap();
    execute.new_params_bound = false;
    assert_eq!(execute.encode(), Err(WireError::Untyped), "no place for their names");
    let old = b"\x17\x01\0\0\0\0\x01\0\0\0\0\x01\xfd\0\x01a";
    let execute = StmtExecute::parse(old, OLD, 1, None, &BTreeSet::new()).unwrap();
    assert_eq!(execute.params, Params::Typed(vec![param(b"a", b"")]));
}

#[test]
fn a_number_without_types_is_that_of_the_statement() {
    let repeated = b"\x17\x01\0\0\0\x08\x01\0\0\0\x01\0\0\x01a";
    let types = [ValueType::new(ColumnType::VAR_STRING)];
    let parse = |params, known| StmtExecute::parse(repeated, NEW, params, known, &BTreeSet::new());
    let typed = parse(1, Some(&types[..])).unwrap();
    assert!(matches!(&typed.params, Params::Typed(params) if params.len() == 1));
    let untyped = parse(1, None).unwrap();
    assert_eq!(untyped.params, Params::Untyped(b"\x01\0\0\x01a"));
    for execute in [typed, untyped] {
        assert_eq!(execute.encode().unwrap(), repeated);
    }
    assert_eq!(parse(0, None), Err(WireError::Untyped));
    let many = b"\x17\x01\0\0\0\x08\x01\0\0\0\xfd\0\0\x01";
    let parsed = StmtExecute::parse(many, NEW, 0, None, &BTreeSet::new());
    assert_eq!(parsed, Err(WireError::TooManyParameters));
    let none = b"\x17\x01\0\0\0\x08\x01\0\0\0\0";
    let parsed = StmtExecute::parse(none, NEW, 0, None, &BTreeSet::new()).unwrap();
    assert_eq!(parsed.encode().unwrap(), none);
}

#[test]
fn refuses_other_and_cut_packets() {
    for end in 0..BOUND.len() {
        assert!(parse(&BOUND[..end], None).is_err(), "cut at {end}");
    }
    let error = WireError::Marker { packet: "COM_STMT_EXECUTE", found: 0x16 };
    assert_eq!(parse(b"\x16SELECT ?", None), Err(error));
    assert_eq!(StmtExecute::statement_id(BOUND), Ok(1));
    assert_eq!(StmtExecute::statement_id(b"\x16SELECT ?"), Err(error));
}

#[test]
fn a_value_that_is_not_of_its_type_is_not_sent() {
    let wrong = typed([Some(BinaryValue::Int(1)), None, None]);
    let error = WireError::ValueMismatch { column_type: 254 };
    assert_eq!(execute(true, wrong).encode(), Err(error));
}
