//! `response.resultsets`: an answer of several results.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};
use wire::Capabilities;

use super::budget::Budget;
use super::context::{Context, RowForm};
use super::{members, ok_or_rows};
use crate::classes::resultset::Resultset;
use engine::Reply;

/// What belongs to one of the results, not to the answer.
const OF_ONE: [&str; 5] = ["resultset", "affected_rows", "insert_id", "warnings", "server_status"];

/// Encodes the results in order: each a result of the query, which is sent as it is, or a mapping with what makes one result
/// (`resultset`, or the members of an OK).
pub fn encode(
    results: &Bound<'_, PyAny>,
    response: &Bound<'_, PyDict>,
    context: Context,
) -> PyResult<Reply> {
    for name in OF_ONE {
        if members::get(response, name)?.is_some() {
            return Err(PyValueError::new_err(format!(
                "proxy.response has resultsets and {name}: each result has its own"
            )));
        }
    }
    let results: Vec<_> = results.try_iter()?.collect::<PyResult<_>>()?;
    let needs_bit = results.len() > 1;
    let understood = match context.rows {
        RowForm::Text => context.capabilities.contains(Capabilities::MULTI_RESULTS),
        RowForm::Binary => context.capabilities.contains(Capabilities::PS_MULTI_RESULTS),
        RowForm::Cursor => false,
    };
    if needs_bit && !understood {
        return Err(PyValueError::new_err("the client does not understand several results"));
    }
    let mut budget = Budget::new(context.max_bytes);
    let mut packets = Vec::new();
    for (n, result) in results.iter().enumerate() {
        let is_last = n + 1 == results.len();
        let one = if let Ok(kept) = result.cast::<Resultset>() {
            kept.get().packets(result.py(), is_last)?
        } else if let Ok(mapping) = result.cast::<PyMapping>() {
            let fields = PyDict::new(mapping.py());
            fields.update(mapping)?;
            members::check_keys(&fields, &OF_ONE, "an item of proxy.response.resultsets")?;
            ok_or_rows(&fields, Context { is_last: Some(is_last), ..context })?.packets().to_vec()
        } else {
            let kind = result.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "an item of proxy.response.resultsets is a mapping or a result of the query, not {kind}"
            )));
        };
        for packet in one {
            budget.spend(packet.len())?;
            packets.push(packet);
        }
    }
    Reply::from_packets(packets)
        .ok_or_else(|| PyValueError::new_err("proxy.response.resultsets is empty"))
}
