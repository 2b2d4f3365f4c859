//! Prepared statements.

use std::collections::BTreeSet;

use serde_json::Value;
use wire::binary::{BinaryValue, DateTime, Time};
use wire::result::ColumnType;
use wire::statement::{Param, Params, StmtClose, StmtExecute, StmtPrepare};

use crate::case::{agreed, cases, text};

#[test]
fn prepare() {
    for case in cases("mysql.proto.from_stmt_prepare_packet") {
        let packet = case.packet();
        let Some(prepare) = agreed(&case, StmtPrepare::parse(&packet)) else { continue };
        assert_eq!(prepare.query, case.text("stmt_text").unwrap_or_default());
        assert_eq!(prepare.encode(), packet);
    }
}

#[test]
fn close() {
    for case in cases("mysql.proto.from_stmt_close_packet") {
        let packet = case.packet();
        let Some(close) = agreed(&case, StmtClose::parse(&packet)) else { continue };
        assert_eq!(i64::from(close.statement_id), case.number("stmt_id"));
        assert_eq!(close.encode(), packet);
    }
}

#[test]
fn statement_id_of_an_execution() {
    for case in cases("mysql.proto.stmt_id_from_stmt_execute_packet") {
        let packet = case.packet();
        let Some(id) = agreed(&case, StmtExecute::statement_id(&packet)) else { continue };
        assert_eq!(case.result, Some(Value::from(id)), "line {}", case.line);
    }
}

/// Types the bindings refuse and this crate reads.
const ONLY_HERE: [ColumnType; 7] = [
    ColumnType::NULL,
    ColumnType::INT24,
    ColumnType::NEWDECIMAL,
    ColumnType::TINY_BLOB,
    ColumnType::VARCHAR,
    ColumnType::BIT,
    ColumnType::GEOMETRY,
];

#[test]
fn execute() {
    let mut only_here = BTreeSet::new();
    for case in cases("mysql.proto.from_stmt_execute_packet") {
        let Some(count) = case.args.get(1).and_then(Value::as_u64) else { continue };
        let packet = case.packet();
        let count = count.try_into().expect("a number of parameters");
        let parsed =
            StmtExecute::parse(&packet, wire::Capabilities::empty(), count, None, &BTreeSet::new());
        if let (Ok(execute), None) = (&parsed, &case.result) {
            let Params::Typed(params) = &execute.params else { panic!("line {}", case.line) };
            only_here.insert(params[0].value_type.column_type.0);
            continue;
        }
        let Some(execute) = agreed(&case, parsed) else { continue };
        let line = case.line;
        assert_eq!(i64::from(execute.statement_id), case.number("stmt_id"), "line {line}");
        assert_eq!(i64::from(execute.flags), case.number("flags"), "line {line}");
        assert_eq!(i64::from(execute.iteration_count), case.number("iteration_count"));
        let result = case.result.as_ref().expect("agreed");
        assert_eq!(result["new_params_bound"], execute.new_params_bound, "line {line}");
        match (&execute.params, &result["params"]) {
            (Params::Untyped(_), Value::Null) => {}
            (Params::Typed(params), Value::Null) => assert!(params.is_empty(), "line {line}"),
            (Params::Typed(params), Value::Array(expected)) => {
                assert_eq!(params.len(), expected.len(), "line {line}");
                for (param, expected) in params.iter().zip(expected) {
                    check_param(param, expected, line);
                }
            }
            (params, expected) => panic!("line {line}: {params:?} {expected}"),
        }
        assert_eq!(execute.encode().unwrap(), packet, "line {line}");
    }
    assert_eq!(only_here, ONLY_HERE.map(|column_type| column_type.0).into());
}

fn check_param(param: &Param<'_>, expected: &Value, line: usize) {
    assert_eq!(expected["type"], param.value_type.column_type.0, "line {line}");
    let value = &expected["value"];
    let same = match param.value.expect("no long data") {
        BinaryValue::Null => value.is_null(),
        // The bindings know unsigned numbers up to 4 bytes, and signed ones of 8.
        BinaryValue::Int(n) => value.as_i64() == Some(n & width_mask(param.value_type.column_type)),
        BinaryValue::UInt(n) => value.as_i64().map(i64::to_le_bytes) == Some(n.to_le_bytes()),
        BinaryValue::Float(n) => value.as_f64() == Some(n.into()),
        BinaryValue::Double(n) => value.as_f64() == Some(n),
        BinaryValue::Bytes(bytes) => text(expected, "value").as_deref() == Some(bytes),
        BinaryValue::Date(date) => *value == date.to_string(),
        BinaryValue::DateTime(value_here) => *value == date_time_text(value_here),
        BinaryValue::Time(time) => *value == time_text(time),
    };
    assert!(same, "line {line}: {param:?} {expected}");
}

fn width_mask(column_type: ColumnType) -> i64 {
    match column_type {
        ColumnType::TINY => 0xff,
        ColumnType::SHORT => 0xffff,
        ColumnType::LONG => 0xffff_ffff,
        _ => -1,
    }
}

/// The bindings print microseconds as if they were nanoseconds.
fn date_time_text(value: DateTime) -> String {
    format!("{}.{:09}", DateTime { micros: 0, ..value }, value.micros)
}

/// The bindings print days in front of the hours.
fn time_text(time: Time) -> String {
    let sign = if time.negative { "-" } else { "" };
    let of_day = Time { negative: false, days: 0, micros: 0, ..time };
    format!("{sign}{} {of_day}.{:09}", time.days, time.micros)
}
