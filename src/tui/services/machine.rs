//! Samples the machine at intervals and sends the samples that differ.

use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use crate::tui::protocol::message::UiMessage;
use mammoscope_machine::machine_monitor::MachineMonitor;

const SAMPLE_INTERVAL: Duration = Duration::from_secs(3);
/// The time between the first two samples, so that the first load of the processor is known soon.
const FIRST_INTERVAL: Duration = Duration::from_millis(500);

/// Samples until the inbox is gone.
pub(super) fn watch(inbox: Sender<UiMessage>) {
    thread::spawn(move || {
        let mut monitor = MachineMonitor::new();
        let mut sent = Vec::new();
        let mut pause = FIRST_INTERVAL;
        loop {
            let sample = monitor.sample(Instant::now());
            let texts = sample.texts();
            if texts != sent {
                sent = texts;
                if inbox.send(UiMessage::Machine(sample)).is_err() {
                    return;
                }
            }
            thread::sleep(pause);
            pause = SAMPLE_INTERVAL;
        }
    });
}
