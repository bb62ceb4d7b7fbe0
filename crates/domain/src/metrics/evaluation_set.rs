//! The sets in which predictions are evaluated: every view, each breast, and the whole examination.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::subject::examination::{Examination, ExaminationId, InconsistentRows, group_by_examination};
use crate::subject::fusion::Fusion;
use crate::subject::prediction::{LabelledPrediction, PredictionRow};
use crate::subject::view::{Side, View};

/// The kind of cases that a set holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetName {
    /// The images of one view.
    View(View),
    /// One case per breast: its two views fused.
    Side(Side),
    /// One case per examination: its four views fused.
    Total,
    /// Images whose view is unknown, each a case of its own.
    Unspecified,
}

impl SetName {
    pub const ALL: [Self; 8] = [
        Self::View(View::CcR),
        Self::View(View::CcL),
        Self::View(View::MloR),
        Self::View(View::MloL),
        Self::Side(Side::Right),
        Self::Side(Side::Left),
        Self::Total,
        Self::Unspecified,
    ];

    /// The set's name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::View(view) => view.name(),
            Self::Side(side) => side.name(),
            Self::Total => "total",
            Self::Unspecified => "unspecified",
        }
    }

    /// The views that are fused in the set; empty for single images.
    #[must_use]
    pub fn fused_views(self) -> &'static [View] {
        match self {
            Self::View(_) | Self::Unspecified => &[],
            Self::Side(Side::Right) => const { &Side::Right.views() },
            Self::Side(Side::Left) => const { &Side::Left.views() },
            Self::Total => &View::ALL,
        }
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for SetName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for SetName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let set = Self::ALL.into_iter().find(|set| set.name() == name);
        set.ok_or_else(|| serde::de::Error::custom(format!("'{name}' is not the name of a set")))
    }
}

/// A set of labelled predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationSet {
    pub name: SetName,
    /// The cases, in the order of first appearance in the rows.
    pub cases: Vec<LabelledPrediction>,
    /// The examination of each case.
    pub examinations: Vec<ExaminationId>,
    /// The missing views of a fused set; `None` for a set of single images.
    pub missing_views: Option<MissingViews>,
}

/// The cases of a fused set that lack views and are fused from the others.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MissingViews {
    /// The number of cases that lack a view.
    pub cases: usize,
    /// The number of cases that lack each view.
    pub by_view: BTreeMap<&'static str, usize>,
    pub examinations: Vec<IncompleteExamination>,
}

/// A case of a fused set that lacks views.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IncompleteExamination {
    #[serde(flatten)]
    pub id: ExaminationId,
    pub missing: Vec<View>,
}

impl EvaluationSet {
    /// The number of subjects.
    #[must_use]
    pub fn subjects(&self) -> usize {
        self.cases.iter().map(|case| &case.subject).collect::<HashSet<_>>().len()
    }

    /// All sets of the labelled rows: each view that occurs, each breast if both of its views occur, the whole
    /// examination if all four views occur, and the images without a view. A view without a label of its own counts
    /// only in fused sets, with the label of its examination.
    pub fn of_rows(rows: &[PredictionRow], fusion: Fusion) -> Result<Vec<Self>, InconsistentRows> {
        let examinations = group_by_examination(rows)?;
        let occurs = |view: &View| examinations.iter().any(|examination| examination.views.of(*view).is_some());
        let is_labelled =
            |view: &View| examinations.iter().any(|examination| examination.labelled_views.contains(view));
        let single = View::ALL.into_iter().filter(is_labelled).map(SetName::View);
        let fused = [SetName::Side(Side::Right), SetName::Side(Side::Left), SetName::Total];
        let fused = fused.into_iter().filter(|set| set.fused_views().iter().all(occurs));
        let mut sets: Vec<_> = single.chain(fused).map(|name| Self::fused(name, &examinations, fusion)).collect();
        sets.extend(Self::without_view(rows));
        Ok(sets)
    }

    fn fused(name: SetName, examinations: &[Examination], fusion: Fusion) -> Self {
        let mut set = Self { name, cases: Vec::new(), examinations: Vec::new(), missing_views: None };
        let only = if let SetName::View(view) = name { Some([view]) } else { None };
        let views = only.as_ref().map_or(name.fused_views(), <[View; 1]>::as_slice);
        let mut missing_views = MissingViews::default();
        for examination in examinations {
            if only.is_some_and(|[view]| !examination.labelled_views.contains(&view)) {
                continue;
            }
            let Some(probabilities) = examination.views.fuse(views, fusion) else { continue };
            let subject = examination.id.subject.clone();
            set.cases.push(LabelledPrediction { subject, label: examination.label, probabilities });
            set.examinations.push(examination.id.clone());
            missing_views.add(examination, views);
        }
        set.missing_views = only.is_none().then_some(missing_views);
        set
    }

    fn without_view(rows: &[PredictionRow]) -> Option<Self> {
        let (mut cases, mut examinations) = (Vec::new(), Vec::new());
        for row in rows.iter().filter(|row| row.view.is_none()) {
            let Some(label) = row.label else { continue };
            let (subject, probabilities) = (row.subject.clone(), row.probabilities);
            examinations.push(ExaminationId { subject: subject.clone(), exam: row.exam.clone() });
            cases.push(LabelledPrediction { subject, label, probabilities });
        }
        let set = Self { name: SetName::Unspecified, cases, examinations, missing_views: None };
        (!set.cases.is_empty()).then_some(set)
    }
}

impl MissingViews {
    fn add(&mut self, examination: &Examination, views: &[View]) {
        let missing: Vec<_> = examination.views.missing(views).collect();
        if missing.is_empty() {
            return;
        }
        self.cases += 1;
        for view in &missing {
            *self.by_view.entry(view.name()).or_default() += 1;
        }
        self.examinations.push(IncompleteExamination { id: examination.id.clone(), missing });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::density::DensityClass;
    use crate::subject::probabilities::Probabilities;
    use crate::subject::subject_id::SubjectId;

    fn row(subject: u32, view: Option<View>, label: Option<DensityClass>, probabilities: [f64; 4]) -> PredictionRow {
        let probabilities = Probabilities(probabilities);
        PredictionRow {
            file: format!("{subject}.png"),
            subject: SubjectId(subject.to_string()),
            exam: None,
            view,
            label,
            predicted: probabilities.most_probable(),
            probabilities,
        }
    }

    const B: Option<DensityClass> = Some(DensityClass::B);

    #[test]
    fn fused_sets_require_all_of_their_views() {
        let names = |views: &[View]| -> Vec<&str> {
            let rows: Vec<_> = views.iter().map(|&view| row(1, Some(view), B, [0.25; 4])).collect();
            EvaluationSet::of_rows(&rows, Fusion::Mean).unwrap().iter().map(|set| set.name.name()).collect()
        };
        assert_eq!(names(&[View::MloR, View::CcR]), ["CC_R", "MLO_R", "right"]);
        assert_eq!(names(&[View::CcL, View::CcR]), ["CC_R", "CC_L"]);
        assert_eq!(names(&View::ALL), ["CC_R", "CC_L", "MLO_R", "MLO_L", "right", "left", "total"]);
    }

    #[test]
    fn missing_views_are_counted_and_left_out_of_the_mean() {
        let mut rows: Vec<_> = View::ALL.iter().map(|&view| row(1, Some(view), B, [0.25; 4])).collect();
        rows.push(row(2, Some(View::CcR), B, [0.1, 0.9, 0.0, 0.0]));
        rows.push(row(3, Some(View::CcL), None, [0.25; 4]));
        let sets = EvaluationSet::of_rows(&rows, Fusion::Mean).unwrap();
        let total = sets.iter().find(|set| set.name == SetName::Total).unwrap();
        assert_eq!((total.cases.len(), total.subjects()), (2, 2), "the row without a label is skipped");
        assert_eq!(total.cases[1].probabilities, rows[4].probabilities);
        let missing = total.missing_views.as_ref().unwrap();
        assert_eq!(missing.cases, 1);
        assert_eq!(missing.examinations[0].missing, [View::CcL, View::MloR, View::MloL]);
        let single = sets.iter().find(|set| set.name == SetName::View(View::CcL)).unwrap();
        assert_eq!((single.cases.len(), &single.missing_views), (1, &None));
    }

    #[test]
    fn a_view_without_a_label_counts_only_in_fused_sets() {
        let rows = [
            row(1, Some(View::CcR), B, [0.2, 0.8, 0.0, 0.0]),
            row(1, Some(View::MloR), None, [0.6, 0.4, 0.0, 0.0]),
            row(2, Some(View::MloR), B, [0.25; 4]),
        ];
        let sets = EvaluationSet::of_rows(&rows, Fusion::Mean).unwrap();
        let of = |name: SetName| sets.iter().find(|set| set.name == name).unwrap();
        let right = of(SetName::Side(Side::Right));
        assert!((right.cases[0].probabilities.0[0] - 0.4).abs() < 1e-12, "fused from both");
        assert_eq!(right.missing_views.as_ref().unwrap().cases, 1, "only subject 2 lacks a view");
        let single = of(SetName::View(View::MloR));
        assert_eq!(single.examinations, right.examinations[1..], "not in the set of its own view");
        let sets = EvaluationSet::of_rows(&rows[..2], Fusion::Mean).unwrap();
        let names: Vec<_> = sets.iter().map(|set| set.name.name()).collect();
        assert_eq!(names, ["CC_R", "right"], "MLO_R has no label and so no set");
    }

    #[test]
    fn images_without_a_view_form_a_set_of_their_own() {
        let rows = [row(1, None, B, [0.25; 4]), row(1, None, B, [0.25; 4]), row(2, None, None, [0.25; 4])];
        let sets = EvaluationSet::of_rows(&rows, Fusion::Mean).unwrap();
        assert_eq!(sets.len(), 1);
        assert_eq!((sets[0].name, sets[0].cases.len(), sets[0].subjects()), (SetName::Unspecified, 2, 1));
    }
}
