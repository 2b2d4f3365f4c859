//! The observed calls.

use serde_json::Value;
use wire::WireError;

const CASES: &str = include_str!("../data/proto-cases.jsonl");

/// Behaviour of the bindings with arguments that the types of this crate do not have: strings for
/// numbers, numbers that are too large, states that are too long. `python/tests` runs these cases.
const ARGUMENTS: [&str; 5] = [
    "16-bit fields wrap",
    "a numeric string is taken as a number",
    "error code is truncated to 16 bits",
    "message cut at 512 bytes",
    "sqlstate cut at 5 bytes",
];

pub struct Case {
    pub line: usize,
    pub args: Vec<Value>,
    /// `None`: the bindings refuse the packet.
    pub result: Option<Value>,
}

impl Case {
    /// Bytes of an argument; `None` if it is something else.
    pub fn bytes(&self, arg: usize) -> Option<Vec<u8>> {
        self.args.get(arg)?.get("hex").map(|_| hex(&self.args[arg]))
    }

    /// The packet to decode.
    pub fn packet(&self) -> Vec<u8> {
        hex(&self.args[0])
    }

    /// A number of the expected result, or 0.
    pub fn number(&self, key: &str) -> i64 {
        self.result.as_ref().and_then(|r| r.get(key)).and_then(Value::as_i64).unwrap_or(0)
    }

    /// A string of the expected result.
    pub fn text(&self, key: &str) -> Option<Vec<u8>> {
        text(self.result.as_ref()?, key)
    }

    /// The fields to encode.
    pub fn fields(&self) -> &Value {
        &self.args[0]
    }

    /// A number of the fields to encode, or 0.
    pub fn field(&self, key: &str) -> u64 {
        self.fields().get(key).and_then(Value::as_u64).unwrap_or(0)
    }

    /// The bytes that are expected.
    pub fn encoded(&self) -> Vec<u8> {
        hex(self.result.as_ref().expect("every encoded case has a result"))
    }
}

/// All cases of one function, such as `mysql.proto.from_ok_packet`, but those about its arguments. A
/// function without cases is a mistake in the test.
pub fn cases(function: &str) -> Vec<Case> {
    let cases: Vec<Case> = CASES
        .lines()
        .enumerate()
        .map(|(i, line)| (i + 1, serde_json::from_str::<Value>(line).expect("a case per line")))
        .filter(|(_, case)| case["fn"] == function && !is_about_arguments(case))
        .map(|(line, case)| {
            let args = case["args"].as_array().expect("arguments").clone();
            Case { line, args, result: case.get("result").cloned() }
        })
        .collect();
    assert!(!cases.is_empty(), "{function}");
    cases
}

fn is_about_arguments(case: &Value) -> bool {
    case["error"] == "argument"
        || case["quirk"].as_str().is_some_and(|quirk| ARGUMENTS.contains(&quirk))
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value["hex"].as_str().expect("bytes in hex");
    (0..digits.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&digits[i..i + 2], 16).expect("hex digits"))
        .collect()
}

/// Strings in the file stand for bytes: one character each.
pub fn text(value: &Value, key: &str) -> Option<Vec<u8>> {
    let text = value.get(key)?.as_str()?;
    Some(text.chars().map(|c| u8::try_from(u32::from(c)).expect("a byte")).collect())
}

/// Checks that `parsed` is refused exactly where the bindings refuse; `None` if there is nothing to
/// compare.
pub fn agreed<T>(case: &Case, parsed: Result<T, WireError>) -> Option<T> {
    assert_eq!(parsed.is_err(), case.result.is_none(), "line {}", case.line);
    parsed.ok()
}
