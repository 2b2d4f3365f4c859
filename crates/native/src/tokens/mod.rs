//! The tokenizer for Python (script library 1.3), on top of `sqltok`.
//!
//! A query's tokens are kept as ids and places in the query. Objects and texts are made when a script looks at a
//! token, because most scripts look at few of them.

mod functions;
mod place;
mod sequence;
mod token;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use sqltok::legacy::TokenId;

/// Adds classes, functions and the names of the tokens.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<token::Token>()?;
    module.add_class::<sequence::Tokens>()?;
    module.add("TOKEN_NAMES", PyTuple::new(module.py(), TokenId::ALL.map(TokenId::name))?)?;
    module.add_function(wrap_pyfunction!(functions::tokenize, module)?)?;
    module.add_function(wrap_pyfunction!(functions::normalize, module)?)?;
    module.add_function(wrap_pyfunction!(functions::rebuild, module)?)
}
