//! Samples the machine at a calm pace, and tells only what is new.

use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use crate::tui::protocol::message::UiMessage;
use crate::tui::services::machine_monitor::MachineMonitor;

/// Between two samples.
const PACE: Duration = Duration::from_secs(3);
/// The first share of the processor is that of so long.
const FIRST: Duration = Duration::from_millis(500);

/// Samples as long as anybody listens.
pub(super) fn watch(inbox: Sender<UiMessage>) {
    thread::spawn(move || {
        let mut monitor = MachineMonitor::new();
        let mut told = Vec::new();
        let mut pause = FIRST;
        loop {
            let sample = monitor.sample(Instant::now());
            let texts = sample.texts();
            if texts != told {
                told = texts;
                if inbox.send(UiMessage::Machine(sample)).is_err() {
                    return;
                }
            }
            thread::sleep(pause);
            pause = PACE;
        }
    });
}
