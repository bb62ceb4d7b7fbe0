//! The numbers in the cells of the matrix.

use crate::tui::widgets::confusion_matrix::Normalisation;

/// The choice of numbers in the cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CellNumbers {
    pub(super) normalisation: Normalisation,
    /// True if a comparison shows differences instead of flips.
    pub(super) hides_flips: bool,
}

impl CellNumbers {
    /// The next choice, cyclically; in a comparison, the flips are among them.
    pub(super) fn next(self, is_compared: bool) -> Self {
        let is_last = self.normalisation == Normalisation::Columns;
        match (is_compared, self.hides_flips) {
            (true, false) => Self { normalisation: Normalisation::Counts, hides_flips: true },
            (true, true) if is_last => Self { normalisation: Normalisation::Counts, hides_flips: false },
            _ => Self { normalisation: self.normalisation.next(), ..self },
        }
    }
}
