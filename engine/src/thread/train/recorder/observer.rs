//! The recorder as the observer of a training run.

use std::collections::BTreeMap;

use chrono::{SecondsFormat, Utc};
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_records::{AcknowledgedRequest, BatchSplit};
use mammoscope_domain::training::training_changes::SettingChange;
use mammoscope_domain::training::training_config::FullDiskPolicy;
use mammoscope_storage::runs::process_evidence::host_name;

use super::super::configuration_changes::write_changes;
use super::{EVENTS_OFFSET, PAUSE_TIMEOUT, PENDING_EVENTS, Recorder};
use crate::learning::training_observer::{Command, ImageChanges, NotSaved, TrainingObserver, storage_fault};

impl TrainingObserver for Recorder {
    fn record(&mut self, kind: RunEventKind) -> anyhow::Result<()> {
        self.report_move();
        Self::log_event(&kind);
        let event = RunEvent { time: Utc::now(), kind };
        let (is_step, epoch) = match &event.kind {
            RunEventKind::StepReported(_) => (true, None),
            RunEventKind::EpochEnded(epoch) => (false, Some(epoch.seconds)),
            _ => (false, None),
        };
        self.take(event);
        if is_step && self.faults.text().is_some() {
            self.retry();
        } else {
            self.write_all();
        }
        // The end is written once, by `finish`: a reader may take the run over as soon as it sees it.
        if !self.summary().phase.is_over() {
            self.update_status();
            if !is_step {
                self.queue.write_status();
            }
        }
        epoch.map_or(Ok(()), |seconds| self.warn_of_short_limit(seconds))
    }

    fn record_split(&mut self, split: BatchSplit) -> anyhow::Result<()> {
        self.record(RunEventKind::BatchSplit(split))?;
        while let Err(error) = self.backlog.write() {
            self.wait_or_fail("events.jsonl", error.into())?;
        }
        self.end_wait()?;
        self.sync();
        let run = self.run.clone();
        let changes: Vec<SettingChange> = self.summary().changes.iter().map(|change| change.record.clone()).collect();
        self.persist("run.toml", || write_changes(&run, &changes))
    }

    fn next_command(&mut self) -> Option<Command> {
        if let Some(stall) = self.queue.mark_step() {
            let message = format!("at step {}: {stall}", self.summary().step);
            self.take(RunEvent { time: Utc::now(), kind: RunEventKind::Warning { message } });
            self.write_all();
            self.update_status();
        }
        self.retry();
        self.queue.next_command()
    }

    fn acknowledge(&mut self, _command: &Command, step: u64) -> anyhow::Result<()> {
        match self.queue.acknowledge() {
            Some(verb) => self.record(RunEventKind::RequestAcknowledged(AcknowledgedRequest { verb, step })),
            None => Ok(()),
        }
    }

    fn should_stop(&mut self) -> bool {
        self.queue.mark_progress();
        self.queue.should_stop()
    }

    fn wait(&mut self) {
        self.queue.mark_progress();
        self.report_move();
        self.retry();
        self.queue.wait(PAUSE_TIMEOUT);
    }

    fn wait_or_fail(&mut self, file: &str, error: anyhow::Error) -> anyhow::Result<()> {
        let Some(fault) = storage_fault(&error) else { return Err(error) };
        // A run directory that was removed does not come back.
        if self.policy == FullDiskPolicy::Stop || self.run.is_removed() {
            return Err(error);
        }
        if self.is_waiting && self.queue.should_stop() {
            return Err(NotSaved { file: file.to_owned(), reason: fault }.into());
        }
        self.wait_for(&format!("{fault}: {file} cannot be written, trying again"))
    }

    fn end_wait(&mut self) -> anyhow::Result<()> {
        if !std::mem::take(&mut self.is_waiting) {
            return Ok(());
        }
        let step = self.summary().step;
        self.record(RunEventKind::Continued { step })
    }

    fn image_changes(&mut self) -> ImageChanges {
        self.watched.check()
    }

    fn sync(&mut self) {
        let outcome = self.backlog.sync();
        if let Some(message) = self.faults.note("events.jsonl", &outcome) {
            self.take(RunEvent { time: Utc::now(), kind: RunEventKind::Warning { message } });
            self.write_all();
        }
    }

    fn notes(&self) -> BTreeMap<String, String> {
        let mut notes = self.notes.clone();
        notes.extend([
            ("time".to_owned(), Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)),
            ("host".to_owned(), host_name()),
            (EVENTS_OFFSET.to_owned(), self.backlog.offset().to_string()),
            ("epoch".to_owned(), self.summary().epoch.to_string()),
            ("step".to_owned(), self.summary().step.to_string()),
        ]);
        if self.backlog.has_pending() {
            notes.insert(PENDING_EVENTS.to_owned(), self.backlog.pending_text());
        }
        notes
    }
}
