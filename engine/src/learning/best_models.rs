//! The best epochs of a training and their files.

use std::fs;
use std::io;

use mammoscope_domain::training::training_config::Monitor;
use mammoscope_storage::runs::run_dir::RunDir;

/// An epoch whose model is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestModel {
    /// The epoch, from 1.
    pub epoch: u32,
    /// The monitored value.
    pub value: f64,
}

/// The best epochs so far, the best first; of equal ones the earlier first.
#[derive(Clone, Debug, PartialEq)]
pub struct BestModels {
    monitor: Monitor,
    limit: usize,
    kept: Vec<BestModel>,
}

impl BestModels {
    /// None yet, and at most `limit` later.
    #[must_use]
    pub fn new(monitor: Monitor, limit: usize) -> Self {
        Self { monitor, limit, kept: Vec::new() }
    }

    /// The models that are kept.
    #[must_use]
    pub fn kept(&self) -> &[BestModel] {
        &self.kept
    }

    /// The best one.
    #[must_use]
    pub fn best(&self) -> Option<BestModel> {
        self.kept.first().copied()
    }

    /// The place that an epoch's model would take; `None` where it is not among the best. A model as good as another
    /// does not replace it: with one place, a model is kept when the value improves, as Keras' `save_best_only` does.
    #[must_use]
    pub fn place_of(&self, candidate: BestModel) -> Option<usize> {
        let place = self
            .kept
            .iter()
            .position(|kept| self.monitor.is_better(candidate.value, kept.value))
            .unwrap_or(self.kept.len());
        (place < self.limit && !candidate.value.is_nan()).then_some(place)
    }

    /// Takes a model in, once its file is written. The file of the one that has to go stays until
    /// [`BestModels::remove_others`].
    pub fn insert(&mut self, place: usize, model: BestModel) {
        self.kept.insert(place, model);
        self.kept.truncate(self.limit);
    }

    /// Goes on from what a checkpoint says.
    pub fn restore(&mut self, kept: Vec<BestModel>) {
        self.kept = kept;
    }

    /// Removes the files of models that are not kept. Call it when a checkpoint that says so is on disk, else a training
    /// that is set back to an earlier one would miss them.
    pub fn remove_others(&self, run: &RunDir) -> io::Result<()> {
        let kept: Vec<_> = self.kept.iter().map(|model| run.best_checkpoint(model.epoch, model.value)).collect();
        for entry in fs::read_dir(run.checkpoints())? {
            let path = entry?.path();
            let is_best = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"best-"));
            if is_best && !kept.contains(&path) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(monitor: Monitor, limit: usize, values: &[f64]) -> Vec<u32> {
        let mut models = BestModels::new(monitor, limit);
        for (epoch, &value) in (1..).zip(values) {
            let candidate = BestModel { epoch, value };
            if let Some(place) = models.place_of(candidate) {
                models.insert(place, candidate);
            }
        }
        models.kept().iter().map(|model| model.epoch).collect()
    }

    #[test]
    fn the_best_are_kept_and_the_earlier_of_equals() {
        assert_eq!(offered(Monitor::ValAccuracy, 1, &[0.5, 0.5, 0.7, 0.6, 0.7]), [3]);
        assert_eq!(offered(Monitor::ValAccuracy, 3, &[0.5, 0.5, 0.7, 0.6, 0.7]), [3, 5, 4]);
        assert_eq!(offered(Monitor::ValLoss, 2, &[1.0, f64::NAN, 0.9, 2.0]), [3, 1]);
        assert_eq!(offered(Monitor::ValKappa, 1, &[f64::NAN]), Vec::<u32>::new());
    }
}
