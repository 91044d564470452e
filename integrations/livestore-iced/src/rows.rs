//! Lists of any length.

use std::ops::Range;

use iced::widget::scrollable::Viewport;
use iced::widget::{column, container, keyed_column, scrollable, space};
use iced::{Element, Fill};
use livestore::live::{List, SharedRow};

/// The height that is drawn until iced has laid out the list: that of a large screen.
const INITIAL_HEIGHT: f32 = 2_160.0;

/// How far a list is scrolled, and how much of it fits. It is part of the app's state; [`rows`] sends a
/// message with each new one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scroll {
    offset: f32,
    height: f32,
}

impl Default for Scroll {
    /// The start of the list.
    fn default() -> Self {
        Self { offset: 0.0, height: INITIAL_HEIGHT }
    }
}

impl From<Viewport> for Scroll {
    fn from(viewport: Viewport) -> Self {
        Self { offset: viewport.absolute_offset().y, height: viewport.bounds().height }
    }
}

impl Scroll {
    /// Returns the positions of the visible rows, in a list of `len` rows of this height.
    pub fn visible(&self, row_height: f32, len: usize) -> Range<usize> {
        let row = |offset: f32| (offset / row_height).max(0.0);
        let (first, end) = (row(self.offset).floor(), row(self.offset + self.height).ceil());
        let visible = (end - first) as usize;
        let end = (end as usize).min(len);
        // A list that has become shorter shows its end.
        (first as usize).min(len.saturating_sub(visible))..end
    }
}

/// Shows a list of any length: draws the visible rows, and leaves space for the others.
///
/// All rows have the same height. `key` identifies a row, as its primary key does, so that the state of its
/// widgets moves along with it.
///
/// ```
/// # use iced::Element;
/// # use iced::widget::text;
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::items::Item;
/// use livestore_iced::{Scroll, rows};
///
/// struct Items {
///     items: LiveQuery<List<Item>>,
///     scroll: Scroll,
/// }
///
/// #[derive(Debug, Clone)]
/// enum Message {
///     Scrolled(Scroll), // update: self.scroll = scroll
/// }
///
/// impl Items {
///     fn view(&self) -> Element<'_, Message> {
///         rows(&self.items.get(), self.scroll, 24.0, Message::Scrolled, |item| item.id, |item| {
///             text(item.title.clone()).into()
///         })
///     }
/// }
/// ```
pub fn rows<'a, T, K: Copy + PartialEq + 'static, Message: 'a>(
    list: &List<T>,
    scroll: Scroll,
    row_height: f32,
    on_scroll: impl Fn(Scroll) -> Message + 'a,
    key: impl Fn(&T) -> K,
    view: impl Fn(&SharedRow<T>) -> Element<'a, Message>,
) -> Element<'a, Message> {
    let range = scroll.visible(row_height, list.len());
    let space_of = |rows: usize| space().height(rows as f32 * row_height);
    let behind = list.len().saturating_sub(range.end);
    let before = range.start;
    let drawn = range.filter_map(|index| list.get(index)).map(|row| {
        (key(row), container(view(row)).height(row_height).width(Fill).clip(true).into())
    });
    scrollable(column![space_of(before), keyed_column(drawn), space_of(behind)])
        .on_scroll(move |viewport| on_scroll(Scroll::from(viewport)))
        .width(Fill)
        .height(Fill)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: f32) -> Scroll {
        Scroll { offset, height: 100.0 }
    }

    #[test]
    fn rows_are_visible_even_if_only_in_part() {
        assert_eq!(at(0.0).visible(20.0, 100_000), 0..5);
        assert_eq!(at(30.0).visible(20.0, 100_000), 1..7);
        assert_eq!(at(1_999_900.0).visible(20.0, 100_000), 99_995..100_000);
    }

    #[test]
    fn a_list_that_has_become_shorter_shows_its_end() {
        assert_eq!(at(1_000.0).visible(20.0, 7), 2..7);
        assert_eq!(at(1_000.0).visible(20.0, 3), 0..3);
        assert_eq!(at(1_000.0).visible(20.0, 0), 0..0);
    }

    #[test]
    fn odd_heights_draw_no_more_than_there_is() {
        for height in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert!(at(10.0).visible(height, 10).end <= 10, "{height}");
        }
    }
}
