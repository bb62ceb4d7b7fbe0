//! Reads the validation losses of runs for the small curves in their list, on one thread and only for the last request:
//! while a user scrolls through many runs, those that have left the screen are not read.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::SystemTime;

use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::runs::{RunSketch, RunsMessage};
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_storage::runs::run_dir::RunDir;

/// The part of a line that marks the end of an epoch.
const EPOCH_ENDED: &str = "\"event\":\"epoch_ended\"";
/// The largest history of events that is read for a sketch.
const MAX_BYTES: u64 = 256 << 20;
/// The number of runs whose sketches are kept.
const MAX_KEPT: usize = 4000;

/// The thread that reads sketches; it ends when this is dropped.
pub(super) struct SketchReader {
    requests: Sender<Vec<RunDir>>,
}

impl SketchReader {
    /// Starts the thread; it sends its messages to the inbox.
    pub(super) fn start(inbox: Sender<UiMessage>) -> Self {
        let (requests, received) = channel();
        thread::spawn(move || read_requested(&received, &inbox));
        Self { requests }
    }

    /// Requests the sketches of runs on screen.
    pub(super) fn read(&self, runs: Vec<RunDir>) {
        // The thread ends only after this.
        let _ = self.requests.send(runs);
    }
}

/// The modification time and the length of a history, and what it holds.
type Read = (Option<(SystemTime, u64)>, RunSketch);

fn read_requested(received: &Receiver<Vec<RunDir>>, inbox: &Sender<UiMessage>) {
    let mut known: HashMap<RunDir, Read> = HashMap::new();
    let mut waiting: Vec<RunDir> = Vec::new();
    loop {
        if waiting.is_empty() {
            let Ok(runs) = received.recv() else { return };
            waiting = runs;
        }
        while let Ok(newer) = received.try_recv() {
            // The newest first; the others may still be on screen.
            waiting.retain(|run| !newer.contains(run));
            waiting.splice(0..0, newer);
            waiting.truncate(MAX_KEPT);
        }
        let run = waiting.remove(0);
        let stamp = run.events().metadata().ok().and_then(|facts| Some((facts.modified().ok()?, facts.len())));
        let before = known.get(&run).filter(|(before, _)| stamp.is_some() && *before == stamp);
        let sketch = before.map_or_else(|| sketch_of(&run.events()), |(_, sketch)| sketch.clone());
        if known.len() >= MAX_KEPT {
            known.clear();
        }
        known.insert(run.clone(), (stamp, sketch.clone()));
        if inbox.send(UiMessage::Runs(RunsMessage::Sketched { run, sketch })).is_err() {
            return;
        }
    }
}

/// The validation losses of the epochs, or the training losses of a run without validation images. Of an epoch that was
/// trained again, the last record counts.
fn sketch_of(events: &Path) -> RunSketch {
    let mut losses: Vec<f32> = Vec::new();
    let Ok(file) = File::open(events) else { return RunSketch { losses } };
    if file.metadata().is_ok_and(|facts| facts.len() > MAX_BYTES) {
        return RunSketch { losses };
    }
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut line = Vec::new();
    loop {
        line.clear();
        // What was read before an error is shown.
        if reader.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
            return RunSketch { losses };
        }
        let Some(text) = std::str::from_utf8(&line).ok().filter(|text| text.contains(EPOCH_ENDED)) else { continue };
        let Ok(RunEvent { kind: RunEventKind::EpochEnded(record), .. }) = serde_json::from_str(text) else { continue };
        let metrics = record.metrics;
        losses.truncate(metrics.epoch.saturating_sub(1) as usize);
        losses.push(metrics.val_loss.unwrap_or(metrics.train_loss) as f32);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::time::Duration;

    use super::*;

    fn line(epoch: u32, loss: f64) -> String {
        format!(
            "{{\"time\":\"2026-11-30T00:14:29Z\",\"event\":\"epoch_ended\",\"epoch\":{epoch},\"step\":{epoch},\
             \"train_loss\":9.0,\"train_accuracy\":0.5,\"val_loss\":{loss},\"val_accuracy\":0.5,\"val_kappa\":null,\
             \"learning_rate\":0.01,\"seconds\":1.0}}\n"
        )
    }

    #[test]
    fn a_history_is_read_and_read_again_when_it_grows() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        fs::write(run.events(), line(1, 3.0) + "half a line \u{fffd}\n" + &line(2, 2.0) + &line(2, 1.5)).unwrap();
        let (inbox, messages) = channel();
        let reader = SketchReader::start(inbox);
        let next = || match messages.recv_timeout(Duration::from_secs(60)) {
            Ok(UiMessage::Runs(RunsMessage::Sketched { sketch, .. })) => sketch.losses,
            other => panic!("{other:?}"),
        };
        reader.read(vec![run.clone()]);
        assert_eq!(next(), [3.0, 1.5], "the last record of an epoch counts");
        fs::OpenOptions::new().append(true).open(run.events()).unwrap().write_all(line(3, 1.0).as_bytes()).unwrap();
        reader.read(vec![run.clone(), RunDir::new(folder.path().join("gone"))]);
        assert_eq!(next(), [3.0, 1.5, 1.0]);
        assert_eq!(next(), [0.0; 0], "a run that is gone");
    }
}
