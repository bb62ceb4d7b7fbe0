//! From the arguments of `mammoscope train` to a plan: splits or folds, manifests, and the runs of a study.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::PlanArguments;
use super::study_arguments::StudyArguments;
use crate::cli::console::{Console, Interrupted, WrongUse};
use crate::cli::interruption::Interruption;
use crate::cli::preset;
use crate::cli::split::compared_subjects::ComparedSubjects;
use crate::cli::split_file::read_splits;
use mammoscope_dataset::copied_images::{CopiedImages, copied_files};
use mammoscope_dataset::folder_layout::FolderScan;
use mammoscope_dataset::manifest::{ManifestSet, build_manifests, use_reader_votes};
use mammoscope_dataset::sample::DatasetSample;
use mammoscope_dataset::split::SplitPlan;
use mammoscope_dataset::split_table::{FoldChoice, SplitTable};
use mammoscope_dataset::subject_split::{Division, split_csv};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::counted::counted_as;
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_runs::training_plan::{RequestedRun, TrainingPlan};
use mammoscope_storage::runs::study_folder::FOLDS;

/// Plans the runs, all on one device: [`TrainingPlan::shares`] has one share, which the caller may divide. Nothing is
/// written. Reads the images' grey range and, for folds, all images; needs no libtorch.
pub(in crate::cli) fn plan_runs(arguments: &PlanArguments, console: &Console) -> anyhow::Result<TrainingPlan> {
    let config = configuration(arguments)?;
    let sweep = arguments.study.sweep(&arguments.set)?;
    let points = sweep.points(&config).map_err(|error| WrongUse(format!("--sweep: {error}")))?;
    let images = PlannedImages::of(arguments, &config, console)?;
    let data = images.manifests.first().map(|manifest| manifest.root.clone()).context("no view to train")?;
    let label = arguments.name.clone().unwrap_or_else(|| label(arguments));
    let mut plan = TrainingPlan {
        preset: arguments.preset.clone(),
        label,
        data,
        runs: RequestedRun::of_each(&images.manifests, &config),
        manifests: images.manifests,
        study: None,
        placement: None,
        on_event: arguments.on_event.clone(),
        shares: Vec::new(),
    };
    if arguments.study.is_given() {
        arguments.study.make_study(&mut plan, &points, &config, images.folds)?;
        console.note(super::study_arguments::study_text(&plan, points.len(), &arguments.study));
    }
    plan.shares = vec![(DeviceChoice::Auto, (0..plan.runs.len()).collect())];
    Ok(plan)
}

/// The preset with the changes of `--set`, checked.
fn configuration(arguments: &PlanArguments) -> anyhow::Result<TrainingConfig> {
    let mut config = preset::load(&arguments.preset)?.config;
    if !arguments.set.is_empty() {
        // All at once, so that a key given twice is found.
        config.set_all(&arguments.set.join(",")).map_err(|error| WrongUse(format!("--set: {error}")))?;
    }
    if let Some(policy) = &arguments.on_full {
        config.set("on_full", policy).map_err(|error| WrongUse(format!("--on-full: {error}")))?;
    }
    config.check_for_start().map_err(|error| WrongUse(format!("--set: {error}")))?;
    Ok(config)
}

/// The manifests of the runs, and the table of folds that they follow.
struct PlannedImages {
    manifests: Vec<DatasetManifest>,
    folds: Option<Vec<u8>>,
}

impl PlannedImages {
    fn of(arguments: &PlanArguments, config: &TrainingConfig, console: &Console) -> anyhow::Result<Self> {
        let scanned = arguments.data_options.scan(&arguments.data, console)?;
        let (plans, folds) = match arguments.study.folds {
            None => (vec![split_plan(arguments, config, console)?], None),
            Some(count) => {
                let table = fold_table(arguments, &scanned, count, config.seed, console)?;
                let held_out = match arguments.fold {
                    Some(fold) => vec![fold],
                    None => (1..=count).map(FoldChoice::Fold).collect(),
                };
                let plans = held_out
                    .into_iter()
                    .map(|fold| Ok(SplitPlan::Table(SplitTable::parse(Path::new(FOLDS), &table, Some(fold))?)));
                (plans.collect::<anyhow::Result<_>>()?, Some(table))
            }
        };
        let mut manifests = Vec::new();
        let mut warned = BTreeSet::new();
        for plan in plans {
            let set = build_manifests(&scanned, &arguments.view, plan, arguments.allow_duplicates)?;
            let ManifestSet { manifests: of_plan, warnings } = set;
            for warning in warnings {
                // Folds of the same images share most of their warnings.
                if warned.insert(warning.to_string()) {
                    console.warn(warning);
                }
            }
            manifests.extend(of_plan);
        }
        use_votes(arguments, &mut manifests, &scanned, console)?;
        let range = arguments.data_options.grey.range();
        let paths: BTreeSet<PathBuf> = manifests.iter().flat_map(DatasetManifest::paths).collect();
        arguments.data_options.grey.check(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>(), console)?;
        for manifest in &mut manifests {
            // Copies that `fold_table` has found are in the same fold.
            if folds.is_none() {
                refuse_copies(manifest, console)?;
            }
            manifest.grey_range = range;
            let [train, validation, test] = Split::ALL.map(|split| manifest.of_split(split).count());
            let fold = manifest.split_file.as_ref().and_then(|file| file.fold).filter(|_| folds.is_some());
            let fold = fold.map_or_else(String::new, |fold| format!(", fold {fold}"));
            console.note(format!(
                "{}{fold}: {train} training, {validation} validation, {test} test images",
                manifest.view
            ));
        }
        Ok(Self { manifests, folds })
    }
}

/// Draws the folds as `mammoscope split --folds` does, and returns them as a table.
fn fold_table(
    arguments: &PlanArguments,
    scanned: &FolderScan,
    folds: u32,
    seed: u64,
    console: &Console,
) -> anyhow::Result<Vec<u8>> {
    let division = Division::Folds { folds, test: 0.0 };
    division.check().map_err(|error| WrongUse(error.to_string()))?;
    let labelled: Vec<&DatasetSample> = scanned.samples.iter().filter(|sample| sample.label.is_some()).collect();
    if labelled.is_empty() {
        bail!("--folds: none of the images has a label, and folds are stratified by class");
    }
    let compared = ComparedSubjects { labelled: &labelled, root: &arguments.data, grey: &arguments.data_options.grey };
    let (units, unreadable) = compared.units(&division, console)?;
    if !unreadable.is_empty() {
        bail!(
            "--folds: {} cannot be read, so copies of {} are not found: repair or remove {}",
            counted_as(unreadable.len(), "image", "images"),
            if unreadable.len() == 1 { "it" } else { "them" },
            if unreadable.len() == 1 { "it" } else { "them" },
        );
    }
    Ok(split_csv(&division, &units, seed))
}

fn use_votes(
    arguments: &PlanArguments,
    manifests: &mut [DatasetManifest],
    scanned: &FolderScan,
    console: &Console,
) -> anyhow::Result<()> {
    if !arguments.soft_labels {
        return Ok(());
    }
    let images = use_reader_votes(manifests, scanned);
    if images == 0 {
        bail!(
            "--soft-labels: --labels has no readers for the training images; it needs columns reader_1, reader_2, … or \
             a column reader"
        );
    }
    console.note(format!("{} trained on the shares of the readers", counted_as(images, "image is", "images are")));
    Ok(())
}

/// Refuses copies of a file in two splits before anything is started. The trainer looks for other duplicates of a
/// picture.
fn refuse_copies(manifest: &DatasetManifest, console: &Console) -> anyhow::Result<()> {
    let interruption = Interruption::watch()?;
    let copies = copied_files(manifest, Cancellation::new(&|| interruption.requested())).ok_or(Interrupted)?;
    let Some(copies) = CopiedImages::some(copies) else { return Ok(()) };
    if !manifest.allow_duplicates {
        bail!("{}: {copies}; remove one of each, or say --allow-duplicates", manifest.view);
    }
    console.warn(format!("{}: {copies}", manifest.view));
    Ok(())
}

fn split_plan(arguments: &PlanArguments, config: &TrainingConfig, console: &Console) -> anyhow::Result<SplitPlan> {
    Ok(match &arguments.splits {
        Some(path) => {
            let table = read_splits(path, arguments.fold)?;
            let file = table.file();
            if let Some(fold) = file.fold {
                let place = file.folds.iter().position(|&other| other == fold).unwrap_or_default();
                let next = file.folds[(place + 1) % file.folds.len()];
                let roles = match file.folds.len() {
                    2 => format!("fold {next} trains, and no fold is left to validate"),
                    _ => format!("fold {next} validates, the others train"),
                };
                console.note(format!("fold {fold} of {} is held out, {roles}", file.folds.len()));
            }
            let set_aside = table.set_aside().len();
            if set_aside > 0 {
                let subjects = counted_as(set_aside, "subject is", "subjects are");
                console.note(format!("{subjects} kept for --fold test, and left out here"));
            }
            SplitPlan::Table(table)
        }
        None if arguments.all_as_train => SplitPlan::AllAsTrain,
        None => SplitPlan::FoldersOrDrawn { seed: config.seed },
    })
}

/// The preset's name, with that of the fold of a table.
fn label(arguments: &PlanArguments) -> String {
    let preset = &arguments.preset;
    let preset =
        Path::new(preset).file_stem().map_or_else(|| preset.clone(), |stem| stem.to_string_lossy().into_owned());
    match arguments.fold {
        // Names of runs within a study have the fold anyway.
        _ if StudyArguments::is_given(&arguments.study) => preset,
        Some(FoldChoice::Fold(fold)) => format!("{preset}-fold{fold}"),
        Some(FoldChoice::Test) => format!("{preset}-test"),
        None => preset,
    }
}
