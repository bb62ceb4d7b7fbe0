//! Whether an ensemble or copies of the images helped, by paired bootstrap where labels are known.

use anyhow::Context as _;
use serde::Serialize;

use crate::cli::console::Console;
use crate::report::help_text::{Verdict, help_sentence};
use mammoscope_domain::metrics::bootstrap::{Bootstrap, Interval};
use mammoscope_domain::metrics::evaluation_set::{EvaluationSet, SetName};
use mammoscope_domain::metrics::paired_comparison::PairedComparison;
use mammoscope_domain::subject::fusion::Fusion;
use mammoscope_domain::subject::prediction::PredictionRow;

/// The same images, predicted in the way that an ensemble or copies are compared with.
pub(super) struct Alternative {
    /// What is compared, as in `the ensemble of 3 networks`.
    pub(super) what: String,
    /// As in `its best network by validation, NAME`.
    pub(super) against: String,
    pub(super) rows: Vec<PredictionRow>,
}

/// What `predictions.json` says of a comparison.
#[derive(Serialize)]
pub(super) struct ComparisonNote {
    of: String,
    against: String,
    set: SetName,
    n: usize,
    figures: Vec<FigureNote>,
}

#[derive(Serialize)]
struct FigureNote {
    figure: &'static str,
    value: Option<f64>,
    other: Option<f64>,
    difference: Option<f64>,
    interval: Option<Interval>,
    verdict: Verdict,
}

/// Compares predictions with an alternative on the set that fuses the most views, and says in words whether they are
/// better; `None` if no case is labelled.
pub(super) fn compare(
    rows: &[PredictionRow],
    alternative: &Alternative,
    console: &Console,
) -> anyhow::Result<Option<ComparisonNote>> {
    let Alternative { what, against, rows: others } = alternative;
    let here = EvaluationSet::of_rows(rows, Fusion::Mean);
    let Ok(here) = here.as_deref() else {
        console.warn(format!("whether {what} helped is not known: the labels contradict each other or views repeat"));
        return Ok(None);
    };
    let there = EvaluationSet::of_rows(others, Fusion::Mean).context("compare")?;
    // Images without a view cannot be paired.
    let set = here.iter().rev().find(|set| set.name != SetName::Unspecified && !set.cases.is_empty());
    let other = set.and_then(|set| there.iter().find(|other| other.name == set.name));
    let Some((set, other)) = set.zip(other) else {
        console.note(format!("whether {what} helped is not known: no image with a view has a label"));
        return Ok(None);
    };
    let Some(comparison) = PairedComparison::of(set, other, Bootstrap::default())? else { return Ok(None) };
    let figures = [
        ("log_loss", comparison.here.log_loss, comparison.there.log_loss, comparison.intervals.log_loss, false),
        (
            "kappa_linear",
            comparison.here.kappa_linear,
            comparison.there.kappa_linear,
            comparison.intervals.kappa_linear,
            true,
        ),
    ];
    let figures = figures.map(|(figure, value, other, interval, is_larger_better)| FigureNote {
        figure,
        value,
        other,
        difference: value.zip(other).map(|(value, other)| value - other),
        interval,
        verdict: Verdict::of(interval, is_larger_better),
    });
    for note in &figures {
        let sentence = help_sentence(note.figure, [note.value, note.other], note.interval, note.verdict);
        console.note(format!("{what} against {against}, {} cases of {}: {sentence}", comparison.n, set.name));
    }
    Ok(Some(ComparisonNote {
        of: what.clone(),
        against: against.clone(),
        set: set.name,
        n: comparison.n,
        figures: figures.into(),
    }))
}
