//! TRIPOD+AI, for studies that develop or evaluate prediction models. Collins et al., BMJ 385:e078378 (2024).

use super::checklist::Answer::{Author, Here, Part};
use super::checklist::{Answer, Item, Known};

const fn item(number: &'static str, topic: &'static str, answer: fn(&Known) -> Answer) -> Item {
    Item { number, topic, answer }
}

pub(super) const ITEMS: [Item; 52] = [
    item("1", "title", |_| Author("development or evaluation, the population and the outcome")),
    item("2", "abstract", |_| Part("verdict", "Question and verdict", "design and conclusions")),
    item("3a", "healthcare context", |_| Author("why density is predicted, and models before this one")),
    item("3b", "target population and use", |_| Author("for whom, where in the pathway, and by whom")),
    item("3c", "known inequalities", |_| Author("differences between groups that are known")),
    item("4", "objectives", |_| {
        Part("verdict", "Question and verdict", "whether it is development, evaluation or both")
    }),
    item("5a", "sources of data", |known| {
        if known.trained {
            Part("data", "Data", "institutions, and whether they are representative")
        } else {
            Author("the sources")
        }
    }),
    item("5b", "dates", |_| Author("first and last examination")),
    item("6a", "setting", |_| Author("screening or diagnosis, number and place of centres")),
    item("6b", "eligibility", |_| Author("criteria for subjects")),
    item("6c", "treatments", |_| Author("treatments that change density, if any")),
    item("7", "preparation of data", |known| {
        if known.prepared { Here("data", "Data") } else { Author("preprocessing before the images came here") }
    }),
    item("8a", "outcome", |_| Author("the edition of BI-RADS, and how classes were assigned")),
    item("8b", "assessors", |_| Author("qualification of the readers")),
    item("8c", "blinding", |_| Author("what readers knew")),
    item("9a", "choice of predictors", |_| {
        Author("that the pixels of the views are the predictors, and why these views")
    }),
    item("9b", "definition of predictors", |known| {
        if known.trained {
            Part("recipe", "Recipe", "acquisition of the images")
        } else {
            Author("inputs of the network")
        }
    }),
    item("9c", "assessors of predictors", |_| Author("that no person assesses them, if so")),
    item("10", "sample size", |_| Author("how it was determined, separately for development and evaluation")),
    item("11", "missing data", |known| {
        if known.predicted {
            Part("limits", "Limits", "labels that are missing from the start")
        } else {
            Author("how it was handled")
        }
    }),
    item("12a", "use of the data", |known| {
        if known.trained { Here("data", "Data") } else { Author("which images served for what") }
    }),
    item("12b", "handling of predictors", |known| {
        if known.trained { Here("recipe", "Recipe") } else { Author("size and scaling of images") }
    }),
    item("12c", "type and building of the model", |known| {
        if known.trained { Here("recipe", "Recipe") } else { Author("architecture, settings and internal validation") }
    }),
    item("12d", "heterogeneity between clusters", |known| {
        if known.by_group {
            Here("groups", "Scanners, sites and other groups")
        } else {
            Author("differences between centres or scanners")
        }
    }),
    item("12e", "measures of performance", |known| {
        if known.predicted { Here("results", "Results") } else { Author("measures, and why these") }
    }),
    item("12f", "updating in evaluation", |_| Author("whether the model was recalibrated on new data")),
    item("12g", "calculation of predictions", |_| Here("provenance", "Provenance")),
    item("13", "imbalance of classes", |known| {
        if known.trained {
            Part("recipe", "Recipe", "why class weights were or were not used")
        } else {
            Author("whether and how it was handled")
        }
    }),
    item("14", "fairness", |known| {
        if known.by_group {
            Part("groups", "Scanners, sites and other groups", "age, ethnicity and the reasons")
        } else {
            Author("what was done about differences between groups")
        }
    }),
    item("15", "output of the model", |known| {
        if known.predicted {
            Part("results", "Results", "that the output is a probability for each class, and the threshold in use")
        } else {
            Author("probabilities, classes and thresholds")
        }
    }),
    item("16", "training against evaluation", |known| {
        if known.trained {
            Part("data", "Data", "differences between development and evaluation data")
        } else {
            Author("differences between the two")
        }
    }),
    item("17", "ethical approval", |_| Author("the committee and its decision")),
    item("18a", "funding", |_| Author("sources and role of funders")),
    item("18b", "conflicts of interest", |_| Author("of all authors")),
    item("18c", "protocol", |_| Author("where it is, or that there is none")),
    item("18d", "registration", |_| Author("register and number, or that there is none")),
    item("18e", "sharing of data", |_| Author("where and under which terms")),
    item("18f", "sharing of code", |_| Part("provenance", "Provenance", "where code and weights can be had")),
    item("19", "patients and public", |_| Author("how they took part, or that they did not")),
    item("20a", "flow of participants", |known| {
        if known.trained {
            Part("data", "Data", "a flow chart from all subjects to these")
        } else {
            Author("a flow chart")
        }
    }),
    item("20b", "characteristics", |_| Author("age and other characteristics, by data set")),
    item("20c", "comparison with development data", |_| Author("of an external evaluation")),
    item("21", "numbers in each analysis", |known| {
        if known.trained || known.predicted {
            Here("data", "Data")
        } else {
            Author("subjects and events in each analysis")
        }
    }),
    item("22", "full model", |known| {
        if known.trained {
            Part("provenance", "Provenance", "the weights, or how to obtain them")
        } else {
            Author("weights and code")
        }
    }),
    item("23a", "performance with intervals", |known| match (known.intervals, known.by_group) {
        (true, true) => Here("results", "Results"),
        (true, false) => Part("results", "Results", "figures of key groups"),
        (false, _) => Author("figures with intervals"),
    }),
    item("23b", "heterogeneity of performance", |known| {
        if known.by_group {
            Here("groups", "Scanners, sites and other groups")
        } else {
            Author("differences between clusters")
        }
    }),
    item("24", "results of updating", |_| Author("the updated model, if it was updated")),
    item("25", "interpretation", |known| {
        if known.compared {
            Part("comparison", "Comparison with another network", "interpretation, with fairness")
        } else {
            Author("interpretation, with fairness and earlier studies")
        }
    }),
    item("26", "limits", |_| Part("limits", "Limits", "those of the cohort and of its readings")),
    item("27a", "poor or missing input", |known| {
        if known.predicted {
            Part("limits", "Limits", "what is done with poor images in use")
        } else {
            Author("how poor images are handled")
        }
    }),
    item("27b", "interaction of users", |_| Author("what users do with the output, and what they must know")),
    item("27c", "next steps", |_| Author("future research, and where the model may apply")),
];
