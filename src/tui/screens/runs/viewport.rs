//! The visible range of the horizontal axis.

use serde::{Deserialize, Serialize};

/// The visible range of the horizontal axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Viewport {
    /// Everything, from the first step to the last.
    #[default]
    Whole,
    /// The last part of the run, following its growth.
    Tail {
        width: f64,
    },
    Fixed {
        from: f64,
        to: f64,
    },
}

/// The factor by which one zoom changes the width.
const ZOOM: f64 = 0.5;
/// The share of the width by which one step pans.
const PAN: f64 = 0.25;

impl Viewport {
    /// The range for curves that end at `end`.
    pub(super) fn range(self, end: f64) -> (f64, f64) {
        let end = if end > 0.0 { end } else { 1.0 };
        match self {
            Self::Whole => (0.0, end),
            Self::Tail { width } => ((end - width).max(0.0), end),
            Self::Fixed { from, to } => (from, to),
        }
    }

    /// Zooms in, keeping the cursor in place; without a cursor, towards the end.
    pub(super) fn zoomed_in(self, cursor: Option<f64>, end: f64, least: f64) -> Self {
        let (from, to) = self.range(end);
        let width = ((to - from) * ZOOM).max(least);
        if width >= to - from {
            return self;
        }
        match cursor.filter(|cursor| (from..=to).contains(cursor)) {
            Some(cursor) => {
                let share = (cursor - from) / (to - from);
                let from = cursor - width * share;
                Self::Fixed { from, to: from + width }
            }
            None if matches!(self, Self::Fixed { .. }) => {
                let middle = f64::midpoint(from, to);
                Self::Fixed { from: middle - width / 2.0, to: middle + width / 2.0 }
            }
            None => Self::Tail { width },
        }
    }

    /// Zooms out, at most to the whole range.
    pub(super) fn zoomed_out(self, cursor: Option<f64>, end: f64) -> Self {
        let (from, to) = self.range(end);
        let width = (to - from) / ZOOM;
        if width >= end.max(1.0) {
            return Self::Whole;
        }
        if let Self::Tail { .. } = self {
            return Self::Tail { width };
        }
        let fixed = cursor.filter(|cursor| (from..=to).contains(cursor)).unwrap_or(f64::midpoint(from, to));
        let from = fixed - width * (fixed - from) / (to - from);
        Self::Fixed { from, to: from + width }.clamped(end)
    }

    /// Pans to the left (-1) or to the right (1).
    pub(super) fn panned(self, direction: f64, end: f64) -> Self {
        let (from, to) = self.range(end);
        let way = (to - from) * PAN * direction;
        match self {
            Self::Whole => self,
            _ => Self::Fixed { from: from + way, to: to + way }.clamped(end),
        }
    }

    /// Makes a position visible: in the middle, unless it is visible already.
    pub(super) fn showing(self, place: f64, end: f64) -> Self {
        let (from, to) = self.range(end);
        if (from..=to).contains(&place) {
            return self;
        }
        let half = (to - from) / 2.0;
        Self::Fixed { from: place - half, to: place + half }.clamped(end)
    }

    /// Follows the tail with the present width, or with a quarter of the whole.
    pub(super) fn at_the_tail(self, end: f64) -> Self {
        match self {
            Self::Whole => Self::Tail { width: end.max(1.0) / 4.0 },
            Self::Tail { .. } => self,
            Self::Fixed { from, to } => Self::Tail { width: to - from },
        }
    }

    fn clamped(self, end: f64) -> Self {
        let Self::Fixed { from, to } = self else { return self };
        let width = to - from;
        let from = from.min(end - width).max(0.0);
        Self::Fixed { from, to: from + width }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn zooming_keeps_the_cursor_and_can_be_undone() {
        let near = Viewport::Whole.zoomed_in(Some(250.0), 1000.0, 1.0);
        assert_eq!(near, Viewport::Fixed { from: 125.0, to: 625.0 });
        assert_eq!(near.zoomed_out(Some(250.0), 1000.0), Viewport::Whole);
        assert_eq!(Viewport::Whole.zoomed_in(None, 1000.0, 1.0), Viewport::Tail { width: 500.0 });
        assert_eq!(Viewport::Tail { width: 500.0 }.range(2000.0), (1500.0, 2000.0), "the tail moves on");
        assert_eq!(near.at_the_tail(1000.0), Viewport::Tail { width: 500.0 });
    }

    #[test]
    fn panning_stops_at_the_ends_and_a_position_is_made_visible() {
        let near = Viewport::Fixed { from: 0.0, to: 100.0 };
        assert_eq!(near.panned(-1.0, 1000.0), near);
        assert_eq!(near.panned(1.0, 1000.0), Viewport::Fixed { from: 25.0, to: 125.0 });
        assert_eq!(near.showing(500.0, 1000.0), Viewport::Fixed { from: 450.0, to: 550.0 });
        assert_eq!(near.showing(50.0, 1000.0), near);
    }

    proptest! {
        #[test]
        fn the_range_is_never_empty(
            keys in prop::collection::vec((0_u8..6, 0.0_f64..1000.0), 0..60),
            end in 0.0_f64..1000.0,
        ) {
            let mut view = Viewport::Whole;
            for (key, place) in keys {
                let cursor = (place > 500.0).then_some(place);
                view = match key {
                    0 | 1 => view.zoomed_in(cursor, end, 1e-3),
                    2 => view.zoomed_out(cursor, end),
                    3 => view.panned(1.0, end),
                    4 => view.showing(place, end),
                    _ => view.at_the_tail(end),
                };
                let (from, to) = view.range(end);
                prop_assert!(from < to && from.is_finite() && to.is_finite(), "{view:?}");
            }
        }
    }
}
