//! The tokens of a query as a sequence of objects.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyIndexError, PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PySlice};
use sqltok::legacy;

use super::place::Place;
use super::token::Token;

/// Places reserved in advance at most.
const MOST_RESERVED: usize = 4096;

/// The tokens of a query: an immutable sequence that makes a Token when one is asked for.
#[pyclass(frozen, sequence, module = "pyproxy.tokenizer")]
#[derive(Debug)]
pub struct Tokens {
    pub(super) sql: Py<PyBytes>,
    pub(super) places: Vec<Place>,
}

impl Tokens {
    /// The tokens of `sql`.
    pub fn of(sql: &Bound<'_, PyBytes>) -> PyResult<Self> {
        let bytes = sql.as_bytes();
        if u32::try_from(bytes.len()).is_err() {
            return Err(PyOverflowError::new_err("a query of 4 GiB or more"));
        }
        let place = |token: legacy::Token<'_>| {
            let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            Place { id: token.id, start: at(token.span.start), end: at(token.span.end) }
        };
        // Queries have some five bytes per token, unless they consist of long texts.
        let mut places = Vec::with_capacity((bytes.len() / 4 + 1).min(MOST_RESERVED));
        places.extend(legacy::tokenize(bytes).map(place));
        Ok(Self { sql: sql.clone().unbind(), places })
    }

    fn token(&self, py: Python<'_>, place: Place) -> Token {
        Token { sql: self.sql.clone_ref(py), place }
    }

    fn slice(&self, slice: &Bound<'_, PySlice>) -> PyResult<Self> {
        let range = slice.indices(isize::try_from(self.places.len())?)?;
        let mut places = Vec::with_capacity(range.slicelength);
        let mut position = range.start;
        for _ in 0..range.slicelength {
            places.extend(self.places.get(usize::try_from(position)?));
            position = position.saturating_add(range.step);
        }
        Ok(Self { sql: self.sql.clone_ref(slice.py()), places })
    }

    /// Positions of the tokens from `start` on that are equal to `value`.
    fn positions<'a>(
        &'a self,
        py: Python<'a>,
        value: &'a Bound<'_, PyAny>,
    ) -> impl Iterator<Item = usize> {
        let token = value.cast::<Token>().ok().map(Bound::get);
        let sql = self.sql.as_bytes(py);
        let equal = move |place: &Place| {
            token
                .is_some_and(|token| token.place == *place && token.raw_bytes(py) == place.raw(sql))
        };
        self.places.iter().enumerate().filter(move |(_, place)| equal(place)).map(|(n, _)| n)
    }
}

/// A position that may count from the end, as a position from the start; none before the start.
fn from_start(position: isize, len: usize) -> Option<usize> {
    if position < 0 {
        len.checked_sub(position.unsigned_abs())
    } else {
        usize::try_from(position).ok()
    }
}

#[pymethods]
impl Tokens {
    fn __len__(&self) -> usize {
        self.places.len()
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = index.py();
        if let Ok(slice) = index.cast::<PySlice>() {
            return self.slice(slice)?.into_bound_py_any(py);
        }
        let position: isize = index
            .extract()
            .map_err(|_| PyTypeError::new_err("indices must be integers or slices"))?;
        let place = from_start(position, self.places.len()).and_then(|n| self.places.get(n));
        let place = place.ok_or_else(|| PyIndexError::new_err("index out of range"))?;
        self.token(py, *place).into_bound_py_any(py)
    }

    fn __iter__(tokens: Bound<'_, Self>) -> TokenIterator {
        TokenIterator { tokens: tokens.unbind(), next: 0, backwards: false }
    }

    fn __reversed__(tokens: Bound<'_, Self>) -> TokenIterator {
        TokenIterator { tokens: tokens.unbind(), next: 0, backwards: true }
    }

    fn __contains__(&self, value: &Bound<'_, PyAny>) -> bool {
        self.positions(value.py(), value).next().is_some()
    }

    /// The position of the first equal token; raises ValueError if there is none.
    #[pyo3(signature = (value, start = 0, stop = isize::MAX, /))]
    fn index(&self, value: &Bound<'_, PyAny>, start: isize, stop: isize) -> PyResult<usize> {
        let len = self.places.len();
        let start = from_start(start, len).unwrap_or(0);
        let stop = from_start(stop, len).unwrap_or(0);
        let mut found = self.positions(value.py(), value);
        found
            .find(|position| (start..stop).contains(position))
            .ok_or_else(|| PyValueError::new_err("no such token"))
    }

    /// How many tokens are equal to this one.
    fn count(&self, value: &Bound<'_, PyAny>) -> usize {
        self.positions(value.py(), value).count()
    }

    fn __repr__(&self) -> String {
        format!("<{} tokens>", self.places.len())
    }
}

/// Makes the tokens one by one.
#[pyclass(module = "pyproxy.tokenizer")]
struct TokenIterator {
    tokens: Py<Tokens>,
    next: usize,
    backwards: bool,
}

#[pymethods]
impl TokenIterator {
    fn __iter__(iterator: Bound<'_, Self>) -> Bound<'_, Self> {
        iterator
    }

    fn __next__(&mut self, py: Python<'_>) -> Option<Token> {
        let tokens = self.tokens.get();
        let len = tokens.places.len();
        let position =
            if self.backwards { len.checked_sub(self.next)?.checked_sub(1)? } else { self.next };
        let place = *tokens.places.get(position)?;
        self.next += 1;
        Some(tokens.token(py, place))
    }

    fn __length_hint__(&self) -> usize {
        self.tokens.get().places.len().saturating_sub(self.next)
    }
}
