//! The SQL console.

use std::ops::ControlFlow;

use super::cell::cells;
use super::{Host, Refused, Running, lock};
use crate::protocol::{PlanStep, Source, SqlResult};

/// The most rows of a result.
const MAX_ROWS: u64 = 10_000;

impl Host {
    pub(super) fn sql(
        &self,
        source: &Source,
        sql: &str,
        limit: u64,
        running: &Running,
    ) -> Result<SqlResult, Refused> {
        let state = self.sources.state(source)?;
        let state = lock(&state);
        let limit = usize::try_from(limit.min(MAX_ROWS)).unwrap_or_default();
        running.reading(&state, || {
            let mut watch = Watch::start();
            let query = state.query(sql)?;
            let columns = query.columns();
            let (mut rows, mut truncated) = (Vec::new(), false);
            query.for_each(|row| {
                truncated = rows.len() >= limit;
                if truncated {
                    return ControlFlow::Break(());
                }
                rows.push(cells(row));
                ControlFlow::Continue(())
            })?;
            let micros = watch.micros();
            // What has no plan, has none to show.
            let plan = state.explain(sql).unwrap_or_default();
            let plan = plan.iter().map(|line| step(line)).collect();
            Ok(SqlResult { columns, rows, truncated, micros, plan, seq: state.head().to_string() })
        })
    }
}

fn step(line: &str) -> PlanStep {
    let detail = line.trim_start();
    let depth = (line.len() - detail.len()) / 2;
    PlanStep { depth: u32::try_from(depth).unwrap_or(u32::MAX), detail: detail.to_owned() }
}

/// Measures time, where there is a clock.
struct Watch(#[cfg(not(target_family = "wasm"))] std::time::Instant);

impl Watch {
    #[cfg(not(target_family = "wasm"))]
    #[expect(clippy::disallowed_methods, reason = "a tool has a clock")]
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    #[cfg(not(target_family = "wasm"))]
    fn micros(&mut self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    #[cfg(target_family = "wasm")]
    fn start() -> Self {
        Self()
    }

    #[cfg(target_family = "wasm")]
    fn micros(&mut self) -> u64 {
        0
    }
}
