//! The names of outputs: the numbers of examinations and of acquisitions.

use std::collections::{BTreeMap, HashMap, HashSet};

use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::subject_id::{ExamId, SampleName, SubjectId, UNLABELLED};

use crate::candidate::Candidate;
use crate::pseudonym::PseudonymKey;
use crate::record::Record;

/// A candidate with the name of its output.
pub(crate) struct Assigned {
    /// The number of its source in the order of paths, from 1.
    pub(crate) number: usize,
    pub(crate) candidate: Candidate,
    pub(crate) name: SampleName,
}

/// Numbers examinations and acquisitions. Those in the manifest keep their numbers; new ones get the next free ones
/// in the order of their dates.
pub(crate) fn assign(
    mut candidates: Vec<(usize, Candidate)>,
    known: &BTreeMap<String, Record>,
    key: &PseudonymKey,
) -> Vec<Assigned> {
    let by_source = |candidate: &Candidate| known.get(&key.path(&candidate.source.relative));
    let mut exams: HashMap<(String, String), u32> = HashMap::new();
    let mut last_exam: HashMap<String, u32> = HashMap::new();
    let mut taken: HashSet<(String, String, &'static str, u32)> = HashSet::new();
    for output in known.values().filter_map(|record| record.output.as_ref()) {
        taken.insert((output.subject.clone(), output.exam.clone(), output.view.name(), output.acquisition));
        if let Ok(number) = output.exam.parse() {
            exams.insert((output.subject.clone(), output.study.clone()), number);
            let last = last_exam.entry(output.subject.clone()).or_default();
            *last = number.max(*last);
        }
    }
    candidates.sort_by(|(_, a), (_, b)| {
        let key = |one: &Candidate| {
            (
                one.subject.clone(),
                one.study_time.clone(),
                one.study.clone(),
                one.view.name(),
                one.instance,
                one.sha256.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    let assigned = candidates.into_iter().map(|(number, candidate)| {
        let exam = candidate.exam.clone().unwrap_or_else(|| {
            let study = (candidate.subject.clone(), candidate.study.clone());
            let exam = *exams.entry(study).or_insert_with(|| {
                let last = last_exam.entry(candidate.subject.clone()).or_default();
                *last += 1;
                *last
            });
            exam.to_string()
        });
        let known = by_source(&candidate).and_then(|record| record.output.as_ref());
        let same_view = known.filter(|output| {
            output.subject == candidate.subject && output.view == candidate.view && output.exam == exam
        });
        let acquisition = same_view.map_or_else(
            || {
                let slot = |number| (candidate.subject.clone(), exam.clone(), candidate.view.name(), number);
                let free = (1..=u32::MAX).find(|&number| !taken.contains(&slot(number))).expect("numbers do not end");
                taken.insert(slot(free));
                free
            },
            |output| output.acquisition,
        );
        let name = SampleName {
            subject: SubjectId(candidate.subject.clone()),
            exam: ExamId(exam),
            class: candidate.class,
            view: candidate.view,
            acquisition,
        };
        Assigned { number, candidate, name }
    });
    let mut assigned: Vec<Assigned> = assigned.collect();
    assigned.sort_by_key(|assigned| assigned.number);
    assigned
}

/// The path of an output below the output folder.
pub(crate) fn output_path(name: &SampleName) -> String {
    format!("{}/{}/{name}.png", name.view, name.class.map_or(UNLABELLED, DensityClass::letter))
}
