//! The start of training runs, the same as `mammoscope train --detach`.

use anyhow::{Context as _, bail};

use super::PlannedImages;
use super::folds::Comparison;
use crate::tui::protocol::train::{StartRequest, StartedRuns, StudyChoice};
use mammoscope_dataset::copied_images::{CopiedImages, copied_files};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::study::sweep::{Sweep, SweptKey};
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_runs::placement_choice::PlacementRequest;
use mammoscope_runs::study_plan::StudyRequest;
use mammoscope_runs::training_plan::{RequestedRun, TrainingPlan};
use mammoscope_runs::training_start::{check_disk, count_gpus, start_plan};
use mammoscope_storage::runs::workspace::Workspace;

/// Creates the runs, and starts their trainers.
pub(super) fn start(request: &StartRequest, workspace: &Workspace) -> anyhow::Result<StartedRuns> {
    request.config.check_for_start()?;
    let engine = locate_engine()?.path;
    let mut plan = planned(request)?;
    let gpus = count_gpus(&request.devices, &engine).context("device")?;
    let placement = if let Some(timed) = &request.placement {
        timed.clone()
    } else {
        // The first configuration stands for the others of a sweep.
        let config = &plan.runs.first().context("there is nothing to train")?.config;
        let one_each = PlacementRequest::new(&request.devices, gpus, request.jobs, config, &plan.manifests);
        let all = PlacementRequest { runs: plan.runs.len(), ..one_each };
        all.choose(&engine, Cancellation::never(), &mut |_| {}).map(|chosen| chosen.placement)?
    };
    plan.shares = request.devices.assign_side_by_side(plan.runs.len(), gpus, placement.jobs);
    plan.place(placement);
    check_disk(&plan, workspace)?;
    let started = start_plan(&plan, workspace, &engine, Cancellation::never(), &mut |_, _| {})?;
    let failures = started.failed.iter().map(|(_, error)| error.to_string()).collect();
    Ok(StartedRuns { runs: started.running, failures })
}

/// The runs, on no device yet. Reads the images to find copies.
pub(super) fn planned(request: &StartRequest) -> anyhow::Result<TrainingPlan> {
    let images = PlannedImages::of(&request.data, Comparison::Pictures, Cancellation::never())?;
    let manifests = images.set.manifests;
    // Copies are in the same fold.
    let compared = if images.folds.is_none() { &manifests[..] } else { &[] };
    for manifest in compared {
        if let Some(copies) = copied_files(manifest, Cancellation::never()).and_then(CopiedImages::some) {
            bail!("{}: {copies}; remove one of each, or use mammoscope train --allow-duplicates", manifest.view);
        }
    }
    let data = manifests.first().map(|manifest| manifest.root.clone()).context("there is no view to train")?;
    let mut plan = TrainingPlan {
        preset: request.preset.clone(),
        label: request.label.clone(),
        data,
        runs: RequestedRun::of_each(&manifests, &request.config),
        manifests,
        study: None,
        placement: None,
        on_event: None,
        shares: Vec::new(),
    };
    if let Some(study) = &request.study {
        make_study(&mut plan, study, request, images.folds)?;
    }
    Ok(plan)
}

fn make_study(
    plan: &mut TrainingPlan,
    study: &StudyChoice,
    request: &StartRequest,
    table: Option<Vec<u8>>,
) -> anyhow::Result<()> {
    let keys = study.sweep.iter().map(|text| text.parse()).collect::<Result<Vec<SweptKey>, _>>().context("sweep")?;
    let points = Sweep::new(keys, None).and_then(|sweep| sweep.points(&request.config)).context("sweep")?;
    let request = StudyRequest {
        sweep: &study.sweep,
        points: &points,
        seeds: study.seeds.unwrap_or(1),
        folds: request.data.folds.zip(table),
        seed: request.config.seed,
    };
    request.apply(plan).context("seeds")
}
