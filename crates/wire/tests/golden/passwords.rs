//! `mysql.password`.

use serde_json::Value;
use wire::password;

use crate::case::{Case, cases};

/// An argument of 20 bytes; the bindings take others and answer with an empty string or `false`.
fn hash_arg(case: &Case, arg: usize) -> Option<password::Hash> {
    case.bytes(arg)?.try_into().ok()
}

/// The expected 20 bytes; `None` for an empty string or an error.
fn expected(case: &Case) -> Option<password::Hash> {
    case.result.as_ref()?;
    case.encoded().try_into().ok()
}

#[test]
fn hash() {
    let mut seen = 0;
    for case in cases("mysql.password.hash") {
        // Other arguments than bytes are not for this crate.
        let Some(secret) = case.bytes(0) else { continue };
        assert_eq!(Some(password::hash(&secret)), expected(&case), "line {}", case.line);
        seen += 1;
    }
    assert_eq!(seen, 9);
}

#[test]
fn scramble() {
    for case in cases("mysql.password.scramble") {
        let challenge = case.bytes(0).expect("a challenge");
        let answer = hash_arg(&case, 1).and_then(|hashed| password::scramble(&challenge, &hashed));
        assert_eq!(answer, expected(&case), "line {}", case.line);
    }
}

#[test]
fn unscramble() {
    for case in cases("mysql.password.unscramble") {
        let challenge = case.bytes(0).expect("a challenge");
        let double_hashed = hash_arg(&case, 2).expect("a double hash");
        let hashed = hash_arg(&case, 1)
            .and_then(|response| password::unscramble(&challenge, &response, &double_hashed));
        if challenge.len() == 21 {
            // The bindings take the NUL in the other functions only.
            assert!(hashed.is_some_and(|hashed| password::hash(&hashed) == double_hashed));
            assert_eq!(expected(&case), None, "line {}", case.line);
        } else {
            assert_eq!(hashed, expected(&case), "line {}", case.line);
        }
    }
}

#[test]
fn check() {
    for case in cases("mysql.password.check") {
        let challenge = case.bytes(0).expect("a challenge");
        let right = match (hash_arg(&case, 1), hash_arg(&case, 2)) {
            (Some(response), Some(stored)) => password::check(&challenge, &response, &stored),
            _ => false,
        };
        assert_eq!(case.result, Some(Value::Bool(right)), "line {}", case.line);
    }
}
