//! The result of an audit, as it is printed and written to JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::subject::view::{Side, View};

use super::audited_image::AuditedImage;
use super::baseline::AuditBaseline;
use super::finding::{Finding, Severity};
use super::image_measures::Pectoral;

/// The schema version of the JSON document.
pub const AUDIT_SCHEMA: u32 = 1;

/// Everything that an audit found, with its keys in the order of the document.
#[derive(Clone, Debug, Serialize)]
pub struct AuditReport {
    /// [`AUDIT_SCHEMA`].
    pub schema: u32,
    pub counts: AuditCounts,
    /// The images in the order of the scan: by view, split, class and name.
    pub files: Vec<AuditedFile>,
    /// The findings, errors first.
    pub findings: Vec<Finding>,
    /// `None` if there are too few labelled images.
    pub baseline: Option<AuditBaseline>,
}

/// The side of the chest wall in the pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Laterality {
    Of(Side),
    Unknown,
}

impl Laterality {
    /// `L`, `R` or `unknown`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Of(Side::Left) => "L",
            Self::Of(Side::Right) => "R",
            Self::Unknown => "unknown",
        }
    }
}

impl Serialize for Laterality {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// An image of the data set.
#[derive(Clone, Debug, Serialize)]
pub struct AuditedFile {
    /// The path below the data set's root, with `/` as the separator.
    pub file: String,
    pub view: Option<View>,
    pub class: Option<DensityClass>,
    pub subject: SubjectId,
    pub exam: Option<ExamId>,
    pub split: Option<Split>,
    /// `none` in CC views.
    pub pectoral: Pectoral,
    /// The breast in the picture, by its pixels.
    pub laterality: Laterality,
    /// True if the pixels show the side of the view; `None` if either is unknown.
    pub laterality_agrees: Option<bool>,
}

/// The numbers of images, in total and by view, class and split; keys without images are missing, and `none` stands for
/// unknown ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditCounts {
    pub files: usize,
    pub unreadable: usize,
    pub subjects: usize,
    pub errors: usize,
    pub warnings: usize,
    pub by_view: BTreeMap<String, usize>,
    pub by_class: BTreeMap<String, usize>,
    pub by_split: BTreeMap<String, usize>,
    pub by_view_and_class: BTreeMap<String, BTreeMap<String, usize>>,
    pub by_split_and_class: BTreeMap<String, BTreeMap<String, usize>>,
    /// MLO images by the state of their pectoral muscle.
    pub by_pectoral: BTreeMap<&'static str, usize>,
}

/// The key of images whose view, class or split is unknown.
const UNKNOWN: &str = "none";

impl AuditReport {
    pub(super) fn new(
        images: &[AuditedImage<'_>],
        mut findings: Vec<Finding>,
        baseline: Option<AuditBaseline>,
    ) -> Self {
        findings.sort_by(|one, other| {
            let key = |finding: &Finding| (finding.severity, finding.code);
            key(one).cmp(&key(other)).then_with(|| other.files.len().cmp(&one.files.len()))
        });
        let counts = AuditCounts::of(images, &findings);
        Self { schema: AUDIT_SCHEMA, counts, files: images.iter().map(AuditedFile::of).collect(), findings, baseline }
    }

    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.counts.errors > 0
    }
}

impl AuditedFile {
    fn of(image: &AuditedImage<'_>) -> Self {
        let sample = image.sample;
        let chest_wall = image.measures.as_ref().and_then(|measures| measures.chest_wall);
        Self {
            file: image.file.clone(),
            view: sample.view,
            class: sample.label,
            subject: sample.subject.clone(),
            exam: sample.exam.clone(),
            split: image.split,
            pectoral: image.pectoral(),
            laterality: chest_wall.map_or(Laterality::Unknown, Laterality::Of),
            laterality_agrees: image.laterality_agrees(),
        }
    }
}

impl AuditCounts {
    fn of(images: &[AuditedImage<'_>], findings: &[Finding]) -> Self {
        let of_severity = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        let subjects: BTreeSet<_> = images.iter().map(|image| &image.key).collect();
        let mut counts = Self {
            files: images.len(),
            unreadable: images.iter().filter(|image| image.measures.is_none()).count(),
            subjects: subjects.len(),
            errors: of_severity(Severity::Error),
            warnings: of_severity(Severity::Warning),
            ..Self::default()
        };
        for image in images {
            let name = |name: Option<&'static str>| name.unwrap_or(UNKNOWN).to_owned();
            let view = name(image.sample.view.map(View::name));
            let class = name(image.sample.label.map(DensityClass::letter));
            let split = name(image.split.map(Split::name));
            *counts.by_view_and_class.entry(view.clone()).or_default().entry(class.clone()).or_default() += 1;
            *counts.by_split_and_class.entry(split.clone()).or_default().entry(class.clone()).or_default() += 1;
            *counts.by_view.entry(view).or_default() += 1;
            *counts.by_class.entry(class).or_default() += 1;
            *counts.by_split.entry(split).or_default() += 1;
            if image.sample.view.is_some_and(|view| view.name().starts_with("MLO")) {
                *counts.by_pectoral.entry(image.pectoral().name()).or_default() += 1;
            }
        }
        counts
    }
}
