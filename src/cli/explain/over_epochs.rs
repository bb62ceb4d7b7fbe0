//! `mammoscope explain --over-epochs`: how the maps of images came about, epoch by epoch of a run.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};

use super::ExplainArguments;
use super::contact_sheets::Stems;
use super::epoch_document::{self, Checkpoint, OverEpochs};
use super::epoch_films::{EpochMap, Film, Films};
use super::group_maps::{GroupMaps, Job};
use super::kept_models::{KeptModel, KeptModels};
use crate::analysis::explanation_files::MapPainting;
use crate::cli::chosen_images::{ImageChoice, ImagesOfView};
use crate::cli::console::{Console, Outcome, WrongUse, print_result};
use crate::cli::engine_start::start_engine;
use crate::cli::image_notes::ImageNotes;
use crate::cli::interruption::Interruption;
use crate::cli::prediction_progress::PredictionProgress;
use crate::cli::sharding::prepare_output;
use crate::report::epoch_scores::epoch_scores_text;
use mammoscope_dataset::selection::SelectionError;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::image_findings::ImageFindings;
use mammoscope_domain::subject::selection::ViewSelection;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::file_problem::FileProblem;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_engine_client::engine_process::EngineProcess;
use mammoscope_engine_client::image_job::{ExplanationEvent, ImageJobError};
use mammoscope_imaging::overlay::MapScale;
use mammoscope_storage::atomic_file::write_atomically;
use mammoscope_storage::models::model_set::ModelSet;
use mammoscope_storage::tables::epoch_score_table::{self, EpochScoreWriter};
use mammoscope_storage::tables::score_table::ScoreRow;

/// The images that go through all models before the next ones do: the maps of all would fill the memory. A multiple of
/// every usual batch size, so that images are batched as without epochs.
const IMAGES_AT_ONCE: usize = 32;

pub(super) fn run(
    arguments: &ExplainArguments,
    requested: &Path,
    workspace: Option<&Path>,
    console: &Console,
) -> anyhow::Result<Outcome> {
    refuse_options(arguments)?;
    let kept = KeptModels::open(requested, workspace, console)?;
    let view = kept.spec.view;
    let (name, asked) = (kept.name(), &arguments.view);
    if matches!(asked, ViewSelection::Only(views) if views[..] != [view]) {
        bail!("--view {asked}: {name} was trained on {view} alone; leave --view out, or name a run of that view");
    }
    let models = ModelSet::of_entries(vec![kept.last().entry.clone()]);
    let choice = ImageChoice {
        models: &models,
        data: &arguments.data,
        data_options: &arguments.data_options,
        view: &ViewSelection::Only(vec![view]),
        split: arguments.split,
    };
    let chosen = choice.choose(console).map_err(|error| match error.downcast_ref() {
        Some(SelectionError::ViewMissing { .. }) => error.context(format!("{name} was trained on {view} alone")),
        _ => error,
    })?;
    let Some(group) = chosen.groups.first() else {
        bail!("{}: there is no image of {view} to explain", printable_path(&arguments.data));
    };
    prepare_output(&arguments.out, None)?;
    let out = || format!("write to {}", printable_path(&arguments.out));
    std::fs::create_dir_all(&arguments.out).with_context(out)?;
    let layer = if arguments.method.is_of_layer() { arguments.layer.to_string() } else { String::new() };
    let of_layer = if layer.is_empty() { String::new() } else { format!(" of {layer}") };
    let films = Films {
        out: arguments.out.clone(),
        painting: MapPainting {
            colors: arguments.colormap,
            opacity: arguments.opacity,
            scale: arguments.full.map_or(MapScale::PerImage, MapScale::Fixed),
            look: arguments.map_look(),
        },
        title: format!("{}{of_layer}", arguments.method.title()),
        models: &kept.models,
        table: EpochScoreWriter::create(&arguments.out).with_context(out)?,
        stems: Stems::default(),
    };
    let document = OverEpochs {
        schema: 1,
        run: kept.run.name(),
        view,
        method: arguments.method.to_string(),
        layer,
        table: epoch_score_table::FILE_NAME,
        checkpoints: kept
            .models
            .iter()
            .map(|KeptModel { epoch, file, .. }| Checkpoint { epoch: *epoch, file: file.clone() })
            .collect(),
        skipped: kept.skipped.clone(),
        images: Vec::new(),
        failed: Vec::new(),
        masks_left_out: Vec::new(),
        coarse_maps: Vec::new(),
        left_out: chosen.left_out,
    };
    let work = OverEpochsWork {
        arguments,
        console,
        models: &kept.models,
        group,
        films,
        document,
        rows: Vec::new(),
        findings: Vec::new(),
        notes: ImageNotes::default(),
    };
    work.run()
}

/// Refuses the options that have no meaning over epochs.
fn refuse_options(arguments: &ExplainArguments) -> Result<(), WrongUse> {
    let refused = [
        (arguments.parity, "--parity", "it scales each map by itself, so that epochs cannot be compared"),
        (arguments.sanity, "--sanity", "it judges one model; name it with --model"),
        (arguments.show, "--show", "films are files; `mammoscope show` draws a filmstrip in the terminal"),
        (arguments.sharding.shard.is_some(), "--shard", "the films of a run are made by one process"),
    ];
    match refused.into_iter().find(|(is_given, ..)| *is_given) {
        Some((_, option, reason)) => Err(WrongUse(format!("{option} with --over-epochs: {reason}"))),
        None => Ok(()),
    }
}

/// The work on the images of the run's view.
struct OverEpochsWork<'a> {
    arguments: &'a ExplainArguments,
    console: &'a Console,
    models: &'a [KeptModel],
    group: &'a ImagesOfView<'a>,
    films: Films<'a>,
    document: OverEpochs,
    rows: Vec<(u32, ScoreRow)>,
    /// What was found in the images.
    findings: Vec<ImageFindings>,
    notes: ImageNotes,
}

impl OverEpochsWork<'_> {
    fn run(mut self) -> anyhow::Result<Outcome> {
        let interruption = Interruption::watch()?;
        let interrupted = || interruption.requested();
        let mut engine = start_engine(Cancellation::new(&interrupted))?;
        let images = self.group.samples.len();
        let progress = PredictionProgress::of_maps(self.console, self.group.name(), images * self.models.len());
        let outcome = self.make_all(&mut engine, Cancellation::new(&interrupted), &progress);
        progress.finish();
        outcome?;
        if self.document.images.is_empty() {
            bail!("no image could be explained, {} failed", counted(self.document.failed.len(), "image"));
        }
        self.finish()
    }

    fn make_all(
        &mut self,
        engine: &mut EngineProcess,
        cancellation: Cancellation<'_>,
        progress: &PredictionProgress<'_>,
    ) -> anyhow::Result<()> {
        let mut job = Job::default();
        let all = self.group.samples.len();
        for start in (0..all).step_by(IMAGES_AT_ONCE) {
            let end = (start + IMAGES_AT_ONCE).min(all);
            let groups: Vec<ImagesOfView<'_>> = self.models.iter().map(|model| self.part(model, start, end)).collect();
            let mut of_images: Vec<Vec<EpochMap>> = vec![Vec::new(); end - start];
            for group in &groups {
                let maps = GroupMaps { arguments: self.arguments, console: self.console, group };
                let is_first = job.is_new();
                if let Some(coarse) = maps.coarse().filter(|_| is_first) {
                    progress.warn(&coarse.to_string());
                    self.document.coarse_maps.push(coarse.to_string());
                }
                let found = maps_at_epoch(&maps, engine, &mut job, cancellation, progress, is_first)?;
                for (of_image, map) in of_images.iter_mut().zip(found) {
                    of_image.push(map);
                }
            }
            // Those of the last model: a picture and its regions are the same for all.
            let maps = GroupMaps {
                arguments: self.arguments,
                console: self.console,
                group: groups.last().context("a run with kept models")?,
            };
            for (index, of_epochs) in of_images.into_iter().enumerate() {
                if cancellation.is_cancelled() {
                    return maps.outcome(Err(ImageJobError::Interrupted));
                }
                self.make(&maps, index, of_epochs, progress)?;
            }
        }
        Ok(())
    }

    /// The images from one position to another, with a model.
    fn part<'m>(&self, model: &'m KeptModel, start: usize, end: usize) -> ImagesOfView<'m> {
        ImagesOfView {
            view: self.group.view,
            model: &model.entry,
            samples: self.group.samples[start..end].to_vec(),
            positions: self.group.positions[start..end].to_vec(),
            all: self.group.all,
        }
    }

    /// Makes the film of an image, or records why there is none.
    fn make(
        &mut self,
        maps: &GroupMaps<'_>,
        index: usize,
        of_epochs: Vec<EpochMap>,
        progress: &PredictionProgress<'_>,
    ) -> anyhow::Result<()> {
        let path = &maps.group.samples[index].path;
        let fail = |document: &mut OverEpochs, reason: String| {
            let problem = FileProblem::new(path, reason);
            progress.warn(&problem.to_string());
            document.failed.push(problem);
        };
        if let Some(Err(reason)) = of_epochs.iter().find(|map| of_epochs.iter().all(Result::is_err) && map.is_err()) {
            fail(&mut self.document, reason.clone());
            return Ok(());
        }
        // The image is the same at all epochs.
        if let Some(findings) = of_epochs.iter().flatten().find_map(|map| map.findings.as_ref()) {
            self.notes.add(path, findings);
            self.findings.push(findings.clone());
        }
        let examined = match maps.examine(index) {
            Ok(examined) => Arc::new(examined),
            Err(reason) => {
                fail(&mut self.document, reason);
                return Ok(());
            }
        };
        for problem in &examined.mask_problems {
            progress.warn(problem);
            self.document.masks_left_out.push(FileProblem::new(path, problem.clone()));
        }
        let out = || format!("write to {}", printable_path(&self.arguments.out));
        let Film { image, rows, missing } = self.films.make(maps, index, &examined, of_epochs).with_context(out)?;
        for (epoch, reason) in missing {
            fail(&mut self.document, format!("epoch {epoch}: {reason}"));
        }
        self.document.images.push(image);
        self.rows.extend(rows);
        Ok(())
    }

    /// Writes the table and the document, and prints the scores.
    fn finish(self) -> anyhow::Result<Outcome> {
        let Self { arguments, console, models, group, films, document, rows, findings, mut notes } = self;
        notes.compare(group.model, findings.iter());
        notes.warn(console);
        let out = || format!("write to {}", printable_path(&arguments.out));
        films.table.finish().with_context(out)?;
        let text = serde_json::to_string_pretty(&document)? + "\n";
        write_atomically(&arguments.out.join(epoch_document::FILE_NAME), text.as_bytes()).with_context(out)?;
        if arguments.json {
            print_result(&text)?;
        } else {
            let epochs: Vec<u32> = models.iter().map(|model| model.epoch).collect();
            print_result(&epoch_scores_text(&epochs, &rows))?;
        }
        let missed = document.failed.len() + document.left_out;
        let (images, epochs) = (counted(document.images.len(), "image"), counted(models.len(), "epoch"));
        let mut remark = format!("{images} at {epochs} explained: {}", printable_path(&arguments.out));
        for (count, what) in [
            (missed, "failed or left out, as listed above"),
            (document.skipped.len(), "kept models could not be used"),
            (document.masks_left_out.len(), "masks could not be used"),
        ] {
            if count > 0 {
                // Writing to a string cannot fail.
                let _ = write!(remark, "; {count} {what}");
            }
        }
        console.note(remark);
        let is_whole = missed + document.skipped.len() + document.masks_left_out.len() == 0;
        Ok(if is_whole { Outcome::Done } else { Outcome::Failed })
    }
}

/// The maps of a group's images by its model, or the reasons why there are none.
fn maps_at_epoch(
    maps: &GroupMaps<'_>,
    engine: &mut EngineProcess,
    job: &mut Job,
    cancellation: Cancellation<'_>,
    progress: &PredictionProgress<'_>,
    is_first: bool,
) -> anyhow::Result<Vec<EpochMap>> {
    let mut found: Vec<Option<EpochMap>> = vec![None; maps.group.samples.len()];
    let result = maps.maps(engine, job, cancellation, &mut |event| {
        match &event {
            // Each model is a job of its own, on the same device.
            ExplanationEvent::Started { .. } if !is_first => {}
            event => progress.on_message(event),
        }
        if let ExplanationEvent::Image { index, result } = event {
            *found.get_mut(index).context("the engine answered for an unknown image")? = Some(result);
        }
        Ok(())
    });
    let reason = match result {
        Ok(()) => "the engine gave no answer".to_owned(),
        // The engine is still running, and other epochs have other models.
        Err(ImageJobError::Failed(reason)) => reason,
        Err(error) => {
            maps.outcome(Err(error))?;
            return Ok(Vec::new());
        }
    };
    Ok(found.into_iter().map(|map| map.unwrap_or_else(|| Err(reason.clone()))).collect())
}
