//! Changes to the configuration of a run that is resumed, recorded before they take effect.

use anyhow::Context as _;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::training::lr_schedule::LearningRateSchedule;
use mammoscope_domain::training::rate_change::RateChange;
use mammoscope_domain::training::training_changes::{SettingChange, TrainingChanges, changed_config};
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::{read_run_spec, write_run_spec};

use super::recorder::Recorder;
use crate::learning::training_observer::TrainingObserver as _;
use crate::learning::training_progress::TrainingState;

/// Records the changes that are new to a run, and returns its specification with all changes so far. The events decide:
/// `run.toml` follows them, also if an earlier trainer ended before it was written.
pub(super) fn record_changes(
    changes: &TrainingChanges,
    run: &RunDir,
    spec: RunSpec,
    recorder: &mut Recorder,
) -> anyhow::Result<RunSpec> {
    if let Some(epochs) = changes.epochs.filter(|&epochs| epochs != recorder.summary().epochs) {
        recorder.record(RunEventKind::EpochsChanged { epochs })?;
    }
    let recorded = |recorder: &Recorder| -> anyhow::Result<TrainingConfig> {
        let changes = recorder.summary().changes.iter().map(|change| &change.record);
        Ok(changed_config(&spec.config, changes)?)
    };
    for change in changes.settings.changes(&recorded(recorder)?)? {
        recorder.record(RunEventKind::SettingChanged(change))?;
    }
    let config = recorded(recorder)?;
    let is_written = config == spec.config;
    let spec = RunSpec { config, ..spec };
    if !is_written {
        write_spec(run, &spec)?;
    }
    let config = TrainingConfig { epochs: recorder.summary().epochs, ..spec.config };
    Ok(RunSpec { config, ..spec })
}

/// Writes the changes that were recorded while a run was trained into its `run.toml`.
pub(super) fn write_changes(run: &RunDir, changes: &[SettingChange]) -> anyhow::Result<()> {
    let spec = read_run_spec(&run.spec()).with_context(|| printable_path(&run.spec()))?;
    let config = changed_config(&spec.config, changes)?;
    write_spec(run, &RunSpec { config, ..spec })
}

fn write_spec(run: &RunDir, spec: &RunSpec) -> anyhow::Result<()> {
    write_run_spec(&run.spec(), spec).with_context(|| format!("write {}", printable_path(&run.spec())))
}

/// Warns if another number of epochs changes the learning rate at the point where training continues.
pub(super) fn report_rate_change(
    config: &TrainingConfig,
    epochs_before: u32,
    steps_per_epoch: u64,
    state: &TrainingState,
    recorder: &mut Recorder,
) -> anyhow::Result<()> {
    let before = TrainingConfig { epochs: epochs_before, ..config.clone() };
    let mut schedule = LearningRateSchedule::new(&before, steps_per_epoch);
    schedule.restore(state.schedule.state());
    schedule.set_rollback_factor(state.schedule.rollback_factor());
    let change = RateChange::at(state.progress.step, (epochs_before, &schedule), (config.epochs, &state.schedule));
    match change {
        Some(change) => recorder.record(RunEventKind::Warning { message: change.to_string() }),
        None => Ok(()),
    }
}
