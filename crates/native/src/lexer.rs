//! The exact lexer for Python, on top of `sqltok::exact`.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};
use sqltok::exact::{self, Charset, Dialect, Kind, Rules};

use crate::data::{self, Data};

/// Adds class and function.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SqlToken>()?;
    module.add_function(wrap_pyfunction!(lex, module)?)?;
    module.add_function(wrap_pyfunction!(shape, module)?)
}

/// Splits a text into tokens as a server does. See `sqltok::exact`.
#[pyfunction]
#[pyo3(signature = (
    sql, /, *, server = None, charset = "utf8mb4", ansi_quotes = false, no_backslash_escapes = false
))]
fn lex<'py>(
    py: Python<'py>,
    sql: Data<'py>,
    server: Option<Data<'py>>,
    charset: &str,
    ansi_quotes: bool,
    no_backslash_escapes: bool,
) -> PyResult<Bound<'py, PyList>> {
    let rules = Rules {
        dialect: server
            .map_or(Dialect::Any, |version| Dialect::of_server_version(version.as_bytes())),
        charset: Charset::of_name(charset),
        ansi_quotes,
        no_backslash_escapes,
    };
    let sql = sql.into_object();
    let tokens = PyList::empty(py);
    for token in exact::lex(sql.as_bytes(), rules) {
        tokens.append(SqlToken { sql: sql.clone().unbind(), token, rules })?;
    }
    Ok(tokens)
}

/// The text with other values; `None` if what it does may depend on them. See `sqltok::exact::shape`.
#[pyfunction]
#[pyo3(signature = (sql, /, *, charset = "utf8mb4", no_backslash_escapes = false))]
fn shape<'py>(
    py: Python<'py>,
    sql: Data<'py>,
    charset: &str,
    no_backslash_escapes: bool,
) -> PyResult<Option<Bound<'py, PyString>>> {
    let charset = Charset::of_name(charset);
    let rules = Rules { charset, no_backslash_escapes, ..Rules::default() };
    let mut out = Vec::new();
    let has_shape = exact::shape(sql.as_bytes(), rules, &mut out);
    has_shape.then(|| data::decode(py, &out)).transpose()
}

/// One token of a text: a kind and a place. Texts are made when a script looks at them.
#[pyclass(frozen, module = "pyproxy._native")]
#[derive(Debug)]
struct SqlToken {
    sql: Py<PyBytes>,
    token: exact::Token,
    rules: Rules,
}

impl SqlToken {
    fn raw_bytes<'a>(&'a self, py: Python<'a>) -> &'a [u8] {
        self.token.raw(self.sql.as_bytes(py))
    }
}

#[pymethods]
impl SqlToken {
    /// What it is, such as "word".
    #[getter]
    fn kind<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::intern(py, self.token.kind.name())
    }

    /// The first byte of it in the text.
    #[getter]
    fn start(&self) -> usize {
        self.token.start
    }

    /// Behind its last byte.
    #[getter]
    fn end(&self) -> usize {
        self.token.end
    }

    /// Its bytes in the text, with quotes and marks.
    #[getter]
    fn raw<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.raw_bytes(py))
    }

    /// What it stands for: a string without quotes and escapes, the bytes of a hex literal.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &exact::value(self.token, self.sql.as_bytes(py), self.rules))
    }

    /// The value as text.
    #[getter]
    fn text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        data::decode(py, &exact::value(self.token, self.sql.as_bytes(py), self.rules))
    }

    /// A bare word in upper case; empty for everything else.
    #[getter]
    fn word<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        if self.token.kind != Kind::Word {
            return Ok(PyString::intern(py, ""));
        }
        data::decode(py, &self.raw_bytes(py).to_ascii_uppercase())
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<SqlToken {} {}>", self.token.kind.name(), self.raw_bytes(py).escape_ascii())
    }
}
