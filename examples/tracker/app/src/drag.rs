//! Dragging a card to another place of the board.

use dioxus::html::geometry::PixelsRect;
use dioxus::html::input_data::MouseButton;
use dioxus::prelude::*;
use livestore::now;
use tracker_schema::{Issue, IssueEvent};

use crate::board::{CARD, Column};
use crate::ui::Ui;
use crate::window::Shared;

/// So far the pointer moves before a click becomes a drag, in pixels.
const SLOP: f64 = 5.0;

/// A card that the pointer holds.
#[derive(Clone, PartialEq)]
pub(crate) struct Lifted {
    pub(crate) issue: Shared,
    /// Where on the card the pointer is.
    pub(crate) grip: (f64, f64),
    pub(crate) width: f64,
    /// Where the pointer came down.
    from: (f64, f64),
    pub(crate) is_moving: bool,
}

/// The state of it, which a board gives to its columns.
#[derive(Clone, Copy)]
pub(crate) struct Drag {
    columns: CopyValue<Vec<Column>>,
    pub(crate) lifted: Signal<Option<Lifted>>,
    pub(crate) pointer: Signal<(f64, f64)>,
    /// The column, and the place in it among the cards that stay.
    pub(crate) target: Signal<Option<(usize, usize)>>,
    /// Where the columns are, from when a card is lifted.
    areas: CopyValue<Vec<PixelsRect>>,
    has_moved: CopyValue<bool>,
}

impl Drag {
    pub(crate) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self {
            columns: CopyValue::new(columns.into()),
            lifted: Signal::new(None),
            pointer: Signal::new((0.0, 0.0)),
            target: Signal::new(None),
            areas: CopyValue::new(Vec::new()),
            has_moved: CopyValue::new(false),
        }
    }

    pub(crate) fn is_moving(self) -> bool {
        self.lifted.read().as_ref().is_some_and(|lifted| lifted.is_moving)
    }

    /// Whether the last card that was lifted has been dragged, so that its click is none.
    pub(crate) fn has_moved(self) -> bool {
        *self.has_moved.peek()
    }

    /// The pointer comes down on a card.
    pub(crate) fn lift(mut self, issue: &Shared, event: &Event<PointerData>) {
        self.has_moved.set(false);
        // A finger scrolls.
        if event.trigger_button() != Some(MouseButton::Primary) || event.pointer_type() == "touch" {
            return;
        }
        let from = client(event);
        let issue = issue.clone();
        let elements: Vec<_> =
            self.columns.peek().iter().filter_map(|column| column.element.peek().clone()).collect();
        spawn(async move {
            let mut areas = Vec::new();
            for element in elements {
                areas.extend(element.get_client_rect().await.ok());
            }
            if areas.len() == self.columns.peek().len() {
                self.areas.set(areas);
                let (grip, width) = self.grip(&issue, from);
                self.lifted.set(Some(Lifted { issue, grip, width, from, is_moving: false }));
            }
        });
    }

    /// Where on its card the pointer is, and the width of the card.
    fn grip(self, issue: &Shared, (x, y): (f64, f64)) -> ((f64, f64), f64) {
        let columns = self.columns.peek();
        let areas = self.areas.peek();
        let at = columns.iter().position(|column| column.status == issue.status);
        let found = at.and_then(|at| columns.get(at).zip(areas.get(at)));
        let Some((column, area)) = found else { return ((0.0, 0.0), 0.0) };
        let inside = y - area.min_y() + column.view.peek().0;
        ((x - area.min_x(), inside.rem_euclid(CARD)), area.width())
    }

    /// The pointer moves.
    pub(crate) fn move_to(mut self, event: &Event<PointerData>) {
        let Some(lifted) = self.lifted.peek().clone() else { return };
        // It was let go outside of the window.
        if event.held_buttons().is_empty() {
            return self.cancel();
        }
        let (x, y) = client(event);
        if !lifted.is_moving {
            if (x - lifted.from.0).hypot(y - lifted.from.1) < SLOP {
                return;
            }
            self.has_moved.set(true);
            self.lifted.set(Some(Lifted { is_moving: true, ..lifted.clone() }));
        }
        self.pointer.set((x, y));
        let target = self.target_at(&lifted, x, y);
        if *self.target.peek() != target {
            self.target.set(target);
        }
    }

    fn target_at(self, lifted: &Lifted, x: f64, y: f64) -> Option<(usize, usize)> {
        let (columns, areas) = (self.columns.peek(), self.areas.peek());
        let at = areas.iter().position(|area| x < area.max_x()).unwrap_or(areas.len() - 1);
        let (column, area) = (columns.get(at)?, areas.get(at)?);
        let middle = y - lifted.grip.1 + CARD / 2.0;
        let place = ((middle - area.min_y() + column.view.peek().0) / CARD).max(0.0) as usize;
        let is_own = column.status == lifted.issue.status;
        Some((at, place.min(column.shown.total() - usize::from(is_own))))
    }

    /// The pointer lets go: the issue goes where the card is.
    pub(crate) fn drop_for(self, ui: Ui) {
        let (lifted, target) = (self.lifted.peek().clone(), *self.target.peek());
        self.cancel();
        let Some((lifted, (column, place))) = lifted.filter(|it| it.is_moving).zip(target) else {
            return;
        };
        let Some(column) = self.columns.peek().get(column).copied() else { return };
        let Some(window) = ui.report(column.shown.get()) else { return };
        let stays = |issue: &&Shared| issue.id != lifted.issue.id;
        let rows: Vec<_> = window.rows().iter().cloned().collect();
        let own = rows.iter().position(|issue| issue.id == lifted.issue.id);
        // The window's first row is at this place, among those that stay.
        let start = window.start();
        let (before, behind): (Vec<_>, Vec<_>) =
            rows.iter().filter(stays).enumerate().partition(|(at, _)| start + at < place);
        let before = before.last().map(|(_, issue)| *issue);
        // Of those with the same rank, none can be between.
        let is_behind = |issue: &&Shared| before.is_none_or(|before| before.rank < issue.rank);
        let behind = behind.into_iter().map(|(_, issue)| issue).find(is_behind);
        let is_where_it_was =
            column.status == lifted.issue.status && own.is_some_and(|own| start + own == place);
        if is_where_it_was {
            return;
        }
        fn issue(shared: &Shared) -> &Issue {
            shared
        }
        let rank = Issue::rank_between(before.map(issue), behind.map(issue));
        let Some(rank) = ui.report(rank) else { return };
        let (id, status, by) = (lifted.issue.id.clone(), column.status, ui.me());
        ui.commit(IssueEvent::Moved { id, status, rank, by, at: now() });
    }

    /// Nothing is dragged any more.
    pub(crate) fn cancel(mut self) {
        if self.lifted.peek().is_some() {
            self.lifted.set(None);
            self.target.set(None);
        }
    }
}

fn client(event: &Event<PointerData>) -> (f64, f64) {
    let point = event.client_coordinates();
    (point.x, point.y)
}
