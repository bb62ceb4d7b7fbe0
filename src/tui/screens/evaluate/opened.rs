//! The open evaluation: its sets, the selected cell, and the cases in it.

use std::collections::HashSet;

use ratatui::layout::Rect;

use super::case_list::{CaseList, ListedCase, Scope};
use crate::tui::protocol::evaluate::{ComparedPair, OpenedSet, OpenedSets, PredictionSource};
use crate::tui::protocol::explain::{ExplainList, ExplainSample, ModelSource};
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::viewer::{ImageList, ListedImage};
use crate::tui::widgets::confusion_matrix::MatrixArea;
use crate::tui::widgets::scroll_list::ScrollList;
use mammoscope_domain::metrics::evaluation_document::EvaluatedSet;
use mammoscope_domain::metrics::evaluation_set::SetName;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable;

/// An evaluation to compare with.
#[derive(Debug)]
pub(super) struct ComparedWith {
    pub(super) key: String,
    pub(super) title: String,
    pub(super) source: PredictionSource,
    pub(super) sets: Vec<ComparedSet>,
}

/// The comparison of a set.
#[derive(Debug)]
pub(super) struct ComparedSet {
    pub(super) name: SetName,
    pub(super) compared: Result<Box<ComparedPair>, Failure>,
    pub(super) resampled: bool,
}

/// The open evaluation.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) key: String,
    pub(super) title: String,
    pub(super) source: PredictionSource,
    /// The number of prediction tables that the runs had when they were read.
    pub(super) tables: usize,
    /// `None` while it is being read.
    pub(super) sets: Option<Box<OpenedSets>>,
    pub(super) name: Option<SetName>,
    /// True class, predicted class.
    pub(super) cell: (DensityClass, DensityClass),
    pub(super) cases: CaseList,
    /// True if the arrows move in the cases instead of in the matrix.
    pub(super) in_cases: bool,
    pub(super) comparison: Option<ComparedWith>,
    pub(super) matrix_area: MatrixArea,
    pub(super) tab_areas: Vec<(SetName, Rect)>,
}

impl Opened {
    pub(super) fn new(key: String, title: String, source: PredictionSource, name: Option<SetName>) -> Self {
        Self {
            key,
            title,
            source,
            tables: 0,
            sets: None,
            name,
            cell: (DensityClass::A, DensityClass::A),
            cases: CaseList::default(),
            in_cases: false,
            comparison: None,
            matrix_area: MatrixArea::default(),
            tab_areas: Vec::new(),
        }
    }

    /// Takes sets. The selected set stays selected if it still exists.
    pub(super) fn take(&mut self, sets: Box<OpenedSets>) {
        let is_there = |name: SetName| sets.sets.iter().any(|set| set.evaluated.set.name == name);
        // The whole examination if there is one, else the first view.
        let first = || {
            let total = Some(SetName::Total).filter(|name| is_there(*name));
            total.or_else(|| sets.sets.first().map(|set| set.evaluated.set.name))
        };
        self.name = self.name.filter(|name| is_there(*name)).or_else(first);
        self.sets = Some(sets);
        self.select_cell(self.cell);
    }

    /// The selected set.
    pub(super) fn set(&self) -> Option<&OpenedSet> {
        let name = self.name?;
        self.sets.as_ref()?.sets.iter().find(|set| set.evaluated.set.name == name)
    }

    /// The names of the sets.
    pub(super) fn names(&self) -> Vec<SetName> {
        self.sets.iter().flat_map(|sets| &sets.sets).map(|set| set.evaluated.set.name).collect()
    }

    /// The comparison of the selected set.
    pub(super) fn compared(&self) -> Option<&ComparedSet> {
        let name = self.name?;
        self.comparison.as_ref()?.sets.iter().find(|set| set.name == name)
    }

    /// Selects another set, cyclically by a number of steps.
    pub(super) fn select_neighbour(&mut self, distance: isize) {
        let names = self.names();
        let Some(place) = names.iter().position(|name| Some(*name) == self.name) else { return };
        let place = (place as isize + distance).rem_euclid(names.len() as isize);
        self.select_set(names[place as usize]);
    }

    pub(super) fn select_set(&mut self, name: SetName) {
        self.name = Some(name);
        self.select_cell(self.cell);
        self.list_flips_if_none();
    }

    /// Moves the cursor within the matrix.
    pub(super) fn step(&mut self, rows: isize, columns: isize) {
        let moved = |class: DensityClass, by: isize| {
            let index = class.index().saturating_add_signed(by).min(DensityClass::COUNT - 1);
            DensityClass::from_index(index).unwrap_or(class)
        };
        self.select_cell((moved(self.cell.0, rows), moved(self.cell.1, columns)));
    }

    /// Moves the cursor to a cell and collects its cases.
    pub(super) fn select_cell(&mut self, cell: (DensityClass, DensityClass)) {
        self.cell = cell;
        self.cases.list = ScrollList::default();
        if !self.in_cases {
            self.cases.scope = Scope::Cell;
        }
        self.collect_cases();
    }

    /// Short names of the open evaluation and of the one that it is compared with.
    pub(super) fn short_titles(&self) -> [String; 2] {
        let short = |title: &str| title.split(" · ").next().unwrap_or_default().to_owned();
        let titles = [self.title.as_str(), self.comparison.as_ref().map_or("", |with| with.title.as_str())].map(short);
        if titles[0] == titles[1] { ["this".to_owned(), "other".to_owned()] } else { titles }
    }

    /// Goes back from the cases to the matrix and its cell.
    pub(super) fn leave_cases(&mut self) {
        self.in_cases = false;
        if self.cases.scope == Scope::All {
            self.cases = CaseList::default();
            self.select_cell(self.cell);
            self.list_flips_if_none();
        }
    }

    /// A number of cases with their unit: examinations, breasts or images.
    pub(super) fn counted_cases(&self, count: usize) -> String {
        let unit = match self.name {
            Some(SetName::Total) => "examination",
            Some(SetName::Side(_)) => "breast",
            _ => "image",
        };
        counted(count, unit)
    }

    /// A description of the selected cell.
    pub(super) fn cell_title(&self) -> String {
        let (truth, predicted) = self.cell;
        format!("{truth} predicted as {predicted}")
    }

    /// The name of a case, such as `145 exam 1`.
    pub(super) fn case_name(set: &EvaluatedSet, case: usize) -> String {
        let Some(id) = set.set.examinations.get(case) else { return String::new() };
        let exam = id.exam.as_ref().map_or_else(String::new, |exam| format!(" exam {}", printable(&exam.0)));
        format!("{}{exam}", printable(&id.subject.0))
    }

    /// The class and its probability that the other evaluation of a comparison predicts for a case.
    pub(super) fn other_prediction(&self, case: ListedCase) -> Option<(DensityClass, f64)> {
        let there = &self.pair()?.there.cases.get(case.pair?.places[1])?.probabilities;
        Some((there.most_probable(), there.of(there.most_probable())))
    }

    /// The images of the listed cases, to be explained with the models of their source, in a comparison beside those of
    /// the other; for a folder, with those that were used last.
    pub(super) fn explain_list(&self, source: &PredictionSource) -> Option<ExplainList> {
        let (sets, set) = (self.sets.as_ref()?, self.set()?);
        let (mut samples, mut views, mut position) = (Vec::new(), Vec::new(), 0);
        let mut examinations = HashSet::new();
        for (place, case) in self.cases.cases.iter().enumerate() {
            if place == self.cases.list.cursor {
                position = samples.len();
            }
            for row in set.rows.get(case.place).into_iter().flatten() {
                let sample = explain_sample(sets, *row)?;
                examinations.insert(sample.examination.clone());
                samples.push(sample);
            }
        }
        for row in 0..sets.rows.len() {
            views.extend(explain_sample(sets, row).filter(|sample| examinations.contains(&sample.examination)));
        }
        (!samples.is_empty()).then(|| ExplainList {
            title: self.list_title(),
            samples,
            position,
            views,
            source: models_of(source),
            second: models_of(source).and_then(|_| self.compared_source(source)).and_then(models_of),
            from: ScreenId::Evaluate,
        })
    }

    /// The other source of a comparison.
    fn compared_source(&self, source: &PredictionSource) -> Option<&PredictionSource> {
        let with = &self.comparison.as_ref()?.source;
        Some(if with == source { &self.source } else { with })
    }

    /// The images of the listed cases for the viewer, starting at the selected case.
    pub(super) fn image_list(&self) -> Option<ImageList> {
        let (sets, set) = (self.sets.as_ref()?, self.set()?);
        let name = set.evaluated.set.name;
        let is_fused = !name.fused_views().is_empty();
        let (mut images, mut position) = (Vec::new(), 0);
        let [_, there] = self.short_titles();
        for (place, case) in self.cases.cases.iter().enumerate() {
            if place == self.cases.list.cursor {
                position = images.len();
            }
            let prediction = set.evaluated.set.cases.get(case.place)?;
            for row in set.rows.get(case.place).into_iter().flatten() {
                let (Some(path), Some(row)) = (sets.images.get(*row), sets.rows.get(*row)) else { continue };
                let (truth, predicted) = (prediction.label, prediction.predicted());
                let percent = 100.0 * prediction.probabilities.of(predicted);
                let mut parts = vec![format!("subject {}", Self::case_name(&set.evaluated, case.place))];
                parts.extend(row.view.map(|view| view.to_string()));
                let other = self.other_prediction(*case).map_or_else(String::new, |(class, probability)| {
                    format!(", {there} predicted {class} {:.0} %", 100.0 * probability)
                });
                parts.push(format!("true {truth} · predicted {predicted} {percent:.0} %{other}"));
                if is_fused {
                    let own = 100.0 * row.probabilities.of(row.predicted);
                    parts.push(format!("this view alone {} {own:.0} %", row.predicted));
                }
                images.push(ListedImage { path: path.clone(), caption: parts.join(" · ") });
            }
        }
        (!images.is_empty()).then(|| ImageList { title: self.list_title(), images, position })
    }
}

fn explain_sample(sets: &OpenedSets, row: usize) -> Option<ExplainSample> {
    let (path, row) = (sets.images.get(row)?, sets.rows.get(row)?);
    let exam = row.exam.as_ref().map_or_else(String::new, |exam| format!(" exam {}", printable(&exam.0)));
    let examination = format!("{}{exam}", printable(&row.subject.0));
    Some(ExplainSample { path: path.clone(), label: row.label, view: row.view, examination })
}

/// The title of a set on its tab.
pub(super) const fn set_title(name: SetName) -> &'static str {
    match name {
        SetName::Total => "subject",
        SetName::Unspecified => "images",
        name => name.name(),
    }
}

/// The models of a source; a table of predictions names none.
fn models_of(source: &PredictionSource) -> Option<ModelSource> {
    match source {
        PredictionSource::Runs(runs) => Some(ModelSource::Runs(runs.iter().map(|run| run.run.clone()).collect())),
        PredictionSource::Folder { .. } => None,
    }
}
