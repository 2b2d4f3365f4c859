//! What can be done with a query and its tokens.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use sqltok::legacy::{self, TokenId};

use super::place::Place;
use super::sequence::Tokens;
use super::token::Token;
use crate::data::{self, Data};

/// Splits a query into tokens. Any bytes are a query.
#[pyfunction]
#[pyo3(signature = (sql, /))]
pub fn tokenize(sql: Data<'_>) -> PyResult<Tokens> {
    Tokens::of(&sql.into_object())
}

/// The text that queries have in common which differ only in values.
#[pyfunction]
#[pyo3(signature = (tokens, /))]
pub fn normalize<'py>(tokens: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    let py = tokens.py();
    let text = if let Ok(tokens) = tokens.cast::<Tokens>() {
        let tokens = tokens.get();
        let sql = tokens.sql.as_bytes(py);
        legacy::normalize(tokens.places.iter().map(|place| legacy::Token {
            id: place.id,
            text: place.text(sql),
            span: 0..0,
        }))
    } else if let Ok(sql) = tokens.extract::<Data<'_>>() {
        legacy::normalize(legacy::tokenize(sql.as_bytes()))
    } else {
        let tokens = collect(tokens)?;
        legacy::normalize(tokens.iter().map(|token| token.get().scanned(py)))
    };
    data::decode(py, &text)
}

/// The query's own text of these tokens without plain comments.
///
/// Blanks between two tokens stay as they are; whatever else was between them becomes one blank, or a line end if it
/// had one.
#[pyfunction]
#[pyo3(signature = (tokens, /))]
pub fn rebuild<'py>(tokens: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    let py = tokens.py();
    let collected;
    let mut text = Text::default();
    if let Ok(tokens) = tokens.cast::<Tokens>() {
        let tokens = tokens.get();
        for place in &tokens.places {
            text.push(py, &tokens.sql, *place);
        }
    } else {
        collected = collect(tokens)?;
        for token in &collected {
            let token = token.get();
            text.push(py, &token.sql, token.place);
        }
    }
    data::decode(py, &text.out)
}

/// The tokens of an iterable.
fn collect<'py>(tokens: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, Token>>> {
    tokens.try_iter()?.map(|token| Ok(token?.cast_into::<Token>()?)).collect()
}

/// A query that is put together again.
#[derive(Default)]
struct Text<'a> {
    out: Vec<u8>,
    last: Option<(&'a Py<PyBytes>, Place)>,
}

impl<'a> Text<'a> {
    fn push(&mut self, py: Python<'_>, sql: &'a Py<PyBytes>, place: Place) {
        if place.id == TokenId::Comment {
            return;
        }
        let bytes = sql.as_bytes(py);
        if let Some((last_sql, last)) = self.last {
            let between = Place { id: TokenId::Unknown, start: last.end, end: place.start };
            let in_order = last_sql.is(sql) && last.end <= place.start;
            self.out.extend_from_slice(if in_order { gap(between.raw(bytes)) } else { b" " });
        }
        self.out.extend_from_slice(place.raw(bytes));
        self.last = Some((sql, place));
    }
}

/// What takes the place of the bytes between two tokens. The tokenizer does not know `#` comments, therefore a line
/// end must stay one.
fn gap(between: &[u8]) -> &[u8] {
    if legacy::tokenize(between).next().is_none() {
        between
    } else if between.contains(&b'\n') {
        b"\n"
    } else {
        b" "
    }
}
