//! The training loop learns: eight images by heart, and what it tells on the way.

#![allow(clippy::unwrap_used, reason = "a test's own files are as they are")]

mod support;

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine::learning::training_loop::Ending;
use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;

use support::{Listener, beginning, config, resumed, run_dir, train};

#[test]
fn eight_images_are_learnt_by_heart() {
    let config = TrainingConfig { keep_best: 1, ..config(60) };
    let (_folder, run) = run_dir();
    let mut state = beginning(&config, config.seed);
    let mut listener = Listener::default();
    let ending = train(&config, &run, &mut state, &mut listener).unwrap();
    assert_eq!(ending, Ending::Completed { reason: None });

    let accuracies: Vec<f64> = listener
        .events
        .iter()
        .filter_map(
            |event| if let RunEventKind::EpochEnded { val_accuracy, .. } = event { *val_accuracy } else { None },
        )
        .collect();
    assert_eq!(accuracies.len(), 60);
    assert!(accuracies.contains(&1.0), "evaluated with the moving statistics: {accuracies:?}");
    let best = state.best.best().unwrap();
    assert!((best.value - 1.0).abs() < 1e-12);
    let model = Model::read(&run.best_checkpoint(best.epoch, best.value)).unwrap();
    assert_eq!(model.metadata.provenance["epoch"], best.epoch.to_string());
    let last = Checkpoint::read(&run.last_checkpoint()).unwrap();
    assert_eq!(last.counters("state/progress").unwrap()[..2], [240, 60]);

    // A state of other weights, set back to the checkpoint, is the state that was written.
    let restored = resumed(&config, &run);
    assert_eq!(restored.to_checkpoint().unwrap().tensors, last.tensors);
    assert_eq!((restored.progress, restored.schedule), (state.progress, state.schedule));
}
