//! The list of cases: those of a cell, all of a set, or in a comparison those that the two networks predict differently.

use std::cmp::Ordering;

use super::opened::Opened;
use crate::tui::protocol::evaluate::ComparedPair;
use crate::tui::widgets::scroll_list::ScrollList;
use mammoscope_domain::metrics::flips::{Flip, FlipCounts, PairedCase};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::prediction::LabelledPrediction;
use mammoscope_domain::text::counted::counted;

/// The cases that are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Scope {
    /// Those of the cell under the cursor.
    #[default]
    Cell,
    /// Those of all cells.
    All,
}

/// The order of a list of cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum CaseOrder {
    /// Errors first, the most confident at the top; then correct predictions, the least confident at the top.
    #[default]
    WrongFirst,
    /// By the probability of the predicted class.
    Confidence,
    /// By true class, then by predicted class.
    Class,
    /// By the id of the subject.
    Subject,
}

impl CaseOrder {
    const ALL: [Self; 4] = [Self::WrongFirst, Self::Confidence, Self::Class, Self::Subject];
    /// Within a cell, all cases have the same classes.
    const OF_A_CELL: [Self; 2] = [Self::Confidence, Self::Subject];

    /// The next order that makes a difference for a scope, cyclically.
    fn next(self, scope: Scope) -> Self {
        let orders: &[Self] = if scope == Scope::Cell { &Self::OF_A_CELL } else { &Self::ALL };
        let place = orders.iter().position(|order| *order == self).map_or(0, |place| place + 1);
        orders[place % orders.len()]
    }

    /// The order in words.
    pub(super) const fn title(self, reversed: bool) -> &'static str {
        match (self, reversed) {
            (Self::WrongFirst, false) => "worst errors first",
            (Self::WrongFirst, true) => "worst errors last",
            (Self::Confidence, false) => "most confident first",
            (Self::Confidence, true) => "least confident first",
            (Self::Class, false) => "by class",
            (Self::Class, true) => "by class, D first",
            (Self::Subject, false) => "by subject",
            (Self::Subject, true) => "by subject, last first",
        }
    }
}

/// A case in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListedCase {
    /// The position in the set.
    pub(super) place: usize,
    /// The case in a comparison.
    pub(super) pair: Option<PairedCase>,
}

/// The listed cases with their order.
#[derive(Debug, Default)]
pub(super) struct CaseList {
    pub(super) cases: Vec<ListedCase>,
    pub(super) list: ScrollList,
    pub(super) scope: Scope,
    pub(super) order: CaseOrder,
    pub(super) reversed: bool,
}

impl CaseList {
    /// The case under the cursor.
    pub(super) fn selected(&self) -> Option<ListedCase> {
        self.cases.get(self.list.cursor).copied()
    }

    /// The order; within a cell, confidence decides which error is the worst.
    fn order_in_scope(&self) -> CaseOrder {
        match (self.scope, self.order) {
            (Scope::Cell, CaseOrder::WrongFirst | CaseOrder::Class) => CaseOrder::Confidence,
            (_, order) => order,
        }
    }

    /// The order in words.
    pub(super) fn order_title(&self) -> &'static str {
        self.order_in_scope().title(self.reversed)
    }
}

impl Opened {
    /// The two evaluations of the selected set.
    pub(super) fn pair(&self) -> Option<&ComparedPair> {
        self.compared()?.compared.as_deref().ok()
    }

    /// Collects the cases to list.
    pub(super) fn collect_cases(&mut self) {
        let mut cases = self.found_cases();
        let Some(set) = self.set() else {
            self.cases.cases.clear();
            return;
        };
        let set = &set.evaluated.set;
        let key = |case: &ListedCase| SortKey::of(&set.cases[case.place], case.pair);
        // Numbers by their value, other ids by their letters.
        let subject = |case: &ListedCase| {
            let id = set.examinations.get(case.place);
            id.map(|id| {
                (id.subject.0.parse::<u64>().unwrap_or(u64::MAX), &id.subject.0, id.exam.as_ref().map(|exam| &exam.0))
            })
        };
        let order = self.cases.order_in_scope();
        cases.sort_by(|one, other| {
            let (first, second) = (key(one), key(other));
            match order {
                CaseOrder::WrongFirst => first.by_wrongness(&second),
                CaseOrder::Confidence => second.confidence.total_cmp(&first.confidence),
                CaseOrder::Class => first.classes.cmp(&second.classes).then(first.by_wrongness(&second)),
                CaseOrder::Subject => subject(one).cmp(&subject(other)),
            }
        });
        if self.cases.reversed {
            cases.reverse();
        }
        self.in_cases &= !cases.is_empty();
        self.cases.cases = cases;
    }

    /// The cases of the cell or of all cells, in the order of the set.
    fn found_cases(&self) -> Vec<ListedCase> {
        let is_listed = |cell: (DensityClass, DensityClass)| self.cases.scope == Scope::All || cell == self.cell;
        if let Some(pair) = self.pair() {
            let pairs = pair.comparison.pairs.iter().filter(|case| match self.cases.scope {
                Scope::Cell => case.touches(self.cell),
                Scope::All => case.flip().is_some(),
            });
            return pairs.map(|case| ListedCase { place: case.places[0], pair: Some(*case) }).collect();
        }
        let Some(set) = self.set() else { return Vec::new() };
        let cases = set.evaluated.set.cases.iter().enumerate();
        let listed = cases.filter(|(_, case)| is_listed((case.label, case.predicted())));
        listed.map(|(place, _)| ListedCase { place, pair: None }).collect()
    }

    /// Sorts by the next property.
    pub(super) fn sort_by_next(&mut self) {
        self.cases.order = self.cases.order_in_scope().next(self.cases.scope);
        self.sort_again();
    }

    pub(super) fn reverse_order(&mut self) {
        self.cases.reversed ^= true;
        self.sort_again();
    }

    /// Sorts the list; the cursor stays on its case.
    fn sort_again(&mut self) {
        let selected = self.cases.selected();
        self.collect_cases();
        let place = selected.and_then(|selected| self.cases.cases.iter().position(|case| *case == selected));
        self.cases.list.cursor = place.unwrap_or(0);
    }

    /// Lists all cases, the worst errors first.
    pub(super) fn list_worst(&mut self) {
        self.cases = CaseList { scope: Scope::All, ..CaseList::default() };
        self.collect_cases();
        self.in_cases = !self.cases.cases.is_empty();
    }

    /// Lists all flips of a comparison where the cell has none.
    pub(super) fn list_flips_if_none(&mut self) {
        if self.pair().is_some() && self.cases.cases.is_empty() {
            self.cases.scope = Scope::All;
            self.collect_cases();
        }
    }

    /// A title of the list, such as `B predicted as C · 7 images`.
    pub(super) fn list_title(&self) -> String {
        match (self.cases.scope, self.pair()) {
            (Scope::Cell, None) => format!("{} · {}", self.cell_title(), self.counted_cases(self.cases.cases.len())),
            (Scope::All, None) => format!("All {}", self.counted_cases(self.cases.cases.len())),
            (Scope::Cell, Some(pair)) => {
                let counts = FlipCounts::of_cell(&pair.comparison.pairs, self.cell);
                format!("{}: {}", self.cell_title(), flips_text(counts))
            }
            (Scope::All, Some(pair)) => {
                let counts = FlipCounts::of(&pair.comparison.pairs);
                format!("{}: {}", counted(self.cases.cases.len(), "flip"), flips_text(counts))
            }
        }
    }
}

/// Numbers of flips, such as `3 fixed, 5 broken` or `1 fixed, 0 broken, 2 other errors`.
pub(super) fn flips_text(counts: FlipCounts) -> String {
    let moved = match counts.moved {
        0 => String::new(),
        1 => ", 1 other error".to_owned(),
        moved => format!(", {moved} other errors"),
    };
    format!("{} fixed, {} broken{moved}", counts.fixed, counts.broken)
}

/// The properties of a case by which lists are sorted.
struct SortKey {
    /// 0 for the worst: errors, in a comparison broken cases.
    group: u8,
    is_wrong: bool,
    confidence: f64,
    classes: (usize, usize),
}

impl SortKey {
    fn of(case: &LabelledPrediction, pair: Option<PairedCase>) -> Self {
        let predicted = case.predicted();
        let is_wrong = predicted != case.label;
        let group = match pair.and_then(|pair| pair.flip()) {
            Some(Flip::Broken) => 0,
            Some(Flip::Moved) => 1,
            Some(Flip::Fixed) => 2,
            None => u8::from(!is_wrong),
        };
        let classes = (case.label.index(), predicted.index());
        Self { group, is_wrong, confidence: case.probabilities.of(predicted), classes }
    }

    /// The worst first: confident errors, then correct predictions in doubt.
    fn by_wrongness(&self, other: &Self) -> Ordering {
        let ascending = self.confidence.total_cmp(&other.confidence);
        let by_confidence = if self.is_wrong { ascending.reverse() } else { ascending };
        self.group.cmp(&other.group).then(by_confidence)
    }
}
