//! The best epochs of a run and their model files.

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
    /// Keeps at most `limit` models.
    #[must_use]
    pub fn new(monitor: Monitor, limit: usize) -> Self {
        Self { monitor, limit, kept: Vec::new() }
    }

    #[must_use]
    pub fn kept(&self) -> &[BestModel] {
        &self.kept
    }

    #[must_use]
    pub fn best(&self) -> Option<BestModel> {
        self.kept.first().copied()
    }

    /// The rank that an epoch's model would take; `None` if it is not among the best. An equally good model does not
    /// displace an earlier one: with a limit of one, a model is kept if the value improves, as in Keras'
    /// `save_best_only`.
    #[must_use]
    pub fn rank_of(&self, candidate: BestModel) -> Option<usize> {
        let rank = self
            .kept
            .iter()
            .position(|kept| self.monitor.is_better(candidate.value, kept.value))
            .unwrap_or(self.kept.len());
        (rank < self.limit && !candidate.value.is_nan()).then_some(rank)
    }

    /// Adds a model whose file has been written. The file of a displaced model stays until
    /// [`BestModels::remove_others`].
    pub fn insert(&mut self, rank: usize, model: BestModel) {
        self.kept.insert(rank, model);
        self.kept.truncate(self.limit);
    }

    /// Continues from the models of a checkpoint.
    pub fn restore(&mut self, kept: Vec<BestModel>) {
        self.kept = kept;
    }

    /// Forgets models beyond the limit, which may be lower than that of the checkpoint.
    pub fn drop_surplus(&mut self) {
        self.kept.truncate(self.limit);
    }

    /// Removes the files of models that are not kept. Call it once a checkpoint that lists the kept ones is on disk,
    /// since a run that is restored from an earlier one still needs the others.
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

    fn kept_epochs(monitor: Monitor, limit: usize, values: &[f64]) -> Vec<u32> {
        let mut models = BestModels::new(monitor, limit);
        for (epoch, &value) in (1..).zip(values) {
            let candidate = BestModel { epoch, value };
            if let Some(rank) = models.rank_of(candidate) {
                models.insert(rank, candidate);
            }
        }
        models.kept().iter().map(|model| model.epoch).collect()
    }

    #[test]
    fn the_best_models_are_kept_and_ties_go_to_the_earlier_one() {
        assert_eq!(kept_epochs(Monitor::ValAccuracy, 1, &[0.5, 0.5, 0.7, 0.6, 0.7]), [3]);
        assert_eq!(kept_epochs(Monitor::ValAccuracy, 3, &[0.5, 0.5, 0.7, 0.6, 0.7]), [3, 5, 4]);
        assert_eq!(kept_epochs(Monitor::ValLoss, 2, &[1.0, f64::NAN, 0.9, 2.0]), [3, 1]);
        assert_eq!(kept_epochs(Monitor::ValKappa, 1, &[f64::NAN]), Vec::<u32>::new());
    }
}
