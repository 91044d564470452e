//! The viewports that show a value, which a change of it repaints.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use egui::{Context, ViewportIdMap};
use livestore::live::Diff;

/// The viewports that have shown a value since it changed. Others are not repainted.
#[derive(Default)]
pub(crate) struct Viewers(Mutex<ViewportIdMap<Part>>);

/// The rows that a viewport has shown in its last pass.
struct Part {
    context: Context,
    pass: u64,
    /// The rows are being read: any change may be one of theirs.
    reading: bool,
    rows: Range<usize>,
}

impl Viewers {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The current viewport is about to read the value, and shows all of it until
    /// [`show_rows`](Self::show_rows) says what. A change from here on repaints it.
    pub(crate) fn read(&self, context: &Context) {
        let (viewport, pass) = (context.viewport_id(), context.cumulative_pass_nr());
        let mut parts = self.lock();
        let before = parts.remove(&viewport).filter(|part| part.pass == pass);
        let rows = before.map_or(0..0, |part| part.rows);
        parts.insert(viewport, Part { context: context.clone(), pass, reading: true, rows });
    }

    /// The current viewport shows these rows of the list that it has read.
    pub(crate) fn show_rows(&self, context: &Context, rows: Range<usize>) {
        // Where the list has changed meanwhile, there is no part any more, and a repaint is on its way.
        if let Some(part) = self.lock().get_mut(&context.viewport_id()) {
            part.rows = match part.rows.is_empty() {
                true => rows,
                false => part.rows.start.min(rows.start)..part.rows.end.max(rows.end),
            };
            part.reading = false;
        }
    }

    /// The value has changed: repaints all that show it.
    pub(crate) fn repaint(&self) {
        self.repaint_if(|_| true);
    }

    /// A list has changed: repaints those who show a row that differs now, or all of them if rows have
    /// come, gone or moved, or if the query has begun to fail or works again.
    pub(crate) fn repaint_steps<T>(&self, steps: &[Diff<T>]) {
        self.repaint_if(|part| {
            let shows = |step: &Diff<T>| match step {
                Diff::Update { index, .. } => part.rows.contains(index),
                _ => true,
            };
            part.reading || steps.is_empty() || steps.iter().any(shows)
        });
    }

    fn repaint_if(&self, shows: impl Fn(&Part) -> bool) {
        // Not within the loop: egui has its own lock, and may call into the app's event loop.
        let viewers: Vec<_> = self.lock().extract_if(|_, part| shows(part)).collect();
        for (viewport, part) in viewers {
            part.context.request_repaint_of(viewport);
        }
    }

    fn lock(&self) -> MutexGuard<'_, ViewportIdMap<Part>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
