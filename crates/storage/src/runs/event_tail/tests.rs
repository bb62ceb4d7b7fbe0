use std::fs::{self, OpenOptions};
use std::io::Write as _;

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::*;
use crate::runs::event_log::EventLog;
use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{
    AcknowledgedRequest, CheckpointKind, EpochMetrics, EpochRecord, LearningRateReduction, SavedCheckpoint,
    SkippedSample, SplitEvaluation, StepReport, TrainerFacts, TrainingSetup,
};
use mammoscope_domain::run::run_state::RunState;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::training::compute_options::Precision;
use mammoscope_domain::training::training_config::Monitor;

fn time(second: usize) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000 + second as i64, 250_000_000).unwrap()
}

fn paused(step: u64) -> RunEvent {
    RunEvent { time: time(0), kind: RunEventKind::Paused { step } }
}

fn read_all(tail: &mut EventTail) -> Vec<TailEntry> {
    let mut entries = Vec::new();
    tail.read(|entry| entries.push(entry)).unwrap();
    entries
}

fn log_of(path: &Path, steps: &[u64]) {
    let mut log = EventLog::open(path).unwrap();
    for step in steps {
        log.append(&paused(*step)).unwrap();
    }
}

#[test]
fn a_half_written_line_is_left_for_the_next_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let mut tail = EventTail::new(&path);
    assert_eq!(read_all(&mut tail), [], "a file that does not exist yet has no events");
    log_of(&path, &[1]);
    let half = serde_json::to_string(&paused(2)).unwrap();
    let (first, second) = half.split_at(30);
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(first.as_bytes()).unwrap();
    assert_eq!(read_all(&mut tail), [TailEntry::Event(paused(1))]);
    assert_eq!(read_all(&mut tail), []);
    file.write_all(format!("{second}\n").as_bytes()).unwrap();
    assert_eq!(read_all(&mut tail), [TailEntry::Event(paused(2))]);
    assert_eq!(tail.offset(), fs::metadata(&path).unwrap().len());
}

#[test]
fn an_invalid_line_is_located_and_costs_no_other_event() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    log_of(&path, &[1]);
    let place = fs::metadata(&path).unwrap().len();
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"time\":\"2026\xff").unwrap();
    drop(file);
    log_of(&path, &[2]);
    let entries = read_all(&mut EventTail::new(&path));
    assert_eq!(entries.len(), 3);
    assert!(matches!(&entries[1], TailEntry::BadLine(bad) if bad.offset == place), "{entries:?}");
    assert_eq!(entries[2], TailEntry::Event(paused(2)));
    // An event of a later version cannot be read either.
    fs::write(&path, b"{\"time\":\"2026-11-23T10:15:02Z\",\"event\":\"levitated\"}\n\n").unwrap();
    let entries = read_all(&mut EventTail::new(&path));
    assert!(
        matches!(&entries[..], [TailEntry::BadLine(bad), TailEntry::BadLine(_)] if bad.reason.contains("levitated"))
    );
}

#[test]
fn a_file_that_shrank_or_was_replaced_is_read_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    log_of(&path, &[1, 2]);
    let mut tail = EventTail::new(&path);
    assert_eq!(read_all(&mut tail).len(), 2);

    OpenOptions::new().write(true).truncate(true).open(&path).unwrap();
    log_of(&path, &[3]);
    assert_eq!(read_all(&mut tail), [TailEntry::Restarted, TailEntry::Event(paused(3))]);

    let other = folder.path().join("other.jsonl");
    log_of(&other, &[4, 5, 6]);
    fs::rename(&other, &path).unwrap();
    let entries = read_all(&mut tail);
    assert_eq!((entries.len(), &entries[0], &entries[3]), (4, &TailEntry::Restarted, &TailEntry::Event(paused(6))));

    // Cut within a line and grown past that offset again: the bytes read no longer end with a line.
    OpenOptions::new().write(true).truncate(true).open(&path).unwrap();
    fs::write(&path, "x".repeat(tail.offset() as usize + 5)).unwrap();
    assert_eq!(read_all(&mut tail), [TailEntry::Restarted]);
}

/// Something that may happen to a training between two steps.
#[derive(Clone, Debug)]
enum Turn {
    Train,
    Report,
    Checkpoint,
    Ask(RequestVerb),
    Pause,
    Skip(u8),
    Warn(u8),
    Reduce,
    Reject,
    RollBack,
    Kill,
    End(RunPhase),
    Extend,
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        12 => Just(Turn::Train),
        8 => Just(Turn::Report),
        3 => Just(Turn::Checkpoint),
        1 => prop::sample::select(RequestVerb::ALL.to_vec()).prop_map(Turn::Ask),
        1 => Just(Turn::Pause),
        1 => (0..3_u8).prop_map(Turn::Skip),
        1 => (0..3_u8).prop_map(Turn::Warn),
        1 => Just(Turn::Reduce),
        1 => Just(Turn::Reject),
        1 => Just(Turn::RollBack),
        2 => Just(Turn::Kill),
        1 => prop::sample::select(vec![RunPhase::Interrupted, RunPhase::Stopped, RunPhase::Failed, RunPhase::Completed])
            .prop_map(Turn::End),
        1 => Just(Turn::Extend),
    ]
}

/// A simulated trainer that records events in the legal order and can be killed and resumed from its last checkpoint.
struct Simulation {
    events: Vec<RunEventKind>,
    step: u64,
    saved: u64,
}

impl Simulation {
    const STEPS_PER_EPOCH: u64 = 4;

    fn run(turns: &[Turn]) -> Vec<RunEvent> {
        let created = RunEventKind::Created { preset: "seed".to_owned(), epochs: 10 };
        let mut simulation = Self { events: vec![created], step: 0, saved: 0 };
        simulation.start();
        for turn in turns {
            simulation.take(turn);
        }
        let timed = |(second, kind)| RunEvent { time: time(second), kind };
        simulation.events.into_iter().enumerate().map(timed).collect()
    }

    fn epoch(&self) -> u32 {
        (self.step / Self::STEPS_PER_EPOCH) as u32 + 1
    }

    fn start(&mut self) {
        let started = RunEventKind::Started(TrainerFacts {
            pid: 7,
            host: "node\n3".to_owned(),
            version: "0.1.0".to_owned(),
            slurm: None,
        });
        self.events.push(started);
        self.step = self.saved;
        if self.saved > 0 {
            let epochs_done = (self.saved / Self::STEPS_PER_EPOCH) as u32;
            let checkpoint = "last.safetensors".to_owned();
            self.events.push(RunEventKind::Resumed { step: self.saved, epochs_done, checkpoint });
        }
        self.events.push(RunEventKind::Prepared(TrainingSetup {
            device: "cpu".to_owned(),
            precision: Precision::F32,
            threads: 2,
            train: 16,
            validation: 4,
            test: 4,
            steps_per_epoch: Self::STEPS_PER_EPOCH,
        }));
    }

    fn take(&mut self, turn: &Turn) {
        let (step, epoch) = (self.step, self.epoch());
        let kind = match turn {
            Turn::Train => return self.train(),
            Turn::Report => RunEventKind::StepReported(StepReport {
                epoch,
                step,
                loss: 1.0 / (step as f64 + 0.7),
                accuracy: 0.1 * (step % 10) as f64,
                learning_rate: 0.01,
                gradient_norm: std::f64::consts::PI,
                images_per_s: 61.25,
            }),
            Turn::Checkpoint => {
                self.saved = step;
                let (kind, file) = (CheckpointKind::Last, "last.safetensors".to_owned());
                RunEventKind::CheckpointSaved(SavedCheckpoint { epoch, step, kind, file, value: None })
            }
            Turn::Ask(verb) => RunEventKind::RequestAcknowledged(AcknowledgedRequest { verb: *verb, step }),
            Turn::Pause => {
                self.events.push(RunEventKind::Paused { step });
                RunEventKind::Continued { step }
            }
            Turn::Skip(number) => {
                RunEventKind::SampleSkipped(SkippedSample { file: format!("{number}ä.png"), reason: "cut".to_owned() })
            }
            Turn::Warn(number) => RunEventKind::Warning { message: format!("\u{2028}{number}") },
            Turn::Reduce => RunEventKind::LearningRateReduced(LearningRateReduction { epoch, from: 0.01, to: 0.002 }),
            Turn::Reject => {
                RunEventKind::CheckpointRejected { file: "last.safetensors".to_owned(), reason: "sum".to_owned() }
            }
            Turn::RollBack => {
                self.events.push(RunEventKind::Nonfinite {
                    step,
                    what: "loss".to_owned(),
                    files: vec!["a".to_owned()],
                });
                self.step = self.saved;
                RunEventKind::RolledBack { from_step: step, to_step: self.saved, learning_rate_factor: 0.5 }
            }
            Turn::Kill => return self.start(),
            Turn::End(state) => {
                let split = Split::Test;
                self.events.push(RunEventKind::Evaluated(SplitEvaluation {
                    split,
                    images: 4,
                    accuracy: 0.75,
                    kappa_linear: None,
                }));
                self.events.push(RunEventKind::Ended { state: *state, reason: Some("so".to_owned()), step });
                return self.start();
            }
            Turn::Extend => RunEventKind::EpochsChanged { epochs: 20 },
        };
        self.events.push(kind);
    }

    fn train(&mut self) {
        let epoch = self.epoch();
        if self.step.is_multiple_of(Self::STEPS_PER_EPOCH) {
            self.events.push(RunEventKind::EpochStarted { epoch, step: self.step, learning_rate: 0.01 });
        }
        self.step += 1;
        if self.step.is_multiple_of(Self::STEPS_PER_EPOCH) {
            // The metrics of an epoch depend only on its number: an exact resume computes the same again.
            self.events.push(RunEventKind::EpochEnded(EpochRecord {
                metrics: EpochMetrics {
                    epoch,
                    step: self.step,
                    train_loss: 1.0 / f64::from(epoch),
                    train_accuracy: 0.5,
                    val_loss: Some(1.5 / f64::from(epoch)),
                    val_accuracy: Some((f64::from(epoch) * 1.7).sin().abs()),
                    val_kappa: None,
                    learning_rate: 0.01,
                },
                seconds: self.events.len() as f64,
            }));
        }
    }
}

fn folded<'a>(events: impl IntoIterator<Item = &'a RunEvent>) -> RunState {
    let mut state = RunState::new(Monitor::ValAccuracy, 10);
    for event in events {
        state.apply(event);
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_live_fold_equals_the_replay_and_the_replay_in_pieces(
        turns in prop::collection::vec(turn(), 0..60),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let events = Simulation::run(&turns);
        let live = folded(&events);

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut log = EventLog::open(&path).unwrap();
        for event in &events {
            log.append(event).unwrap();
        }
        let mut replayed = RunState::new(Monitor::ValAccuracy, 10);
        EventTail::new(&path).read(|entry| match entry {
            TailEntry::Event(event) => replayed.apply(&event),
            other => panic!("{other:?}"),
        }).unwrap();
        prop_assert_eq!(&live, &replayed);

        // The same bytes, arriving in arbitrary pieces as from a slow file system.
        let bytes = fs::read(&path).unwrap();
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        places.push(bytes.len());
        places.sort_unstable();
        let grown = folder.path().join("grown.jsonl");
        let (mut tail, mut pieces, mut written) = (EventTail::new(&grown), RunState::new(Monitor::ValAccuracy, 10), 0);
        for place in places {
            OpenOptions::new().create(true).append(true).open(&grown).unwrap().write_all(&bytes[written..place]).unwrap();
            written = place;
            tail.read(|entry| match entry {
                TailEntry::Event(event) => pieces.apply(&event),
                other => panic!("{other:?}"),
            }).unwrap();
        }
        prop_assert_eq!(&live, &pieces);
    }

    #[test]
    fn kills_do_not_change_the_history(turns in prop::collection::vec(turn(), 0..60)) {
        let state = folded(&Simulation::run(&turns));
        let epochs = state.summary.records.len() as u32;
        let uninterrupted = vec![Turn::Train; epochs as usize * Simulation::STEPS_PER_EPOCH as usize];
        let expected = folded(&Simulation::run(&uninterrupted));
        prop_assert_eq!(state.summary.history(), expected.summary.history());
        prop_assert_eq!(state.summary.best, expected.summary.best);
    }
}
