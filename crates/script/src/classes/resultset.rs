//! `inj.resultset`: the result of a queued query, and one of `inj.resultsets`.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyTuple};
use wire::reply::{ErrPacket, StatusFlags, is_err, set_status_flag};
use wire::result::{KeptPackets, OneResult, Summary, results};
use wire::{Command, MAX_PAYLOAD, marker};

use super::access;
use super::field::Field;
use super::flags::Flags;
use super::rows::ResultRows;
use super::session_changes::SessionChanges;
use crate::layout::Layout;
use crate::text;
use engine::{Injection, Slot};

/// The result of a queued query; of several, the first one's rows and the counters of all.
///
/// The counters are always there. `fields`, `rows`, `raw` and `packets` need `resultset_is_needed=True`, else they are None.
#[pyclass(frozen, module = "pyproxy")]
pub struct Resultset {
    slot: Slot<Injection>,
    /// Which result of the answer this is. `None`: the answer as a whole, with the rows of the first.
    one: Option<OneResult>,
    layout: PyOnceLock<Option<Arc<Layout>>>,
    fields: PyOnceLock<Option<Py<PyTuple>>>,
}

impl Resultset {
    /// The answer to the injection in `slot`.
    pub fn new(slot: Slot<Injection>) -> Self {
        Self { slot, one: None, layout: PyOnceLock::new(), fields: PyOnceLock::new() }
    }

    /// The results of the answer, one by one; none if it was not kept.
    pub fn each(slot: &Slot<Injection>) -> PyResult<Vec<Self>> {
        let found = access::read(slot, "the injection", |injection| {
            let command = injection.query.packet.first().copied().unwrap_or_default();
            results(Command(command), &injection.packets, injection.capabilities)
        })?;
        Ok(found
            .into_iter()
            .map(|one| Self { one: Some(one), ..Self::new(slot.clone()) })
            .collect())
    }

    /// Its packets, to be sent again with another result behind it, or none.
    pub fn packets(&self, py: Python<'_>, is_last: bool) -> PyResult<Vec<Vec<u8>>> {
        let layout = self.layout(py)?.cloned();
        self.read(|injection| {
            let all = 0..injection.packets.len();
            let range = self.one.as_ref().map_or(all, |one| one.packets.clone());
            let mut packets: Vec<_> =
                injection.packets.from(range.start).take(range.len()).map(<[u8]>::to_vec).collect();
            let definitions =
                layout.and_then(|layout| layout.end_of_definitions(injection.capabilities));
            let ends = [definitions.map(|n| n - range.start), packets.len().checked_sub(1)];
            for end in ends.into_iter().flatten() {
                if let Some(payload) = packets.get_mut(end).filter(|payload| !is_err(payload)) {
                    set_status_flag(payload, StatusFlags::MORE_RESULTS_EXISTS, !is_last);
                }
            }
            joined(packets)
        })
    }

    /// The answer, if this is all of one.
    pub fn whole(&self) -> Option<&Slot<Injection>> {
        self.one.is_none().then_some(&self.slot)
    }

    /// The query that it is a result of.
    pub fn slot(&self) -> &Slot<Injection> {
        &self.slot
    }

    /// Whether this is the whole answer to the injection in `slot`.
    pub fn is_answer_to(&self, slot: &Slot<Injection>) -> bool {
        self.one.is_none() && self.slot.is_same(slot)
    }

    fn start(&self) -> usize {
        self.one.as_ref().map_or(0, |one| one.packets.start)
    }

    fn read<R>(&self, f: impl FnOnce(&Injection) -> R) -> PyResult<R> {
        access::read(&self.slot, "the result", f)
    }

    fn count<R>(&self, f: impl FnOnce(&Summary) -> R) -> PyResult<R> {
        self.read(|injection| f(self.one.as_ref().map_or(&injection.summary, |one| &one.summary)))
    }

    fn layout(&self, py: Python<'_>) -> PyResult<Option<&Arc<Layout>>> {
        self.read(|_| ())?;
        let layout = self.layout.get_or_try_init(py, || {
            self.read(|injection| Layout::at(self.start(), injection).map(Arc::new))
        })?;
        Ok(layout.as_ref())
    }
}

#[pymethods]
impl Resultset {
    /// The columns: a tuple of fields. None if there is no result set, or it was not kept.
    #[getter]
    fn fields(&self, py: Python<'_>) -> PyResult<Option<Py<PyTuple>>> {
        let Some(layout) = self.layout(py)? else { return Ok(None) };
        let fields = self.fields.get_or_try_init(py, || -> PyResult<_> {
            let fields = layout.columns().iter().map(|column| Field::new(Arc::clone(column)));
            let fields: PyResult<Vec<_>> = fields.map(|field| Py::new(py, field)).collect();
            Ok(Some(PyTuple::new(py, fields?)?.unbind()))
        })?;
        Ok(fields.as_ref().map(|fields| fields.clone_ref(py)))
    }

    /// The names of the columns: a tuple. None if there is no result set, or it was not kept.
    #[getter]
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let Some(layout) = self.layout(py)? else { return Ok(None) };
        let names = layout.columns().iter().map(|column| text::to_str(py, &column.name));
        Ok(Some(PyTuple::new(py, names.collect::<PyResult<Vec<_>>>()?)?))
    }

    /// The rows. None if there is no result set, or it was not kept.
    #[getter]
    fn rows(&self, py: Python<'_>) -> PyResult<Option<ResultRows>> {
        let Some(layout) = self.layout(py)? else { return Ok(None) };
        let packets = self.read(|injection| Arc::downgrade(&injection.packets))?;
        Ok(Some(ResultRows::new(packets, Arc::clone(layout))))
    }

    /// The payload of the first packet. None if the result was not kept.
    #[getter]
    fn raw<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let first = self.read(|injection| payload_at(self.start(), &injection.packets))?;
        Ok(first.map(|payload| PyBytes::new(py, &payload)))
    }

    /// The payloads of the answer, as `pyproxy.Raw` takes them: a tuple. None if the result was not kept.
    #[getter(packets)]
    fn all_packets<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        if self.read(|injection| injection.packets.is_empty())? {
            return Ok(None);
        }
        let payloads = self.packets(py, true)?;
        let payloads = payloads.iter().map(|payload| PyBytes::new(py, payload));
        Ok(Some(PyTuple::new(py, payloads)?))
    }

    /// The payload of the ERR that ended the result; None if it ended well. Always there.
    #[getter]
    fn error<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let error = self.read(|injection| match &self.one {
            None => injection.error.clone(),
            Some(one) => {
                let last = injection.packets.get(one.packets.end.checked_sub(1)?)?;
                is_err(last).then(|| last.to_vec())
            }
        })?;
        Ok(error.map(|payload| PyBytes::new(py, &payload)))
    }

    /// Raises ServerError if an ERR ended the result.
    fn raise_for_error(&self, py: Python<'_>) -> PyResult<()> {
        let Some(error) = self.error(py)? else { return Ok(()) };
        let Ok(err) = ErrPacket::parse(error.as_bytes()) else { return Ok(()) };
        let class = py.import("pyproxy._errors")?.getattr("ServerError")?;
        let sqlstate = String::from_utf8_lossy(&err.sqlstate.unwrap_or(*b"HY000")).into_owned();
        let message = String::from_utf8_lossy(err.message).into_owned();
        Err(PyErr::from_value(class.call1((err.code, sqlstate, message))?))
    }

    /// Number of rows, of all result sets of the answer.
    #[getter]
    fn row_count(&self) -> PyResult<u64> {
        self.count(|summary| summary.row_count)
    }

    /// Length of all row packets, headers included.
    #[getter]
    fn bytes(&self) -> PyResult<u64> {
        self.count(|summary| summary.bytes)
    }

    /// Number of rows changed; None if rows came.
    #[getter]
    fn affected_rows(&self) -> PyResult<Option<u64>> {
        self.count(|summary| summary.affected_rows)
    }

    /// The last AUTO_INCREMENT value; None if rows came.
    #[getter]
    fn insert_id(&self) -> PyResult<Option<u64>> {
        self.count(|summary| summary.insert_id)
    }

    /// Number of warnings.
    #[getter]
    fn warning_count(&self) -> PyResult<u16> {
        self.count(|summary| summary.warnings)
    }

    /// `MYSQLD_PACKET_OK` for OK or a result set, `MYSQLD_PACKET_ERR` for an error; None if the server asks for a
    /// file.
    #[getter]
    fn query_status(&self) -> PyResult<Option<u8>> {
        self.count(|summary| summary.query_status)
    }

    /// What changed in the session, by all results of the answer; None if the server does not report it. Always there.
    #[getter]
    fn session_changes(&self) -> PyResult<Option<SessionChanges>> {
        self.read(|injection| injection.changes.as_deref().cloned().map(SessionChanges::new))
    }

    /// What the server said about the session.
    #[getter]
    fn flags(&self) -> PyResult<Flags> {
        self.count(|summary| Flags::new(summary.status))
    }

    fn __repr__(&self) -> String {
        match self.count(|summary| (summary.has_resultset, summary.row_count, summary.query_status))
        {
            Ok((true, rows, _)) => format!("<pyproxy.Resultset, {rows} rows>"),
            Ok((false, _, Some(marker::ERR))) => "<pyproxy.Resultset, an error>".to_owned(),
            Ok(_) => "<pyproxy.Resultset, no rows>".to_owned(),
            Err(_) => "<pyproxy.Resultset (gone)>".to_owned(),
        }
    }
}

/// Payloads out of packets: one of the full length goes on in the next.
fn joined(packets: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut payloads: Vec<Vec<u8>> = Vec::with_capacity(packets.len());
    let mut goes_on = false;
    for packet in packets {
        let is_full = packet.len() == MAX_PAYLOAD;
        match payloads.last_mut().filter(|_| goes_on) {
            Some(payload) => payload.extend(packet),
            None => payloads.push(packet),
        }
        goes_on = is_full;
    }
    payloads
}

/// The payload that begins with this packet, which may span several.
fn payload_at(start: usize, packets: &KeptPackets) -> Option<Vec<u8>> {
    let mut payload = packets.get(start)?.to_vec();
    let mut last = payload.len();
    for part in packets.from(start + 1) {
        if last != MAX_PAYLOAD {
            break;
        }
        payload.extend_from_slice(part);
        last = part.len();
    }
    Some(payload)
}
