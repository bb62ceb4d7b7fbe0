//! Pictures of the errors, with their maps.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rayon::prelude::*;

use super::ReportArguments;
use super::gathering::ReportRun;
use crate::analysis::report_facts::{CasePicture, PictureSource, ReportFacts, case_picture, with_map};
use crate::cli::console::{Console, Interrupted};
use crate::cli::engine_start::start_engine;
use crate::cli::interruption::Interruption;
use crate::cli::model_choice::open_models;
use crate::cli::prediction_progress::PredictionProgress;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::explanation::coarse_map::CoarseMap;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::text::counted::{counted, counted_as};
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_engine_client::image_job::{ExplanationEvent, ImageJobError, run_image_job};
use mammoscope_engine_protocol::command::{ExplainWork, ExplainedClass, JobId};
use mammoscope_engine_protocol::wire_path::WirePath;
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_storage::models::model_set::ModelSet;

/// The side of pictures of images whose network is not known, in pixels.
const SIDE: usize = 650;

/// An image that is shown.
struct Shown {
    /// The case and the view among the errors of the report.
    place: (usize, usize),
    image: PathBuf,
    checksum: Option<String>,
    grey_range: GreyRange,
    model: Option<ShownModel>,
    predicted: DensityClass,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ShownModel {
    path: PathBuf,
    size: usize,
}

/// A map that was computed, and the class that the network predicts by now.
struct FoundMap {
    map: Raster<f32>,
    explained: DensityClass,
    predicted: Option<DensityClass>,
}

/// Adds pictures to the first errors, of whole cases, until there are as many as wanted.
pub(super) fn add_pictures(
    arguments: &ReportArguments,
    runs: &[ReportRun],
    workspace: Option<&Path>,
    facts: &mut ReportFacts,
    console: &Console,
) -> anyhow::Result<()> {
    let most = arguments.pictures();
    let Some(predictions) = facts.predictions.as_ref().filter(|_| most > 0) else { return Ok(()) };
    if !arguments.seed_txt.is_empty() {
        facts
            .missing
            .push("The reference's files do not name images, so errors are listed without pictures.".to_owned());
        return Ok(());
    }
    let models = match &arguments.model {
        Some(model) => Some(open_models(model, workspace, console).context("--model")?),
        None => None,
    };
    let finder = ImageFinder::new(arguments, runs, facts, models.as_ref());
    let mut shown: Vec<Shown> = Vec::new();
    for (case, error) in facts.errors.iter().enumerate() {
        if !shown.is_empty() && shown.len() + error.views.len() > most {
            break;
        }
        for (view, error_view) in error.views.iter().enumerate().take(most - shown.len()) {
            shown.push(finder.find((case, view), &predictions.rows[error_view.row]));
        }
    }
    let maps = computed_maps(arguments, &shown, facts, console)?;
    let (mut absent, mut unreadable) = (0, Vec::new());
    let pictures: Vec<_> = shown.par_iter().map(|one| picture(one, maps.get(&one.place), facts)).collect();
    for (one, picture) in shown.iter().zip(pictures) {
        match picture {
            Ok(picture) => facts.errors[one.place.0].views[one.place.1].picture = Some(picture),
            Err(_) if !one.image.exists() => absent += 1,
            Err(error) => unreadable.push(error.to_string()),
        }
    }
    if absent > 0 {
        let where_ = if facts.runs.is_empty() { "; --data DIR says where they are" } else { "" };
        facts.missing.push(format!(
            "{} not found, and not shown{where_}.",
            counted_as(absent, "image of an error was", "images of errors were")
        ));
    }
    if let Some(first) = unreadable.first() {
        console.warn(first);
        facts.missing.push(format!(
            "{} of errors could not be shown: unreadable, or changed since they were predicted.",
            counted(unreadable.len(), "image")
        ));
    }
    Ok(())
}

fn picture(one: &Shown, computed: Option<&FoundMap>, facts: &ReportFacts) -> anyhow::Result<CasePicture> {
    let side = one.model.as_ref().map_or(SIDE, |model| model.size);
    let source = PictureSource::read(&one.image, side, one.grey_range, one.checksum.as_deref())?;
    let of_folder = facts.explanations.as_ref().and_then(|explanations| explanations.map_of(&one.image));
    if let Some(map) = of_folder {
        let (map, explained) = map?;
        return Ok(with_map(&source, &map, explained)?);
    }
    let Some(FoundMap { map, explained, predicted }) = computed else { return Ok(case_picture(&source, None)?) };
    let mut picture = with_map(&source, map, *explained)?;
    if let Some(now) = predicted.filter(|now| *now != one.predicted) {
        picture.remark = Some(format!("the network predicts {now} by now"));
    }
    Ok(picture)
}

/// Where the images of rows are, and the models that predicted them.
struct ImageFinder<'a> {
    arguments: &'a ReportArguments,
    runs: &'a [ReportRun],
    facts: &'a ReportFacts,
    models: Option<&'a ModelSet>,
    /// The run and the sample of a file, by view and file.
    of_runs: HashMap<(&'static str, String), (usize, usize)>,
}

impl<'a> ImageFinder<'a> {
    fn new(
        arguments: &'a ReportArguments,
        runs: &'a [ReportRun],
        facts: &'a ReportFacts,
        models: Option<&'a ModelSet>,
    ) -> Self {
        let mut of_runs = HashMap::new();
        let split = facts.predictions.as_ref().and_then(|predictions| predictions.split);
        for (place, run) in facts.runs.iter().enumerate() {
            let (Some(manifest), Some(split)) = (&run.manifest, split) else { continue };
            for (sample, found) in manifest.of_split(split) {
                of_runs.insert((manifest.view.name(), found.file.to_string_lossy().into_owned()), (place, sample));
            }
        }
        Self { arguments, runs, facts, models, of_runs }
    }

    fn find(&self, place: (usize, usize), row: &PredictionRow) -> Shown {
        let known = row.view.and_then(|view| self.of_runs.get(&(view.name(), row.file.clone())));
        let of_run = known.and_then(|&(run, sample)| Some((run, self.facts.runs[run].manifest.as_ref()?, sample)));
        if let Some((run, manifest, sample)) = of_run {
            let sample = &manifest.samples[sample];
            let size = self.facts.runs[run].spec.config.size;
            return Shown {
                place,
                image: manifest.root.join(&sample.file),
                checksum: sample.pixels.as_ref().map(|pixels| pixels.sha256.clone()),
                grey_range: manifest.grey_range,
                model: self.runs[run].model.clone().map(|path| ShownModel { path, size }),
                predicted: row.predicted,
            };
        }
        let folders = self.arguments.data.iter().cloned().chain(self.arguments.inputs.iter().map(|input| {
            if input.is_dir() { input.clone() } else { input.parent().unwrap_or(Path::new(".")).to_owned() }
        }));
        let found = folders.map(|folder| folder.join(&row.file)).find(|image| image.is_file());
        let entry = self.models.and_then(|models| models.for_view(row.view));
        Shown {
            place,
            image: found.unwrap_or_else(|| PathBuf::from(&row.file)),
            checksum: None,
            grey_range: entry.map(|entry| entry.metadata.grey_range()).unwrap_or_default(),
            model: entry.map(|entry| ShownModel { path: entry.path.clone(), size: entry.metadata.size }),
            predicted: row.predicted,
        }
    }
}

/// Computes the maps that no folder has, by the image's place among the errors. Without an engine there are none, which
/// the report then says.
fn computed_maps(
    arguments: &ReportArguments,
    shown: &[Shown],
    facts: &mut ReportFacts,
    console: &Console,
) -> anyhow::Result<HashMap<(usize, usize), FoundMap>> {
    let has_map = |one: &&Shown| facts.explanations.as_ref().is_some_and(|maps| maps.map_of(&one.image).is_some());
    let mut by_model: BTreeMap<(&ShownModel, String), Vec<&Shown>> = BTreeMap::new();
    for one in shown.iter().filter(|one| !has_map(one) && one.image.is_file()) {
        if let Some(model) = &one.model {
            by_model.entry((model, one.grey_range.to_string())).or_default().push(one);
        }
    }
    let mut maps = HashMap::new();
    if by_model.is_empty() {
        return Ok(maps);
    }
    if let Err(error) = locate_engine() {
        facts.missing.push(format!("The errors are shown without maps: {error}."));
        return Ok(maps);
    }
    let interruption = Interruption::watch()?;
    let interrupted = || interruption.requested();
    let mut engine = start_engine(Cancellation::new(&interrupted))?;
    for (job, ((model, _), images)) in (0..).zip(by_model) {
        let caution = CoarseMap::of(ExplainedLayer::LAST, model.size).map(|coarse| coarse.to_string());
        facts.map_caution = facts.map_caution.take().or(caution);
        let work = ExplainWork {
            model: WirePath::from(model.path.as_path()),
            samples: images.iter().map(|one| WirePath::from(one.image.as_path())).collect(),
            grey_range: images[0].grey_range,
            method: ExplanationMethod::GradCam,
            layer: ExplainedLayer::LAST,
            class: ExplainedClass::Predicted,
            parity: false,
            curves: false,
            randomised_stages: 0,
            seed: arguments.seed,
            batch_size: None,
            device: DeviceChoice::Auto,
            precision: Precision::F32,
            threads: None,
        };
        let progress = PredictionProgress::new(console, "maps", images.len());
        let mut failed = 0;
        let result = run_image_job(&mut engine, JobId(job), work, Cancellation::new(&interrupted), &mut |event| {
            progress.on_message(&event);
            let ExplanationEvent::Image { index, result } = event else { return Ok(()) };
            let one = images.get(index).context("the engine answered for an unknown image")?;
            match result {
                Ok(sample) => {
                    let map = &sample.map;
                    let map = Raster::new(map.columns(), map.rows(), Channels::Grey, map.values().to_vec());
                    let predicted = Probabilities::from_logits(sample.logits).ok().map(|found| found.most_probable());
                    maps.insert(one.place, FoundMap { map, explained: sample.class, predicted });
                }
                Err(_) => failed += 1,
            }
            Ok(())
        });
        progress.finish();
        match result {
            Ok(()) => {}
            Err(ImageJobError::Interrupted) => return Err(Interrupted.into()),
            Err(error) => facts.missing.push(format!("Maps of some errors could not be computed: {error}.")),
        }
        if failed > 0 {
            facts.missing.push(format!("No map could be computed for {}.", counted(failed, "error image")));
        }
    }
    Ok(maps)
}
