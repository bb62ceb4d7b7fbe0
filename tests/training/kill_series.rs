//! Trainers killed at any moment, again and again: every run continues and ends with the bytes of an undisturbed one.
//!
//! The long series: `cargo test --test training kill_series -- --ignored --nocapture`.
#![cfg(target_os = "linux")]

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;
use mammoscope_test_support::engine;
use mammoscope_test_support::faults::Faults;
use mammoscope_test_support::trainer_fixture::{EVERY_STEP, TrainerFixture, WatchedRun, send, wait_exit};
use mammoscope_test_support::training_fixture::summary;
use rustix::process::Signal;

use crate::completeness::Outcome;

/// Four steps of four images per epoch, with a checkpoint after each.
const SUBJECTS: u32 = 24;
const EPOCHS: u32 = 6;
const SETTINGS: &str = "epochs=6,optimizer=adamw,momentum=0.9,learning_rate=0.002,ema=0.9,keep_best=2";
/// The kills of a run before it is trained to its end.
const KILLS_PER_RUN: u32 = 8;

/// When a trainer is killed.
#[derive(Clone, Copy, Debug)]
enum Kill {
    /// After this share of the time that a whole training takes.
    AnyMoment(f64),
    /// Before its nth system call that changes a path with this part; a write gets half-way.
    Call(u32, &'static str),
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A fixture with the outcome and duration of an undisturbed run.
struct Series {
    fixture: TrainerFixture,
    faults: Faults,
    expected: Outcome,
    whole: Duration,
    killed: u32,
    ended: u32,
}

impl Series {
    /// `None` where there is no C compiler.
    fn new() -> Option<Self> {
        let faults = Faults::new()?;
        let fixture = TrainerFixture::new(SUBJECTS);
        let start = Instant::now();
        let mut run = fixture.train("CC_R", &format!("{SETTINGS},{EVERY_STEP}")).remove(0);
        assert_eq!(run.wait_ended(), (RunPhase::Completed, u64::from(4 * EPOCHS)), "{}", run.log());
        let whole = start.elapsed();
        let expected = Outcome::of(&run.dir);
        assert_eq!(expected.epochs.len(), EPOCHS as usize);
        Some(Self { fixture, faults, expected, whole, killed: 0, ended: 0 })
    }

    /// Starts a run and kills its trainer.
    fn start(&mut self, moment: f64) -> WatchedRun {
        let mut run = self.fixture.train("CC_R", &format!("{SETTINGS},{EVERY_STEP}")).remove(0);
        let trainer = run.wait_started();
        thread::sleep(self.whole.mul_f64(moment / 4.0));
        send(trainer, Signal::KILL);
        self.killed += u32::from(wait_exit(trainer) == Err(Signal::KILL.as_raw()));
        run
    }

    /// Lets a trainer continue a run and kills it, unless it reaches the end of the run first.
    fn attempt(&self, run: &WatchedRun, kill: Kill) -> ExitStatus {
        let mut command = Command::new(engine());
        command.arg("train").arg(run.dir.path()).env("OMP_WAIT_POLICY", "PASSIVE");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Kill::Call(call, part) = kill {
            self.faults.kill_before(&mut command, call, part);
        }
        let mut trainer = command.spawn().unwrap();
        if let Kill::AnyMoment(share) = kill {
            thread::sleep(self.whole.mul_f64(share));
            let _ = trainer.kill();
        }
        trainer.wait().unwrap()
    }

    fn finish(&mut self, run: &mut WatchedRun) {
        if summary(&run.dir).phase != RunPhase::Completed {
            self.fixture.output(&["resume", &run.dir.name(), "--detach"]);
            run.wait_unlocked();
        }
        self.expected.assert_same(&run.dir);
        self.ended += 1;
    }

    /// Kills trainers in all these ways; each run that was hit is trained to its end.
    fn run(&mut self, kills: &[Kill]) {
        let mut current: Option<(WatchedRun, u32)> = None;
        for &kill in kills {
            loop {
                let (mut run, hits) = current.take().unwrap_or_else(|| (self.start(0.5), 0));
                let status = self.attempt(&run, kill);
                if status.signal() == Some(9) {
                    self.killed += 1;
                    // Whatever the moment, there is a whole checkpoint, or none yet.
                    let last = run.dir.last_checkpoint();
                    assert!(!last.exists() || Checkpoint::read(&last).is_ok(), "{kill:?}");
                    if hits + 1 < KILLS_PER_RUN {
                        current = Some((run, hits + 1));
                    } else {
                        self.finish(&mut run);
                    }
                    break;
                }
                assert!(status.success(), "{kill:?}: {status}: {}", run.log());
                self.finish(&mut run);
            }
        }
        if let Some((mut run, _)) = current {
            self.finish(&mut run);
        }
    }
}

#[test]
fn killed_trainers_leave_runs_that_end_as_if_nothing_had_happened() {
    let Some(mut series) = Series::new() else { return };
    let kills = [
        Kill::AnyMoment(0.2),
        Kill::Call(2, "/checkpoints"),
        Kill::Call(9, "/checkpoints"),
        Kill::AnyMoment(0.6),
        Kill::Call(31, "/checkpoints"),
        Kill::Call(5, "/events.jsonl"),
        Kill::AnyMoment(0.8),
        Kill::Call(14, "/checkpoints"),
    ];
    series.run(&kills);
    assert!(series.killed >= 8 && series.ended >= 1);
}

/// 60 kills within the writing of checkpoints, 20 within that of other files, and the others at any moment.
#[test]
#[ignore = "takes minutes: cargo test --test training kill_series -- --ignored --nocapture"]
fn a_hundred_kills_change_no_byte() {
    let Some(mut series) = Series::new() else { return };
    let mut numbers = Numbers(11);
    let kills: Vec<Kill> = (0..100)
        .map(|number| match number % 5 {
            0..=2 => Kill::Call(1 + numbers.below(60) as u32, "/checkpoints"),
            3 => {
                let parts = ["/events.jsonl", "/status.json", "/tensorboard", "_train.txt", "/predictions"];
                Kill::Call(1 + numbers.below(8) as u32, parts[numbers.below(5) as usize])
            }
            _ => Kill::AnyMoment(numbers.below(1000) as f64 / 1000.0),
        })
        .collect();
    series.run(&kills);
    assert!(series.killed >= 100);
    println!("{} kills; {} of {} runs ended with the same bytes", series.killed, series.ended, series.ended);
}
