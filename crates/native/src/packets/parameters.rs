//! Parameters of executions, and query attributes.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use wire::binary::{BinaryValue, ValueType};
use wire::query_attributes;
use wire::statement::Param;

use super::{checked, payload};
use crate::data::Data;
use crate::values::{decode, text_of, value_type};

/// Type, sign, value and name.
pub type ParamTuple<'py> = (u8, bool, Bound<'py, PyAny>, Bound<'py, PyBytes>);
/// The same, as Python gives it.
pub type GivenTuple<'py> = (u8, bool, Bound<'py, PyAny>, Data<'py>);

/// A parameter for Python; `ahead` is what was sent as long data.
pub fn param_tuple<'py>(
    py: Python<'py>,
    param: &Param<'_>,
    ahead: Option<&Bound<'py, PyBytes>>,
) -> PyResult<ParamTuple<'py>> {
    let ValueType { column_type, unsigned } = param.value_type;
    let value = match (param.value, ahead) {
        (Some(value), _) => decode(py, value)?,
        (None, Some(data)) => data.clone().into_any(),
        (None, None) => py.None().into_bound(py),
    };
    Ok((column_type.0, unsigned, value, payload(py, param.name)))
}

/// A parameter of Python.
pub struct Given<'py> {
    value_type: ValueType,
    text: Option<Vec<u8>>,
    name: Data<'py>,
}

impl<'py> Given<'py> {
    /// All of them.
    pub fn all(tuples: Vec<GivenTuple<'py>>) -> PyResult<Vec<Self>> {
        let given = tuples.into_iter().map(|(column_type, unsigned, value, name)| {
            let value_type = value_type((column_type, unsigned));
            Ok(Self { value_type, text: text_of(&value)?, name })
        });
        given.collect()
    }

    /// They as `wire` has them.
    pub fn params<'g>(given: &'g [Self]) -> PyResult<Vec<Param<'g>>> {
        given.iter().map(Self::param).collect()
    }

    fn param(&self) -> PyResult<Param<'_>> {
        let value_type = self.value_type;
        let value = self
            .text
            .as_deref()
            .map_or(Ok(BinaryValue::Null), |text| BinaryValue::from_text(text, value_type));
        Ok(Param { value_type, value: Some(checked(value)?), name: self.name.as_bytes() })
    }
}

#[pyfunction]
#[pyo3(signature = (argument, /))]
fn split_query<'py>(
    py: Python<'py>,
    argument: Data<'py>,
) -> PyResult<(Vec<ParamTuple<'py>>, Bound<'py, PyBytes>)> {
    let (block, text) = checked(query_attributes::split(argument.as_bytes()))?;
    let attributes = checked(query_attributes::parse(block))?;
    let attributes = attributes.iter().map(|attribute| param_tuple(py, attribute, None));
    Ok((attributes.collect::<PyResult<_>>()?, payload(py, text)))
}

#[pyfunction]
#[pyo3(signature = (attributes, /))]
fn encode_query_attributes<'py>(
    py: Python<'py>,
    attributes: Vec<GivenTuple<'py>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let given = Given::all(attributes)?;
    Ok(payload(py, checked(query_attributes::encode(&Given::params(&given)?))?))
}

/// Adds the functions.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(split_query, module)?)?;
    module.add_function(wrap_pyfunction!(encode_query_attributes, module)?)
}
