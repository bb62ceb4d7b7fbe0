//! The Checklist for Artificial Intelligence in Medical Imaging, in its version of 2024. Tejani et al., Radiology:
//! Artificial Intelligence 6:e240300 (2024).

use super::checklist::Answer::{Author, Here, Part};
use super::checklist::{Answer, Item};

const DATA: (&str, &str) = ("data", "Data");
const RECIPE: (&str, &str) = ("recipe", "Recipe");
const RESULTS: (&str, &str) = ("results", "Results");

const fn here((id, title): (&'static str, &'static str)) -> Answer {
    Here(id, title)
}

const fn part((id, title): (&'static str, &'static str), rest: &'static str) -> Answer {
    Part(id, title, rest)
}

const fn item(number: &'static str, topic: &'static str, answer: fn(&super::checklist::Known) -> Answer) -> Item {
    Item { number, topic, answer }
}

pub(super) const ITEMS: [Item; 44] = [
    item("1", "title names the technology", |_| Author("name a deep convolutional network in the title")),
    item("2", "structured abstract", |_| Part("verdict", "Question and verdict", "design and conclusions")),
    item("3", "background and intended use", |_| Author("why density is graded, and who would use the network")),
    item("4", "aims and hypotheses", |_| Part("verdict", "Question and verdict", "hypotheses stated beforehand")),
    item("5", "prospective or retrospective", |_| Author("how the images were collected")),
    item("6", "goal of the study", |_| Author("development, feasibility, comparison or other")),
    item("7", "sources of data", |known| {
        if known.trained {
            part(DATA, "institutions, dates, and whether the data are public")
        } else {
            Author("where the images come from")
        }
    }),
    item("8", "inclusion and exclusion", |known| {
        if known.prepared { part(DATA, "clinical criteria") } else { Author("criteria, and how they were applied") }
    }),
    item("9", "preprocessing", |known| {
        if known.prepared { here(DATA) } else { Author("what was done to the images before they came here") }
    }),
    item("10", "selection of subsets", |_| Author("whether parts of images or of the cohort were selected")),
    item("11", "de-identification", |known| {
        if known.prepared { part(DATA, "the rules of the institution") } else { Author("how identity was removed") }
    }),
    item("12", "missing data", |known| {
        if known.predicted {
            part(("limits", "Limits"), "labels that are missing from the start")
        } else {
            Author("how missing views and labels were handled")
        }
    }),
    item("13", "acquisition protocol", |known| {
        if known.prepared { part(DATA, "exposure, compression and settings") } else { Author("scanners and settings") }
    }),
    item("14", "definition of the reference standard", |_| Author("edition of BI-RADS, and how classes were assigned")),
    item("15", "reason for the reference standard", |_| Author("why these readings are taken as the truth")),
    item("16", "source of the annotations", |_| Author("number, training and experience of the readers")),
    item("17", "annotation of the test set", |_| Author("whether test images were read in another way")),
    item("18", "variability of readers", |known| {
        if known.predicted {
            part(RESULTS, "the agreement of the readers of this data set")
        } else {
            Author("agreement between and within readers")
        }
    }),
    item(
        "19",
        "assignment to partitions",
        |known| if known.trained { here(DATA) } else { Author("how splits were made") },
    ),
    item("20", "level at which partitions are disjoint", |known| {
        if known.disjoint { here(DATA) } else { Author("whether subjects or pictures are in two partitions, and why") }
    }),
    item("21", "sample size", |_| Author("how the number of cases was determined")),
    item("22", "description of the model", |known| {
        if known.trained {
            part(RECIPE, "a figure or a reference of the architecture")
        } else {
            Author("architecture, inputs and outputs")
        }
    }),
    item("23", "software and hardware", |_| Here("provenance", "Provenance")),
    item("24", "initial parameters", |known| {
        if known.trained {
            part(RECIPE, "that weights begin as He draws them, from the seed")
        } else {
            Author("random or transferred weights")
        }
    }),
    item("25", "training", |known| {
        if known.trained { here(RECIPE) } else { Author("augmentation, optimiser, epochs and settings") }
    }),
    item("26", "selection of the final model", |known| {
        if known.trained { Here("learning", "Learning curves") } else { Author("how the final model was chosen") }
    }),
    item("27", "ensembles", |known| {
        if known.predicted {
            part(RESULTS, "that views are fused by the rule named there, if an ensemble is meant")
        } else {
            Author("whether models were combined")
        }
    }),
    item("28", "metrics", |known| if known.predicted { here(RESULTS) } else { Author("metrics, and why these") }),
    item("29", "significance and uncertainty", |known| {
        if known.intervals { here(RESULTS) } else { Author("intervals, and tests if hypotheses were tested") }
    }),
    item("30", "robustness", |known| match (known.by_group, known.pooled) {
        (true, _) => Part("groups", "Scanners, sites and other groups", "noise, artefacts and other changes"),
        (false, true) => part(RESULTS, "scanners, sites and other changes"),
        (false, false) => Author("sensitivity to scanners, sites and assumptions"),
    }),
    item("31", "explanations", |known| {
        if known.explained {
            Here("explanations", "Where the networks look")
        } else {
            Author("whether and how the network was explained")
        }
    }),
    item("32", "evaluation on internal data", |known| {
        if known.held_out || known.pooled { here(RESULTS) } else { Author("figures of held-out images") }
    }),
    item("33", "test on external data", |_| Author("figures on another institution's images, or that there are none")),
    item("34", "registration", |_| Author("the registration, if it is a trial")),
    item("35", "numbers included and excluded", |known| {
        if known.trained { part(DATA, "a flow chart from all examinations to these") } else { Author("a flow chart") }
    }),
    item("36", "demographics of each partition", |_| Author("age, ethnicity and clinical facts by partition")),
    item("37", "performance with uncertainty", |known| {
        if known.intervals { here(RESULTS) } else { Author("figures with intervals") }
    }),
    item("38", "diagnostic performance and its precision", |known| {
        if known.intervals { here(RESULTS) } else { Author("sensitivity and specificity with intervals") }
    }),
    item("39", "analysis of failures", |known| {
        if known.errors {
            Part("errors", "Worst confident errors", "a radiologist's view of them")
        } else {
            Author("an analysis of wrong cases")
        }
    }),
    item("40", "limits", |_| Part("limits", "Limits", "those of the cohort and of its readings")),
    item("41", "implications for practice", |_| Author("intended use and clinical role")),
    item("42", "study protocol", |_| Part("provenance", "Provenance", "a protocol, if there was one")),
    item("43", "availability of software, model and data", |_| Author("where they can be had, and under which terms")),
    item("44", "funding", |_| Author("sources of money, and the role of funders")),
];
