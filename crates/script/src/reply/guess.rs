//! The types of columns that have a name only: their cells decide.
//!
//! Numbers of several kinds make the kind that has them all; cells of other kinds beside each other make text.

use std::sync::Arc;

use wire::result::{ColumnFlags, ColumnType};

use super::cells::Kind;
use super::columns::{NewColumn, with_defaults};
use crate::values::Scalar;

/// Digits behind the point of a second that has any.
const MICROS: u8 = 6;

/// What the cells of the columns were so far.
#[derive(Debug)]
pub struct Guesses(Vec<Option<Seen>>);

/// What the cells of one column were.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    integer: bool,
    float: bool,
    decimal: bool,
    date: bool,
    date_time: bool,
    time: bool,
    text: bool,
    bytes: bool,
    /// An integer was below zero.
    negative: bool,
    /// An integer was larger than the largest signed one.
    large: bool,
    /// An integer was out of all ranges.
    huge: bool,
    /// Most digits behind the point.
    decimals: u8,
}

impl Guesses {
    /// For these columns.
    pub fn new(columns: &[NewColumn]) -> Self {
        Self(columns.iter().map(|new| (!new.names_type).then(Seen::default)).collect())
    }

    /// Whether the type of any column has to be found.
    pub fn are_needed(&self) -> bool {
        self.0.iter().any(Option::is_some)
    }

    /// A cell of column `n` was of this kind, and is this text.
    pub fn saw(&mut self, n: usize, kind: Kind, text: &[u8]) {
        if let Some(Some(seen)) = self.0.get_mut(n) {
            seen.saw(kind, text);
        }
    }

    /// Gives the columns the types that were found.
    pub fn settle(&self, columns: &mut [NewColumn]) {
        for (seen, new) in self.0.iter().zip(columns) {
            if let Some(seen) = seen {
                let (column_type, flags, decimals) = seen.column_type();
                let mut column = with_defaults(new.column.name.clone(), column_type);
                column.flags |= flags;
                column.decimals = decimals.unwrap_or(column.decimals);
                *new =
                    NewColumn { column: Arc::new(column), names_charset: true, names_type: true };
            }
        }
    }
}

impl Seen {
    fn saw(&mut self, kind: Kind, text: &[u8]) {
        match kind {
            Kind::Null => {}
            Kind::Text => self.text = true,
            Kind::Bytes => self.bytes = true,
            Kind::Scalar(scalar) => {
                match scalar {
                    Scalar::Integer => self.saw_integer(text),
                    Scalar::Float => self.float = true,
                    Scalar::Decimal => self.decimal = true,
                    Scalar::Date => self.date = true,
                    Scalar::DateTime => self.date_time = true,
                    Scalar::Time => self.time = true,
                }
                let fraction = text.iter().rev().position(|byte| *byte == b'.').unwrap_or(0);
                self.decimals = self.decimals.max(u8::try_from(fraction).unwrap_or(u8::MAX));
            }
        }
    }

    fn saw_integer(&mut self, text: &[u8]) {
        self.integer = true;
        self.negative |= text.starts_with(b"-");
        let text = str::from_utf8(text).unwrap_or_default();
        if text.parse::<i64>().is_err() {
            self.large |= text.parse::<u64>().is_ok();
            self.huge |= text.parse::<u64>().is_err();
        }
    }

    /// Type, further flags, and the digits behind the point if they are other than usual.
    fn column_type(&self) -> (ColumnType, ColumnFlags, Option<u8>) {
        let plain = |column_type| (column_type, ColumnFlags::empty(), None);
        let numbers = self.integer || self.float || self.decimal;
        let kinds = [numbers, self.date, self.date_time, self.time, self.text];
        if self.bytes {
            plain(ColumnType::BLOB)
        } else if self.text || kinds.into_iter().filter(|has| *has).count() != 1 {
            plain(ColumnType::VAR_STRING)
        } else if numbers {
            self.number()
        } else if self.date {
            plain(ColumnType::DATE)
        } else {
            let column_type = if self.time { ColumnType::TIME } else { ColumnType::DATETIME };
            (column_type, ColumnFlags::empty(), (self.decimals > 0).then_some(MICROS))
        }
    }

    fn number(&self) -> (ColumnType, ColumnFlags, Option<u8>) {
        let none = ColumnFlags::empty();
        if self.float {
            (ColumnType::DOUBLE, none, None)
        } else if self.decimal || self.huge || (self.large && self.negative) {
            (ColumnType::NEWDECIMAL, none, Some(self.decimals))
        } else if self.large {
            (ColumnType::LONGLONG, ColumnFlags::UNSIGNED, None)
        } else {
            (ColumnType::LONGLONG, none, None)
        }
    }
}
