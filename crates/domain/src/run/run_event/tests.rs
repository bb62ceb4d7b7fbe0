use super::*;
use crate::run::request_verb::RequestVerb;
use crate::run::run_records::{CheckpointKind, EpochMetrics};
use crate::subject::split::Split;
use crate::training::compute_options::Precision;
use crate::training::step_batches::StepBatches;

/// A recorded line of every kind, without its time, and the event it stands for; optional values present and absent.
#[expect(clippy::too_many_lines, reason = "a table")]
fn recorded() -> Vec<(&'static str, RunEventKind)> {
    let text = str::to_owned;
    vec![
        (
            r#""event":"created","preset":"seed","epochs":100"#,
            RunEventKind::Created { preset: text("seed"), epochs: 100 },
        ),
        (
            r#""event":"started","pid":7,"host":"node\n3","version":"0.1.0""#,
            RunEventKind::Started(TrainerFacts { pid: 7, host: text("node\n3"), version: text("0.1.0"), slurm: None }),
        ),
        (
            r#""event":"prepared","device":"cuda:0","precision":"f32-strict","threads":2,"train":800,"validation":100,"test":99,"steps_per_epoch":100"#,
            RunEventKind::Prepared(TrainingSetup {
                device: text("cuda:0"),
                precision: Precision::F32Strict,
                threads: 2,
                train: 800,
                validation: 100,
                test: 99,
                steps_per_epoch: 100,
            }),
        ),
        (
            r#""event":"resumed","step":4,"epochs_done":2,"checkpoint":"last.safetensors""#,
            RunEventKind::Resumed { step: 4, epochs_done: 2, checkpoint: text("last.safetensors") },
        ),
        (r#""event":"early_stop_restarted","epochs_done":4"#, RunEventKind::EarlyStopRestarted { epochs_done: 4 }),
        (r#""event":"epochs_changed","epochs":20"#, RunEventKind::EpochsChanged { epochs: 20 }),
        (
            r#""event":"setting_changed","key":"early_stop","from":"2","to":"5""#,
            RunEventKind::SettingChanged(SettingChange { key: text("early_stop"), from: text("2"), to: text("5") }),
        ),
        (
            r#""event":"data_moved","from":"/data","to":"/new/data""#,
            RunEventKind::DataMoved(DataMove { from: "/data".into(), to: "/new/data".into() }),
        ),
        (
            r#""event":"epoch_started","epoch":1,"step":0,"learning_rate":0.01"#,
            RunEventKind::EpochStarted { epoch: 1, step: 0, learning_rate: 0.01 },
        ),
        (
            r#""event":"step_reported","epoch":1,"step":5,"loss":1.0,"accuracy":0.30000000000000004,"learning_rate":0.01,"gradient_norm":3.141592653589793,"images_per_s":61.25"#,
            RunEventKind::StepReported(StepReport {
                epoch: 1,
                step: 5,
                loss: 1.0,
                accuracy: 0.1 + 0.2,
                learning_rate: 0.01,
                gradient_norm: std::f64::consts::PI,
                images_per_s: 61.25,
            }),
        ),
        (
            r#""event":"epoch_ended","epoch":1,"step":10,"train_loss":0.5,"train_accuracy":0.625,"val_loss":1.5,"val_accuracy":0.75,"val_kappa":-0.125,"learning_rate":4e-6,"seconds":70.5"#,
            RunEventKind::EpochEnded(EpochRecord {
                metrics: EpochMetrics {
                    epoch: 1,
                    step: 10,
                    train_loss: 0.5,
                    train_accuracy: 0.625,
                    val_loss: Some(1.5),
                    val_accuracy: Some(0.75),
                    val_kappa: Some(-0.125),
                    learning_rate: 4e-6,
                },
                seconds: 70.5,
            }),
        ),
        (
            r#""event":"epoch_ended","epoch":2,"step":20,"train_loss":0.5,"train_accuracy":0.625,"val_loss":null,"val_accuracy":null,"val_kappa":null,"learning_rate":0.01,"seconds":70.0"#,
            RunEventKind::EpochEnded(EpochRecord {
                metrics: EpochMetrics {
                    epoch: 2,
                    step: 20,
                    train_loss: 0.5,
                    train_accuracy: 0.625,
                    val_loss: None,
                    val_accuracy: None,
                    val_kappa: None,
                    learning_rate: 0.01,
                },
                seconds: 70.0,
            }),
        ),
        (
            r#""event":"learning_rate_reduced","epoch":6,"from":0.01,"to":0.002"#,
            RunEventKind::LearningRateReduced(LearningRateReduction { epoch: 6, from: 0.01, to: 0.002 }),
        ),
        (
            r#""event":"checkpoint_saved","epoch":1,"step":5,"kind":"last","file":"last.safetensors","value":null"#,
            RunEventKind::CheckpointSaved(SavedCheckpoint {
                epoch: 1,
                step: 5,
                kind: CheckpointKind::Last,
                file: text("last.safetensors"),
                value: None,
            }),
        ),
        (
            r#""event":"checkpoint_saved","epoch":1,"step":10,"kind":"best","file":"best-001-0.75.safetensors","value":0.75"#,
            RunEventKind::CheckpointSaved(SavedCheckpoint {
                epoch: 1,
                step: 10,
                kind: CheckpointKind::Best,
                file: text("best-001-0.75.safetensors"),
                value: Some(0.75),
            }),
        ),
        (
            r#""event":"checkpoint_rejected","file":"last.safetensors","reason":"checksum""#,
            RunEventKind::CheckpointRejected { file: text("last.safetensors"), reason: text("checksum") },
        ),
        (
            r#""event":"checkpoint_failed","file":"last.safetensors","reason":"disk full""#,
            RunEventKind::CheckpointFailed { file: text("last.safetensors"), reason: text("disk full") },
        ),
        (
            r#""event":"request_acknowledged","verb":"stop-after-epoch","step":12"#,
            RunEventKind::RequestAcknowledged(AcknowledgedRequest { verb: RequestVerb::StopAfterEpoch, step: 12 }),
        ),
        (r#""event":"paused","step":12"#, RunEventKind::Paused { step: 12 }),
        (
            r#""event":"waiting","step":12,"reason":"no space left""#,
            RunEventKind::Waiting { step: 12, reason: text("no space left") },
        ),
        (r#""event":"sample_restored","file":"a.png""#, RunEventKind::SampleRestored { file: text("a.png") }),
        (r#""event":"continued","step":12"#, RunEventKind::Continued { step: 12 }),
        (
            r#""event":"sample_skipped","file":"7_1_ä.png","reason":"truncated""#,
            RunEventKind::SampleSkipped(SkippedSample { file: text("7_1_ä.png"), reason: text("truncated") }),
        ),
        (
            r#""event":"warning","message":"fewer than 1,000 training images""#,
            RunEventKind::Warning { message: text("fewer than 1,000 training images") },
        ),
        (
            r#""event":"nonfinite","step":17,"what":"loss","files":["a.png","b.png"]"#,
            RunEventKind::Nonfinite { step: 17, what: text("loss"), files: vec![text("a.png"), text("b.png")] },
        ),
        (
            r#""event":"rolled_back","from_step":17,"to_step":10,"learning_rate_factor":0.5"#,
            RunEventKind::RolledBack { from_step: 17, to_step: 10, learning_rate_factor: 0.5 },
        ),
        (
            r#""event":"batch_split","from_step":7,"to_step":5,"from":{"batch_size":6,"accumulate":1},"to":{"batch_size":3,"accumulate":2}"#,
            RunEventKind::BatchSplit(BatchSplit {
                from_step: 7,
                to_step: 5,
                from: StepBatches { batch_size: 6, accumulate: 1 },
                to: StepBatches { batch_size: 3, accumulate: 2 },
            }),
        ),
        (
            r#""event":"evaluated","split":"test","images":99,"accuracy":0.75,"kappa_linear":0.5"#,
            RunEventKind::Evaluated(SplitEvaluation {
                split: Split::Test,
                images: 99,
                accuracy: 0.75,
                kappa_linear: Some(0.5),
            }),
        ),
        (
            r#""event":"evaluated","split":"validation","images":0,"accuracy":0.0,"kappa_linear":null"#,
            RunEventKind::Evaluated(SplitEvaluation {
                split: Split::Validation,
                images: 0,
                accuracy: 0.0,
                kappa_linear: None,
            }),
        ),
        (
            r#""event":"ended","state":"failed","reason":"loss became NaN","step":30"#,
            RunEventKind::Ended { state: RunPhase::Failed, reason: Some(text("loss became NaN")), step: 30 },
        ),
        (
            r#""event":"ended","state":"completed","reason":null,"step":30"#,
            RunEventKind::Ended { state: RunPhase::Completed, reason: None, step: 30 },
        ),
    ]
}

#[test]
fn events_are_written_and_read_as_in_recorded_runs() {
    let time = DateTime::from_timestamp(1_795_000_000, 250_000_000).unwrap();
    for (fields, kind) in recorded() {
        let line = format!(r#"{{"time":"2026-11-18T11:06:40.250Z",{fields}}}"#);
        let event = RunEvent { time, kind };
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
        assert_eq!(serde_json::from_str::<RunEvent>(&line).unwrap(), event, "{line}");
        // The trainer's log shows events without their time.
        assert_eq!(serde_json::to_string(&event.kind).unwrap(), format!("{{{fields}}}"));
    }
}

#[test]
fn optional_values_may_be_absent_and_unknown_keys_are_ignored() {
    for (fields, kind) in recorded().into_iter().filter(|(fields, _)| fields.contains("null")) {
        let kept: Vec<&str> = fields.split(',').filter(|field| !field.ends_with("null")).collect();
        let line = format!(r#"{{{},"time":"2026-11-18T11:06:40Z","added_later":[1]}}"#, kept.join(","));
        assert_eq!(serde_json::from_str::<RunEvent>(&line).unwrap().kind, kind, "{line}");
    }
}

#[test]
fn a_missing_value_is_an_error_that_names_it() {
    let fields = r#""event":"sample_skipped","file":"a.png""#;
    let line = format!(r#"{{"time":"2026-11-18T11:06:40Z",{fields}}}"#);
    let error = serde_json::from_str::<RunEvent>(&line).unwrap_err().to_string();
    assert!(error.starts_with("missing field `reason`"), "{error}");
}
