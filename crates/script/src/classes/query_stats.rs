//! `proxy.globals.query_stats`: which statements take the most time.

use std::sync::Arc;
use std::time::Instant;

use metrics::top::Totals;
use pyo3::prelude::*;

use super::access;
use super::query_stat::QueryStat;
use engine::Shared;

/// What statements take, as the option `pyproxy-query-stats` has it counted.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct QueryStats(Arc<Shared>);

impl QueryStats {
    /// Those of the process; `None` if nothing is counted.
    pub fn new(shared: Arc<Shared>) -> Option<Self> {
        shared.queries.is_some().then_some(Self(shared))
    }

    fn with<R>(&self, f: impl FnOnce(&engine::QueryStats) -> R) -> PyResult<Option<R>> {
        access::of_all(&self.0, || Ok(self.0.queries.as_ref().map(f)))
    }

    fn totals(&self) -> PyResult<Totals> {
        Ok(self.with(|queries| queries.report().totals)?.unwrap_or_default())
    }
}

#[pymethods]
impl QueryStats {
    /// The statements that took the most time, the most costly one first: all that are counted, or the first `limit`.
    #[pyo3(signature = (limit = None, /))]
    fn top(&self, limit: Option<usize>) -> PyResult<Vec<QueryStat>> {
        let top = self.with(|queries| queries.report().top)?.unwrap_or_default();
        Ok(top.into_iter().take(limit.unwrap_or(usize::MAX)).map(QueryStat::new).collect())
    }

    /// Begins anew: everything is counted from now on.
    fn reset(&self) -> PyResult<()> {
        self.with(|queries| queries.reset(Instant::now())).map(drop)
    }

    /// How many statements are shown at most.
    #[getter]
    fn limit(&self) -> PyResult<usize> {
        Ok(self.with(engine::QueryStats::most)?.unwrap_or_default())
    }

    /// Since when it is counted, as Unix time.
    #[getter]
    fn since(&self) -> PyResult<f64> {
        let since = self.with(|queries| queries.report().since)?;
        Ok(since.unwrap_or_default().as_secs_f64())
    }

    /// How many statements came, also those that are not shown.
    #[getter]
    fn calls(&self) -> PyResult<u64> {
        Ok(self.totals()?.calls)
    }

    /// How many of them failed.
    #[getter]
    fn errors(&self) -> PyResult<u64> {
        Ok(self.totals()?.errors)
    }

    /// The time of all of them, in seconds.
    #[getter]
    fn seconds(&self) -> PyResult<f64> {
        Ok(self.totals()?.time.as_secs_f64())
    }

    /// How often one made room for another, and was forgotten.
    #[getter]
    fn forgotten(&self) -> PyResult<u64> {
        Ok(self.totals()?.forgotten)
    }

    fn __repr__(&self) -> String {
        match self.calls() {
            Ok(calls) => format!("<pyproxy.QueryStats, {calls} calls>"),
            Err(_) => "<pyproxy.QueryStats>".to_owned(),
        }
    }
}
