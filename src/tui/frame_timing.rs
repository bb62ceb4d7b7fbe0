//! What it takes to draw the screen Runs: for the bench `workbench`, which sees no more of the workbench than this.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use super::app::App;
use super::buffered_terminal::BufferedTerminal;
use super::shared_state::SharedState;
use super::theme::Theme;
use super::view_state::ViewState;
use crate::settings::Settings;
use crate::terminal::color_depth::ColorDepth;
use crate::terminal::graphics::GraphicsFacts;
use crate::terminal::graphics::PicturePlacement;
use crate::terminal::graphics_protocol::GraphicsProtocol;
use crate::terminal::input::{Input, Key};
use crate::terminal::sizes::Cells;
use crate::tui::protocol::jobs::JobList;
use crate::tui::protocol::machine_sample::MachineSample;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::run_list::{RunList, RunRow};
use crate::tui::protocol::runs::{RunUpdate, RunsMessage};
use crate::tui::protocol::verb::KeyMap;
use mammoscope_domain::run::run_records::{StepReport, Timed};
use mammoscope_domain::run::run_summary::RunSummary;
use mammoscope_domain::training::training_config::Monitor;
use mammoscope_imaging::intensity_window::WindowChoice;
use mammoscope_storage::runs::run_dir::RunDir;

/// The frames that were drawn.
#[derive(Clone, Debug, Default)]
pub struct FrameTimes {
    /// How long each took, from the key to the last byte.
    pub times: Vec<Duration>,
    /// How many bytes were sent in all.
    pub bytes: usize,
}

/// Runs whose curves stand, and a terminal that goes nowhere.
pub struct FrameStage {
    app: App,
    screen: BufferedTerminal<Counter>,
    now: DateTime<Utc>,
}

/// Counts bytes.
#[derive(Debug, Default)]
struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl FrameStage {
    /// The screen Runs with so many runs over each other, each of `points` reports; their pyramids are built.
    pub fn new(runs: usize, points: u64, (columns, rows): (u16, u16)) -> io::Result<Self> {
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap_or_default();
        let mut graphics = GraphicsFacts::new(PicturePlacement::Screen, Some(GraphicsProtocol::Halfblocks), |_| None);
        graphics.resolve();
        let shared = SharedState {
            keymap: KeyMap::default(),
            workspace: "/density/workspace".into(),
            home: None,
            now,
            theme: Theme { depth: ColorDepth::True, light: false, ascii: false },
            graphics,
            machine: MachineSample::default(),
            runs: RunList::default(),
            jobs: JobList::default(),
            window: WindowChoice::default(),
            settings: Settings::default(),
        };
        let screen = BufferedTerminal::new(Counter::default(), Cells { columns, rows })?;
        let mut stage = Self { app: App::new(shared, ViewState::default()), screen, now };
        stage.press(Key::Char('3'));
        let names: Vec<RunDir> = (0..runs).map(|number| RunDir::new(format!("/density/runs/{number}"))).collect();
        let row = |run: &RunDir| RunRow {
            run: run.clone(),
            spec: None,
            status: None,
            condition: None,
            labels: None,
            problem: None,
        };
        stage.tell(UiMessage::Runs(RunsMessage::Listed(Ok(names.iter().map(row).collect()))));
        for _ in &names {
            stage.press(Key::Char(' '));
            stage.press(Key::Down);
        }
        for (number, run) in names.into_iter().enumerate() {
            let news = Box::new(curves(points, number as u64, now));
            stage.tell(UiMessage::Runs(RunsMessage::Followed { run, update: news }));
        }
        Ok(stage)
    }

    /// Draws so many frames, each after a key that changes the range on screen.
    pub fn draw(&mut self, frames: usize) -> io::Result<FrameTimes> {
        let keys = [Key::Char('z'), Key::Char('z'), Key::ShiftLeft, Key::ShiftLeft, Key::Char('Z'), Key::ShiftRight];
        let before = self.screen.terminal().0;
        let mut times = Vec::with_capacity(frames);
        for key in keys.into_iter().chain([Key::Char('Z'), Key::Char('0')]).cycle().take(frames) {
            let start = Instant::now();
            self.press(key);
            let app = &mut self.app;
            self.screen.draw(|frame| app.draw(frame))?;
            times.push(start.elapsed());
        }
        Ok(FrameTimes { times, bytes: self.screen.terminal().0 - before })
    }

    fn press(&mut self, key: Key) {
        self.tell(UiMessage::Input(Input::Key(key)));
    }

    fn tell(&mut self, message: UiMessage) {
        // What is wanted of the world is not done here.
        let _ = self.app.update(message, self.now);
    }
}

/// The news of a run with so many reports: a decay with noise.
fn curves(points: u64, seed: u64, now: DateTime<Utc>) -> RunUpdate {
    let noise =
        |step: u64| (step.wrapping_add(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64 / f64::from(1 << 24);
    let steps = (1..=points).map(|step| {
        let smooth = (-4.0 * step as f64 / points as f64).exp() + 0.2;
        let record = StepReport {
            epoch: (step / 1000) as u32 + 1,
            step,
            loss: smooth + 0.1 * noise(step),
            accuracy: 1.0 - 0.5 * smooth + 0.05 * noise(step + 1),
            learning_rate: 0.01 * smooth,
            gradient_norm: smooth * (1.0 + noise(step + 2)),
            images_per_s: 20.0 + noise(step + 3),
        };
        let elapsed = TimeDelta::milliseconds(step as i64 * 100);
        Timed { time: now + elapsed, elapsed, record }
    });
    RunUpdate {
        valid_below: 0,
        steps: steps.collect(),
        is_restart: true,
        notes: Vec::new(),
        summary: Box::new(RunSummary::new(Monitor::ValAccuracy, 100)),
        problems: Vec::new(),
        log: None,
        machine: Vec::new(),
        is_machine_restart: false,
        hashes: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_draws_another_range() {
        let mut stage = FrameStage::new(2, 5000, (120, 40)).unwrap();
        stage.draw(1).unwrap();
        let drawn = stage.draw(16).unwrap();
        assert_eq!(drawn.times.len(), 16);
        // A frame whose range had not changed would send nothing.
        assert!(drawn.bytes > 16 * 500, "{} bytes", drawn.bytes);
    }
}
