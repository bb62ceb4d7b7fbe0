//! The items of CLAIM 2024 and TRIPOD+AI: which of them the report answers, and which the author still must.

use maud::{Markup, html};

use super::page::Section;
use super::{claim, tripod};
use crate::analysis::report_facts::ReportFacts;
use mammoscope_domain::run::dataset_manifest::SplitSource;

/// The answer to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The section, by its address and its title, answers the item.
    Here(&'static str, &'static str),
    /// The section answers a part; the author adds the rest.
    Part(&'static str, &'static str, &'static str),
    /// The author's, who has to say this.
    Author(&'static str),
}

/// An item of a checklist.
pub(super) struct Item {
    pub(super) number: &'static str,
    /// Its topic, in a few words of our own.
    pub(super) topic: &'static str,
    pub(super) answer: fn(&Known) -> Answer,
}

/// What is known about a study.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Known {
    pub(super) trained: bool,
    pub(super) predicted: bool,
    pub(super) held_out: bool,
    pub(super) intervals: bool,
    pub(super) prepared: bool,
    pub(super) by_group: bool,
    pub(super) explained: bool,
    pub(super) errors: bool,
    pub(super) pooled: bool,
    pub(super) compared: bool,
    pub(super) disjoint: bool,
}

impl Known {
    fn of(facts: &ReportFacts) -> Self {
        let main = facts.main_set();
        let manifests = || facts.runs.iter().filter_map(|run| run.manifest.as_ref());
        let predictions = facts.predictions.as_ref();
        Self {
            trained: !facts.runs.is_empty(),
            predicted: main.is_some(),
            held_out: predictions
                .is_some_and(|predictions| predictions.split == Some(mammoscope_domain::subject::split::Split::Test)),
            intervals: main.is_some_and(|main| main.evaluation.intervals.figures.accuracy.is_some()),
            prepared: facts.prepared.is_some(),
            by_group: !facts.groups.is_empty(),
            explained: facts.explanations.is_some(),
            errors: !facts.errors.is_empty(),
            pooled: predictions.is_some_and(|predictions| predictions.pool.is_some()),
            compared: predictions.is_some_and(|predictions| predictions.comparison.is_some()),
            disjoint: manifests().next().is_some()
                && manifests()
                    .all(|manifest| !manifest.allow_duplicates && manifest.split_source != SplitSource::AllAsTrain),
        }
    }
}

pub(super) fn section(facts: &ReportFacts) -> Section {
    let known = Known::of(facts);
    let body = html! {
        p {
            "What a journal asks for, and where this report answers it. Topics are in words of our own; the checklists themselves \
             are what counts. ✓ answered here, ◐ in part, ○ for the author."
        }
        (list("CLAIM 2024", "Tejani et al., Radiology: Artificial Intelligence 6:e240300 (2024)", &claim::ITEMS, &known))
        (list("TRIPOD+AI", "Collins et al., BMJ 385:e078378 (2024)", &tripod::ITEMS, &known))
    };
    Section::new("checklists", "Checklists: CLAIM 2024 and TRIPOD+AI", body)
}

fn list(name: &str, source: &str, items: &[Item], known: &Known) -> Markup {
    let answers: Vec<(&Item, Answer)> = items.iter().map(|item| (item, (item.answer)(known))).collect();
    let count = |is: fn(&Answer) -> bool| answers.iter().filter(|(_, answer)| is(answer)).count();
    let here = count(|answer| matches!(answer, Answer::Here(..)));
    let part = count(|answer| matches!(answer, Answer::Part(..)));
    let caption = format!("{name}: {here} of {} items answered, {part} in part ({source})", items.len());
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { th scope="col" { "item" } th scope="col" { "topic" } th scope="col" { "where, and what is still to say" } } }
                tbody {
                    @for (item, answer) in &answers {
                        tr {
                            th scope="row" { (item.number) }
                            td { (item.topic) }
                            @match answer {
                                Answer::Here(id, title) => { td.done { a href=(format!("#{id}")) { (title) } } },
                                Answer::Part(id, title, rest) => { td.part { a href=(format!("#{id}")) { (title) } "; the author adds " (rest) } },
                                Answer::Author(what) => { td.open { "the author: " (what) } },
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Known = Known {
        trained: true,
        predicted: true,
        held_out: true,
        intervals: true,
        prepared: true,
        by_group: true,
        explained: true,
        errors: true,
        pooled: true,
        compared: true,
        disjoint: true,
    };
    const NOTHING: Known = Known {
        trained: false,
        predicted: false,
        held_out: false,
        intervals: false,
        prepared: false,
        by_group: false,
        explained: false,
        errors: false,
        pooled: false,
        compared: false,
        disjoint: false,
    };
    /// The sections that every report has.
    const ALWAYS: [&str; 6] = ["verdict", "data", "limits", "explanations", "provenance", "checklists"];

    #[test]
    fn lists_are_complete_and_in_order() {
        let numbers: Vec<u32> = claim::ITEMS.iter().map(|item| item.number.parse().unwrap()).collect();
        assert_eq!(numbers, (1..=44).collect::<Vec<u32>>());
        let mut found: Vec<u32> = tripod::ITEMS
            .iter()
            .map(|item| item.number.trim_end_matches(char::is_alphabetic).parse().unwrap())
            .collect();
        assert!(found.is_sorted());
        found.dedup();
        assert_eq!(found, (1..=27).collect::<Vec<u32>>());
    }

    #[test]
    fn an_answer_never_points_to_a_section_that_is_not_there() {
        for item in claim::ITEMS.iter().chain(&tripod::ITEMS) {
            if let Answer::Here(id, _) | Answer::Part(id, ..) = (item.answer)(&NOTHING) {
                assert!(
                    ALWAYS.contains(&id),
                    "{} of a report without runs and predictions points to {id}",
                    item.number
                );
            }
            if let Answer::Author(what) | Answer::Part(_, _, what) = (item.answer)(&ALL) {
                assert!(!what.is_empty() && !what.ends_with('.'), "{}", item.number);
            }
        }
        let author = |known: &Known| {
            let items = claim::ITEMS.iter().chain(&tripod::ITEMS);
            items.filter(|item| matches!((item.answer)(known), Answer::Author(_))).count()
        };
        assert!(author(&NOTHING) > author(&ALL), "{} and {}", author(&NOTHING), author(&ALL));
    }
}
