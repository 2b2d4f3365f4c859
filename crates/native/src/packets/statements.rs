//! The packets of prepared statements.

use std::collections::{BTreeMap, BTreeSet};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use wire::Capabilities;
use wire::binary::ValueType;
use wire::reply::PrepareOk;
use wire::statement::{Params, StmtClose, StmtExecute, StmtPrepare, StmtReset, StmtSendLongData};

use super::parameters::{Given, GivenTuple, ParamTuple, param_tuple};
use super::{checked, payload};
use crate::data::Data;
use crate::error::{Number, PacketError};
use crate::values::{TypePair, value_type};

/// What came ahead of an execution, by parameter.
type LongData<'py> = BTreeMap<u16, Bound<'py, PyBytes>>;
/// Id, flags, iteration count, whether types came with it, the parameters if their types are known, and query attributes, if there can be any.
type ExecuteTuple<'py> =
    (u32, u8, u32, bool, Option<Vec<ParamTuple<'py>>>, Option<Vec<ParamTuple<'py>>>);

#[pyfunction]
#[pyo3(signature = (packet, /))]
fn decode_stmt_prepare<'py>(py: Python<'py>, packet: Data<'py>) -> PyResult<Bound<'py, PyBytes>> {
    Ok(payload(py, checked(StmtPrepare::parse(packet.as_bytes()))?.query))
}

#[pyfunction]
#[pyo3(signature = (stmt_text, /))]
fn encode_stmt_prepare<'py>(py: Python<'py>, stmt_text: Data<'py>) -> Bound<'py, PyBytes> {
    payload(py, StmtPrepare { query: stmt_text.as_bytes() }.encode())
}

#[pyfunction]
#[pyo3(signature = (packet, /))]
fn decode_stmt_prepare_ok(packet: Data<'_>) -> PyResult<(u32, u16, u16, u16)> {
    let ok = checked(PrepareOk::parse(packet.as_bytes()))?;
    Ok((ok.statement_id, ok.columns, ok.params, ok.warnings))
}

#[pyfunction]
#[pyo3(signature = (stmt_id, num_columns, num_params, warnings, /))]
fn encode_stmt_prepare_ok(
    py: Python<'_>,
    stmt_id: Number<u32>,
    num_columns: Number<u16>,
    num_params: Number<u16>,
    warnings: Number<u16>,
) -> Bound<'_, PyBytes> {
    let ok = PrepareOk {
        statement_id: stmt_id.0,
        columns: num_columns.0,
        params: num_params.0,
        warnings: warnings.0,
    };
    payload(py, ok.encode())
}

#[pyfunction]
#[pyo3(signature = (packet, /))]
fn decode_stmt_execute_id(packet: Data<'_>) -> PyResult<u32> {
    checked(StmtExecute::statement_id(packet.as_bytes()))
}

#[pyfunction]
#[pyo3(signature = (packet, param_count, types, long_data, capabilities, /))]
fn decode_stmt_execute<'py>(
    py: Python<'py>,
    packet: Data<'py>,
    param_count: Number<u16>,
    types: Option<Vec<TypePair>>,
    long_data: LongData<'py>,
    capabilities: u64,
) -> PyResult<ExecuteTuple<'py>> {
    let types: Option<Vec<ValueType>> =
        types.map(|types| types.into_iter().map(value_type).collect());
    let ahead: BTreeSet<u16> = long_data.keys().copied().collect();
    let packet = packet.as_bytes();
    let capabilities = Capabilities::from_bits_retain(capabilities);
    let execute =
        checked(StmtExecute::parse(packet, capabilities, param_count.0, types.as_deref(), &ahead))?;
    let params = match &execute.params {
        Params::Untyped(_) => None,
        Params::Typed(params) => Some(
            (0..=u16::MAX)
                .zip(params)
                .map(|(index, param)| param_tuple(py, param, long_data.get(&index)))
                .collect::<PyResult<_>>()?,
        ),
    };
    let attributes = execute.attributes.as_ref().map(|attributes| {
        attributes.iter().map(|param| param_tuple(py, param, None)).collect::<PyResult<_>>()
    });
    let attributes = attributes.transpose()?;
    let StmtExecute { statement_id, flags, iteration_count, new_params_bound, .. } = execute;
    Ok((statement_id, flags, iteration_count, new_params_bound, params, attributes))
}

#[pyfunction]
#[pyo3(signature = (stmt_id, flags, iteration_count, new_params_bound, params, attributes, /))]
fn encode_stmt_execute<'py>(
    py: Python<'py>,
    stmt_id: Number<u32>,
    flags: Number<u8>,
    iteration_count: Number<u32>,
    new_params_bound: bool,
    params: Vec<GivenTuple<'py>>,
    attributes: Option<Vec<GivenTuple<'py>>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let count = params.len() + attributes.as_ref().map_or(0, Vec::len);
    if u16::try_from(count).is_err() {
        return Err(PacketError::new_err(format!("{count} parameters are too many")));
    }
    let (params, attributes) = (Given::all(params)?, attributes.map(Given::all).transpose()?);
    let execute = StmtExecute {
        statement_id: stmt_id.0,
        flags: flags.0,
        iteration_count: iteration_count.0,
        new_params_bound,
        params: Params::Typed(Given::params(&params)?),
        attributes: attributes.as_deref().map(Given::params).transpose()?,
    };
    Ok(payload(py, checked(execute.encode())?))
}

#[pyfunction]
#[pyo3(signature = (packet, /))]
fn decode_stmt_close(packet: Data<'_>) -> PyResult<u32> {
    Ok(checked(StmtClose::parse(packet.as_bytes()))?.statement_id)
}

#[pyfunction]
#[pyo3(signature = (stmt_id, /))]
fn encode_stmt_close(py: Python<'_>, stmt_id: Number<u32>) -> Bound<'_, PyBytes> {
    payload(py, StmtClose { statement_id: stmt_id.0 }.encode())
}

#[pyfunction]
#[pyo3(signature = (packet, /))]
fn decode_stmt_reset(packet: Data<'_>) -> PyResult<u32> {
    Ok(checked(StmtReset::parse(packet.as_bytes()))?.statement_id)
}

#[pyfunction]
#[pyo3(signature = (stmt_id, /))]
fn encode_stmt_reset(py: Python<'_>, stmt_id: Number<u32>) -> Bound<'_, PyBytes> {
    payload(py, StmtReset { statement_id: stmt_id.0 }.encode())
}

#[pyfunction]
#[pyo3(signature = (packet, /))]
fn decode_stmt_long_data<'py>(
    py: Python<'py>,
    packet: Data<'py>,
) -> PyResult<(u32, u16, Bound<'py, PyBytes>)> {
    let piece = checked(StmtSendLongData::parse(packet.as_bytes()))?;
    Ok((piece.statement_id, piece.param, payload(py, piece.data)))
}

#[pyfunction]
#[pyo3(signature = (stmt_id, param, data, /))]
fn encode_stmt_long_data<'py>(
    py: Python<'py>,
    stmt_id: Number<u32>,
    param: Number<u16>,
    data: Data<'py>,
) -> Bound<'py, PyBytes> {
    let data = data.as_bytes();
    payload(py, StmtSendLongData { statement_id: stmt_id.0, param: param.0, data }.encode())
}

/// Adds the functions.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(decode_stmt_prepare, module)?)?;
    module.add_function(wrap_pyfunction!(encode_stmt_prepare, module)?)?;
    module.add_function(wrap_pyfunction!(decode_stmt_prepare_ok, module)?)?;
    module.add_function(wrap_pyfunction!(encode_stmt_prepare_ok, module)?)?;
    module.add_function(wrap_pyfunction!(decode_stmt_execute_id, module)?)?;
    module.add_function(wrap_pyfunction!(decode_stmt_execute, module)?)?;
    module.add_function(wrap_pyfunction!(encode_stmt_execute, module)?)?;
    module.add_function(wrap_pyfunction!(decode_stmt_close, module)?)?;
    module.add_function(wrap_pyfunction!(encode_stmt_close, module)?)?;
    module.add_function(wrap_pyfunction!(decode_stmt_reset, module)?)?;
    module.add_function(wrap_pyfunction!(encode_stmt_reset, module)?)?;
    module.add_function(wrap_pyfunction!(decode_stmt_long_data, module)?)?;
    module.add_function(wrap_pyfunction!(encode_stmt_long_data, module)?)
}
