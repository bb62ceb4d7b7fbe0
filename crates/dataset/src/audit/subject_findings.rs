//! Findings about subjects: ids, splits, contradictory labels, repeated and missing views.

use std::collections::{BTreeMap, BTreeSet};

use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::id_spelling::{IdKey, LookAlikes};
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::{ExamId, SampleName, SubjectId};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::counted::{counted, counted_as};
use mammoscope_domain::text::printable::printable;

use super::audited_image::AuditedImage;
use super::finding::{Finding, FindingCode};
use crate::data_checks::{warn_about_labels, warn_about_table};
use crate::data_warning::DataWarning;
use crate::repeated_views::{RepeatedView, RepeatedViews};

/// The most ids listed in a message; the rest are counted.
const LISTED: usize = 5;

/// The images of a data set by subject and examination.
struct Subjects<'i, 'a> {
    images: &'i [AuditedImage<'a>],
    by_key: BTreeMap<&'i IdKey, Vec<&'i AuditedImage<'a>>>,
    by_exam: BTreeMap<(&'a SubjectId, &'a ExamId), Vec<&'i AuditedImage<'a>>>,
}

/// The findings about subjects. `table` is the split of each subject by a table.
pub(super) fn subject_findings(
    images: &[AuditedImage<'_>],
    table: Option<&BTreeMap<SubjectId, Split>>,
) -> Vec<Finding> {
    let subjects = Subjects::of(images);
    let mut findings = subjects.in_two_splits();
    findings.extend(subjects.labels());
    findings.extend(subjects.spelling());
    findings.extend(subjects.repeated_views());
    findings.extend(subjects.missing_views());
    findings.extend(subjects.unknown());
    findings.extend(match table {
        Some(table) => subjects.table(table),
        None => subjects.outside_splits(),
    });
    findings
}

fn files<'i>(images: impl IntoIterator<Item = &'i &'i AuditedImage<'i>>) -> Vec<String> {
    images.into_iter().map(|image| image.file.clone()).collect()
}

fn listed(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().collect();
    let more = items.len().saturating_sub(LISTED);
    let shown = items[..items.len() - more].join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

impl<'i, 'a> Subjects<'i, 'a> {
    fn of(images: &'i [AuditedImage<'a>]) -> Self {
        let mut subjects = Self { images, by_key: BTreeMap::new(), by_exam: BTreeMap::new() };
        for image in images {
            subjects.by_key.entry(&image.key).or_default().push(image);
            if let Some(exam) = &image.sample.exam {
                subjects.by_exam.entry((&image.sample.subject, exam)).or_default().push(image);
            }
        }
        subjects
    }

    fn in_two_splits(&self) -> Vec<Finding> {
        let of_subject = |images: &Vec<&AuditedImage<'_>>| {
            let splits: BTreeSet<Split> = images.iter().filter_map(|image| image.split).collect();
            if splits.len() < 2 {
                return None;
            }
            let spellings: BTreeSet<&str> = images.iter().map(|image| image.sample.subject.0.as_str()).collect();
            let spellings: Vec<String> = spellings.into_iter().map(printable).collect();
            let splits: Vec<&str> = splits.into_iter().map(Split::name).collect();
            Some(Finding::error(
                FindingCode::SubjectInTwoSplits,
                files(images),
                format!("subject {} is in {}", spellings.join(", also written "), splits.join(" and ")),
                "move all images of a subject into one split: the network would be tested on a woman it was trained on",
            ))
        };
        self.by_key.values().filter_map(of_subject).collect()
    }

    fn labels(&self) -> Vec<Finding> {
        let labelled = self.images.iter().map(|image| image.sample).filter(|sample| sample.label.is_some());
        let labelled: Vec<_> = labelled.collect();
        let mut findings = Vec::new();
        for warning in warn_about_labels(&labelled) {
            match warning {
                DataWarning::ContradictingLabels { examinations } => {
                    findings.extend(examinations.iter().map(|(subject, exam, labels)| {
                        let labels: Vec<_> = labels.iter().map(ToString::to_string).collect();
                        let (id, exam_id) = (printable(&subject.0), printable(&exam.0));
                        Finding::error(
                            FindingCode::ClassesContradict,
                            files(&self.by_exam[&(subject, exam)]),
                            format!("the images of subject {id} exam {exam_id} are of classes {}", labels.join(", ")),
                            "density is assessed per examination: look up the report, and move the images into one class",
                        )
                    }));
                }
                DataWarning::SeveralClasses { subjects } => findings.extend(subjects.iter().map(|(subject, labels)| {
                    let labels: Vec<_> = labels.iter().map(ToString::to_string).collect();
                    Finding::warning(
                        FindingCode::ClassChanges,
                        files(&self.by_key[&IdKey::of(&subject.0)]),
                        format!("subject {} is of classes {}", printable(&subject.0), labels.join(", ")),
                        "nothing has to be done if her density changed between examinations; otherwise correct the label",
                    )
                })),
                _ => {}
            }
        }
        findings
    }

    fn spelling(&self) -> Vec<Finding> {
        let alike = LookAlikes::among(self.images.iter().map(|image| image.sample.subject.0.as_str()));
        let of_group = |group: &Vec<String>| {
            let quoted: Vec<String> = group.iter().map(|id| format!("'{}'", printable(id))).collect();
            Finding::warning(
                FindingCode::IdSpelling,
                files(&self.by_key[&IdKey::of(&group[0])]),
                format!("{} look like one subject but are treated as {}", quoted.join(" and "), group.len()),
                "write the id in one way: the views of one woman are not fused otherwise",
            )
        };
        alike.groups().iter().map(of_group).collect()
    }

    fn repeated_views(&self) -> Vec<Finding> {
        let repeated = RepeatedViews::among(self.images.iter().map(|image| image.sample));
        let of_view = |repeated: &RepeatedView| {
            let RepeatedView { subject, exam, view, files } = repeated;
            let of_exam = self.by_exam[&(subject, exam)].iter().filter(|image| image.sample.view == Some(*view));
            let (id, exam_id) = (printable(&subject.0), printable(&exam.0));
            Finding::warning(
                FindingCode::RepeatedView,
                of_exam.map(|image| image.file.clone()).collect(),
                format!("subject {id} exam {exam_id} has {} images of {view}", files.len()),
                "keep the acquisition that was read; move a mask, a copy or a discarded acquisition elsewhere",
            )
        };
        repeated.views().iter().map(of_view).collect()
    }

    /// Examinations that lack views which others have, one finding per set of missing views.
    fn missing_views(&self) -> Vec<Finding> {
        let views = |images: &[&AuditedImage<'_>]| {
            images.iter().filter_map(|image| image.sample.view).fold(0_u8, |views, view| views | 1 << view as u8)
        };
        let present = self.by_exam.values().fold(0, |present, images| present | views(images));
        let mut by_missing: BTreeMap<u8, Vec<(&SubjectId, &ExamId)>> = BTreeMap::new();
        for (&exam, images) in &self.by_exam {
            by_missing.entry(present & !views(images)).or_default().push(exam);
        }
        by_missing.remove(&0);
        let of_missing = |(missing, exams): (u8, Vec<(&SubjectId, &ExamId)>)| {
            let missing = View::ALL.into_iter().filter(|&view| missing >> view as u8 & 1 == 1).map(View::name);
            let names =
                exams.iter().map(|(subject, exam)| format!("{} exam {}", printable(&subject.0), printable(&exam.0)));
            let lack = counted_as(exams.len(), "examination lacks", "examinations lack");
            Finding::warning(
                FindingCode::MissingViews,
                exams.iter().flat_map(|exam| files(&self.by_exam[exam])).collect(),
                format!("{lack} {}: {}", missing.collect::<Vec<_>>().join(", "), listed(names)),
                "add the views if they exist; otherwise the mean of the others is the subject's prediction",
            )
        };
        by_missing.into_iter().map(of_missing).collect()
    }

    /// Images without an id, a class or a view, unless no image has a class, and images whose readers disagree.
    fn unknown(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut report = |code, images: Vec<&AuditedImage<'_>>, verb: &str, fix| {
            if !images.is_empty() {
                let message = format!("{} {verb}", counted(images.len(), "image"));
                findings.push(Finding::warning(code, files(&images), message, fix));
            }
        };
        let those =
            |holds: fn(&AuditedImage<'_>) -> bool| self.images.iter().filter(move |image| holds(image)).collect();
        report(
            FindingCode::NoIds,
            those(|image| {
                let stem = image.sample.path.file_stem().unwrap_or_default().to_string_lossy();
                let subject = &image.sample.subject;
                let is_own = SubjectId::new(&stem) == *subject || image.sample.path.ends_with(&subject.0);
                image.sample.exam.is_none() && is_own && SampleName::parse(&stem).is_none()
            }),
            "without a subject id in the name; each counts as a subject of its own",
            "name the files <subject>_<exam>_<class>_<view>, or give the ids with --labels or --ids",
        );
        let unlabelled: Vec<_> = those(|image| image.sample.label.is_none());
        if unlabelled.len() < self.images.len() {
            let fix = "move them into class folders, or give the classes with --labels; training leaves them out";
            report(FindingCode::Unlabelled, unlabelled, "without a class", fix);
        }
        let fix = "read them again together; a slip of the pen is more likely than such a disagreement";
        report(
            FindingCode::ReadersDisagree,
            those(|image| {
                let of_case = |class: &DensityClass| image.sample.votes.is_some_and(|votes| votes.count(*class) > 0);
                let read: Vec<usize> =
                    DensityClass::ALL.iter().filter(|class| of_case(class)).map(|class| class.index()).collect();
                read.last().zip(read.first()).is_some_and(|(densest, least)| densest - least >= 2)
            }),
            "whose readers differ by two classes or more",
            fix,
        );
        let fix = "move them into folders CC_R, CC_L, MLO_R and MLO_L, or give the views with --labels or --ids";
        report(FindingCode::UnknownView, those(|image| image.sample.view.is_none()), "of unknown view", fix);
        findings
    }

    fn outside_splits(&self) -> Vec<Finding> {
        let outside: Vec<_> = self.images.iter().filter(|image| image.split.is_none()).collect();
        if outside.is_empty() || outside.len() == self.images.len() {
            return Vec::new();
        }
        let message = format!("{} outside the split folders that other images are in", counted(outside.len(), "image"));
        let fix = "move them into train, validation or test, or define all splits with --splits FILE";
        vec![Finding::error(FindingCode::OutsideSplits, files(&outside), message, fix)]
    }

    fn table(&self, table: &BTreeMap<SubjectId, Split>) -> Vec<Finding> {
        let samples: Vec<_> = self.images.iter().map(|image| image.sample).collect();
        let of_warning = |warning: DataWarning| match warning {
            DataWarning::SpelledDifferently { alike } => Some(Finding::error(
                FindingCode::IdSpelling,
                Vec::new(),
                format!("the table of splits spells ids differently from the data: {alike}"),
                "write the ids in the table as they are in the data",
            )),
            DataWarning::NotInTable { subjects } => {
                let missing: BTreeSet<&SubjectId> = subjects.iter().collect();
                let images: Vec<_> =
                    self.images.iter().filter(|image| missing.contains(&image.sample.subject)).collect();
                let ids = listed(subjects.iter().map(|subject| printable(&subject.0)));
                let count = counted_as(subjects.len(), "subject is", "subjects are");
                Some(Finding::warning(
                    FindingCode::NotInSplitTable,
                    files(&images),
                    format!("{count} not in the table of splits: {ids}"),
                    "add them to the table; training leaves them out",
                ))
            }
            DataWarning::NotInData { subjects } => {
                let ids = listed(subjects.iter().map(|subject| printable(&subject.0)));
                let count = counted_as(subjects.len(), "subject", "subjects");
                Some(Finding::warning(
                    FindingCode::NotInData,
                    Vec::new(),
                    format!("the table of splits names {count} that the data lacks: {ids}"),
                    "remove them from the table, or find their images",
                ))
            }
            _ => None,
        };
        warn_about_table(&samples, table).into_iter().filter_map(of_warning).collect()
    }
}
