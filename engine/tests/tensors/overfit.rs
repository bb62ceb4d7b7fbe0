//! The training loop overfits eight images and can be restored from its checkpoint.

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine::learning::training_loop::Ending;
use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;

use crate::support::{ScriptedObserver, config, initial_state, resumed, run_dir, train};

#[test]
fn eight_images_are_memorised() {
    // The moving statistics must have left their initial values within 240 steps.
    let config = TrainingConfig { keep_best: 1, bn_momentum: 0.9, ..config(60) };
    let (_folder, run) = run_dir();
    let mut state = initial_state(&config, config.seed);
    let mut observer = ScriptedObserver::default();
    let ending = train(&config, &run, &mut state, &mut observer).unwrap();
    assert_eq!(ending, Ending::Completed { reason: None });

    let accuracies: Vec<f64> = observer
        .events
        .iter()
        .filter_map(
            |event| if let RunEventKind::EpochEnded(record) = event { record.metrics.val_accuracy } else { None },
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

    // A state with other weights, restored from the checkpoint, equals the state that was saved.
    let restored = resumed(&config, &run);
    assert_eq!(restored.to_checkpoint().unwrap().tensors, last.tensors);
    assert_eq!((restored.progress, restored.schedule), (state.progress, state.schedule));
}
