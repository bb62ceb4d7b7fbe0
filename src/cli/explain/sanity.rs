//! Sanity checks of the maps: random weights, repetition, and random maps as a control.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::ExplainArguments;
use super::explained::Explained;
use super::group_maps::{GroupMaps, Job, Variation};
use crate::cli::chosen_images::ImagesOfView;
use crate::cli::console::Console;
use crate::report::explanation_table::verdict_text;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_map::ExplanationMap;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::explanation::explanation_summary::{ExplanationSummary, ScoredMap};
use mammoscope_domain::explanation::perturbation_curve::PerturbationCurves;
use mammoscope_domain::explanation::sanity_verdict::{MIN_SUBJECTS, RandomisedStage, SanityEvidence, SanityVerdict};
use mammoscope_domain::explanation::weight_cascade::CASCADE;
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::metrics::rank_correlation::spearman;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::text::counted::counted;
use mammoscope_engine_client::engine_process::EngineProcess;
use mammoscope_storage::atomic_file::write_atomically;

const FILE_NAME: &str = "sanity.json";

/// The results of the checks.
pub(super) struct Checked {
    evidence: SanityEvidence,
    verdict: SanityVerdict,
    maps: Vec<ScoredMap>,
    /// Scores of the random maps, curves included.
    pub(super) control: Vec<ScoredMap>,
    compared: usize,
}

/// Runs the checks on explained images.
pub(super) fn check(
    arguments: &ExplainArguments,
    console: &Console,
    groups: &[ImagesOfView<'_>],
    explained: &[Explained],
    engine: &mut EngineProcess,
    job: &mut Job,
    cancellation: Cancellation<'_>,
) -> anyhow::Result<Checked> {
    let mut correlations: Vec<Vec<f64>> = vec![Vec::new(); CASCADE.len()];
    let mut differences: Vec<f64> = Vec::new();
    let mut control = Vec::new();
    let mut compared = 0;
    for group in groups {
        let of_group: Vec<&Explained> = explained.iter().filter(|one| one.view == group.name()).collect();
        if of_group.is_empty() {
            continue;
        }
        let maps = GroupMaps { arguments, console, group };
        let (chosen, kept): (Vec<&Explained>, Vec<&ExplanationMap>) =
            of_group.iter().filter_map(|one| Some((*one, one.map.as_ref()?))).unzip();
        compared += chosen.len();
        console.note(format!("{}: checking {}", group.name(), counted(chosen.len(), "image")));
        let same = Variation { method: arguments.method, layer: arguments.layer, randomised_stages: 0, curves: false };
        // Both times in the same batches: on a GPU, rounding depends on the batch size.
        let mut before: Vec<Option<ExplanationMap>> = vec![None; chosen.len()];
        maps.maps_of(engine, cancellation, job.next(), &chosen, same, &mut |place, sample| {
            before[place] = Some(sample.map);
        })?;
        maps.maps_of(engine, cancellation, job.next(), &chosen, same, &mut |place, again| {
            differences.extend(before[place].as_ref().and_then(|before| difference(before, &again.map)));
        })?;
        for (stage, found) in correlations.iter_mut().enumerate() {
            let random = Variation { randomised_stages: stage + 1, ..same };
            maps.maps_of(engine, cancellation, job.next(), &chosen, random, &mut |place, random| {
                found.extend(correlation(kept[place], &random.map));
            })?;
        }
        let first = control.len();
        control.extend(of_group.iter().map(|one| one.scored_control()));
        // The same random maps as in the scores; only their curves come from the engine.
        let random = Variation {
            method: ExplanationMethod::Random,
            layer: ExplainedLayer::LAST,
            randomised_stages: 0,
            curves: true,
        };
        maps.maps_of(engine, cancellation, job.next(), &of_group, random, &mut |place, random| {
            let control = &mut control[first + place];
            if !control.has_scores() {
                return;
            }
            let scores = &mut control.scores;
            scores.insertion_area = random.curves.as_ref().and_then(PerturbationCurves::insertion_area);
            scores.deletion_area = random.curves.as_ref().and_then(PerturbationCurves::deletion_area);
        })?;
    }
    let bootstrap = Bootstrap::default();
    let scored: Vec<ScoredMap> = explained.iter().map(Explained::scored).collect();
    let randomisation = CASCADE
        .iter()
        .zip(&correlations)
        .map(|(layer, found)| RandomisedStage { layer: (*layer).to_owned(), correlation: mean(found) })
        .collect();
    let evidence = SanityEvidence {
        randomisation,
        repeatability: differences.into_iter().reduce(f64::max),
        maps: ExplanationSummary::of(judged(&scored), &bootstrap),
        control: ExplanationSummary::of(judged(&control), &bootstrap),
    };
    let verdict = SanityVerdict::of(&evidence);
    Ok(Checked { evidence, verdict, maps: scored, control, compared })
}

/// The scored images of classes C and D, where there is dense tissue to find.
fn judged(maps: &[ScoredMap]) -> impl Iterator<Item = &ScoredMap> {
    maps.iter().filter(|map| matches!(map.label, Some(DensityClass::C | DensityClass::D)) && map.has_scores())
}

/// The largest difference of two maps, relative to the largest value of the first; `None` if that is 0 or not finite.
fn difference(map: &ExplanationMap, again: &ExplanationMap) -> Option<f64> {
    let largest = map.values().iter().map(|value| value.abs()).fold(0.0, f32::max);
    let pairs = map.values().iter().zip(again.values());
    let difference = pairs.map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
    (largest > 0.0 && largest.is_finite()).then(|| f64::from(difference / largest))
}

/// The absolute rank correlation of two maps; `None` if either is constant.
fn correlation(map: &ExplanationMap, random: &ExplanationMap) -> Option<f64> {
    spearman(map.values(), random.values()).map(f64::abs)
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// One document per class, with the means and intervals of the scores.
pub(super) fn class_documents(maps: &[ScoredMap], bootstrap: &Bootstrap) -> Value {
    let classes = DensityClass::ALL.into_iter().zip(ExplanationSummary::by_class(maps, bootstrap));
    classes
        .map(|(class, summary)| (class.letter().to_owned(), json!(summary)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

impl Checked {
    /// The results as text for 80 columns.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "\nWeights randomised from the head down ({})", counted(self.compared, "image"));
        for stage in &self.evidence.randomisation {
            let found = stage.correlation.map_or_else(|| "no map to compare".to_owned(), |found| format!("{found:.2}"));
            let _ = writeln!(text, "  {:<20}{found}", stage.layer);
        }
        text.push_str("  mean absolute rank correlation with the maps of the trained weights\n");
        text + &verdict_text(&self.verdict)
    }

    /// The results as one JSON document.
    pub(super) fn document(&self) -> Value {
        json!({
            "schema": 1,
            "verdict": self.verdict.word(),
            "judged": {"classes": ["C", "D"], "images": self.verdict.images, "subjects": self.verdict.subjects,
                "least_subjects": MIN_SUBJECTS},
            "conditions": self.verdict.conditions,
            "images_compared": self.compared,
            "evidence": self.evidence,
            "maps": class_documents(&self.maps, &Bootstrap::default()),
            "control": class_documents(&self.control, &Bootstrap::default()),
        })
    }

    /// Writes `sanity.json`.
    pub(super) fn write(&self, out: &Path) -> io::Result<()> {
        write_atomically(&out.join(FILE_NAME), (serde_json::to_string_pretty(&self.document())? + "\n").as_bytes())
    }
}
