//! What range of the runs is on screen.

use serde::{Deserialize, Serialize};

/// The range of the horizontal axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Viewport {
    /// Everything, from the first step to the last.
    #[default]
    Whole,
    /// So much of the end, as it grows.
    Tail { width: f64 },
    /// From here to there.
    Fixed { from: f64, to: f64 },
}

/// What one zoom multiplies the width with.
const ZOOM: f64 = 0.5;
/// The share of the range that one step pans over.
const PAN: f64 = 0.25;

impl Viewport {
    /// From where to where, of curves that end at `end`.
    pub(super) fn range(self, end: f64) -> (f64, f64) {
        let end = if end > 0.0 { end } else { 1.0 };
        match self {
            Self::Whole => (0.0, end),
            Self::Tail { width } => ((end - width).max(0.0), end),
            Self::Fixed { from, to } => (from, to),
        }
    }

    /// Nearer, with the cursor where it is on screen; without one, towards the end.
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

    /// Farther, until everything is on screen.
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
        Self::Fixed { from, to: from + width }.held_within(end)
    }

    /// To the left (-1) or to the right (1).
    pub(super) fn panned(self, direction: f64, end: f64) -> Self {
        let (from, to) = self.range(end);
        let way = (to - from) * PAN * direction;
        match self {
            Self::Whole => self,
            _ => Self::Fixed { from: from + way, to: to + way }.held_within(end),
        }
    }

    /// With a place in sight: as it is where it is in sight already, else with it in the middle.
    pub(super) fn showing(self, place: f64, end: f64) -> Self {
        let (from, to) = self.range(end);
        if (from..=to).contains(&place) {
            return self;
        }
        let half = (to - from) / 2.0;
        Self::Fixed { from: place - half, to: place + half }.held_within(end)
    }

    /// The tail, as wide as what is on screen, or a quarter of the whole.
    pub(super) fn at_the_tail(self, end: f64) -> Self {
        match self {
            Self::Whole => Self::Tail { width: end.max(1.0) / 4.0 },
            Self::Tail { .. } => self,
            Self::Fixed { from, to } => Self::Tail { width: to - from },
        }
    }

    fn held_within(self, end: f64) -> Self {
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
    fn zoom_keeps_the_cursor_and_comes_back() {
        let near = Viewport::Whole.zoomed_in(Some(250.0), 1000.0, 1.0);
        assert_eq!(near, Viewport::Fixed { from: 125.0, to: 625.0 });
        assert_eq!(near.zoomed_out(Some(250.0), 1000.0), Viewport::Whole);
        assert_eq!(Viewport::Whole.zoomed_in(None, 1000.0, 1.0), Viewport::Tail { width: 500.0 });
        assert_eq!(Viewport::Tail { width: 500.0 }.range(2000.0), (1500.0, 2000.0), "the tail moves on");
        assert_eq!(near.at_the_tail(1000.0), Viewport::Tail { width: 500.0 });
    }

    #[test]
    fn panning_stops_at_the_ends_and_a_place_comes_into_sight() {
        let near = Viewport::Fixed { from: 0.0, to: 100.0 };
        assert_eq!(near.panned(-1.0, 1000.0), near);
        assert_eq!(near.panned(1.0, 1000.0), Viewport::Fixed { from: 25.0, to: 125.0 });
        assert_eq!(near.showing(500.0, 1000.0), Viewport::Fixed { from: 450.0, to: 550.0 });
        assert_eq!(near.showing(50.0, 1000.0), near);
    }

    proptest! {
        #[test]
        fn a_range_is_never_empty(keys in prop::collection::vec((0_u8..6, 0.0_f64..1000.0), 0..60), end in 0.0_f64..1000.0) {
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
