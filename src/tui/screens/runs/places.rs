//! The positions of points on the horizontal axes.

/// The quantity on the horizontal axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::tui) enum XAxis {
    #[default]
    Steps,
    Epochs,
    Time,
}

impl XAxis {
    pub(in crate::tui) const fn title(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Epochs => "epochs",
            Self::Time => "time",
        }
    }

    pub(in crate::tui) const fn next(self) -> Self {
        match self {
            Self::Steps => Self::Epochs,
            Self::Epochs => Self::Time,
            Self::Time => Self::Steps,
        }
    }
}

/// The positions of points on each horizontal axis.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct Places {
    steps: Vec<f64>,
    epochs: Vec<f64>,
    seconds: Vec<f64>,
}

impl Places {
    /// Adds a point; `seconds` is the time since the start, which does not go back.
    pub(in crate::tui) fn push(&mut self, step: u64, epoch: f64, seconds: f64) {
        self.steps.push(step as f64);
        self.epochs.push(epoch);
        self.seconds.push(seconds);
    }

    /// Keeps the first `length` points only.
    pub(in crate::tui) fn truncate(&mut self, length: usize) {
        self.steps.truncate(length);
        self.epochs.truncate(length);
        self.seconds.truncate(length);
    }

    /// The positions on an axis.
    pub(in crate::tui) fn on(&self, axis: XAxis) -> &[f64] {
        match axis {
            XAxis::Steps => &self.steps,
            XAxis::Epochs => &self.epochs,
            XAxis::Time => &self.seconds,
        }
    }

    /// The index of the point nearest to a position on an axis.
    pub(in crate::tui) fn nearest(&self, axis: XAxis, place: f64) -> Option<usize> {
        let places = self.on(axis);
        let right = places.partition_point(|other| *other < place);
        let left = right.saturating_sub(1);
        let right = right.min(places.len().checked_sub(1)?);
        Some(if place - places[left] <= places[right] - place { left } else { right })
    }
}
