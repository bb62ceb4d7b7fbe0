//! The networks that predict together: that of `--model`, or all of a study, whose probabilities are averaged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::chosen_images::ChosenImages;
use crate::cli::console::{Console, WrongUse};
use crate::cli::known_splits::KnownSplits;
use crate::cli::model_choice::{has_several_networks, named_runs, open_models};
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::study::study_member::StudyMember;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable;
use mammoscope_domain::training::training_config::Monitor;
use mammoscope_storage::models::model_set::{ModelEntry, ModelSet};
use mammoscope_storage::runs::best_checkpoint::best_checkpoint;
use mammoscope_storage::runs::run_catalog::RunEntry;
use mammoscope_storage::runs::run_dir::RunDir;

/// The networks of one seed and fold: one for each view.
pub(super) struct Member {
    /// The run, or the group of a run for each view.
    pub(super) name: String,
    pub(super) models: ModelSet,
    /// The monitored metric on the validation images, averaged over the views.
    validation: Option<f64>,
}

/// All networks that predict.
pub(super) struct Members {
    /// In the order of seeds and folds; at least one.
    pub(super) all: Vec<Member>,
    study: String,
    monitor: Monitor,
}

impl Members {
    /// Opens the models that `--model` names. Of a study, these are all networks of one point.
    pub(super) fn open(
        requested: &Path,
        point: Option<u32>,
        workspace: Option<&Path>,
        console: &Console,
    ) -> anyhow::Result<Self> {
        if let Some(found) = named_runs(requested, workspace)?
            && let Some(study) = &found.study
            && has_several_networks(&found.runs)
        {
            return Self::of_study(study, found.runs, point, console);
        }
        if point.is_some() {
            return Err(WrongUse("--point is for studies of several networks".to_owned()).into());
        }
        let models = open_models(requested, workspace, console)?;
        let member = Member { name: String::new(), models, validation: None };
        Ok(Self { all: vec![member], study: String::new(), monitor: Monitor::ValAccuracy })
    }

    fn of_study(study: &str, runs: Vec<RunDir>, point: Option<u32>, console: &Console) -> anyhow::Result<Self> {
        let shown = printable(study);
        let entries: Vec<RunEntry> = runs.into_iter().map(RunEntry::read).collect();
        let points: BTreeSet<u32> = entries.iter().filter_map(|entry| Some(entry.study()?.point)).collect();
        let point = match point {
            Some(point) if points.contains(&point) => point,
            Some(point) => {
                let message = format!("{shown} has no point {point}: it has {}", counted(points.len(), "point"));
                return Err(WrongUse(message).into());
            }
            None if points.len() > 1 => bail!(
                "{shown} has {} points, and an ensemble is of the networks of one: choose it by --point N; `mammoscope runs \
                 --study {shown}` ranks them",
                points.len()
            ),
            None => points.first().copied().unwrap_or(1),
        };
        let mut by_place: BTreeMap<(u32, Option<u32>), Vec<&RunEntry>> = BTreeMap::new();
        for entry in &entries {
            if let Some(StudyMember { repetition, fold, .. }) = entry.study().filter(|member| member.point == point) {
                by_place.entry((*repetition, *fold)).or_default().push(entry);
            }
        }
        let mut all = Vec::new();
        for entries in by_place.values() {
            all.push(member(study, entries)?);
        }
        let views = |member: &Member| -> BTreeSet<Option<View>> {
            member.models.entries().iter().map(|entry| entry.metadata.view).collect()
        };
        if let Some(other) = all.iter().find(|member| views(member) != views(&all[0])) {
            let (one, other) = (printable(&all[0].name), printable(&other.name));
            bail!("{one} and {other} are of different views, so they are no ensemble");
        }
        let monitor = entries.iter().find_map(|entry| Some(entry.spec.as_ref().ok()?.config.monitor));
        if all.len() > 1 {
            console.note(format!("an ensemble of {} of {shown}", counted(all.len(), "network")));
        }
        Ok(Self { all, study: study.to_owned(), monitor: monitor.unwrap_or(Monitor::ValAccuracy) })
    }

    pub(super) fn is_ensemble(&self) -> bool {
        self.all.len() > 1
    }

    /// The place of the member that is best by its validation images; `None` if one lacks the metric.
    pub(super) fn best(&self) -> Option<usize> {
        let values: Option<Vec<f64>> = self.all.iter().map(|member| member.validation).collect();
        let mut best: Option<(usize, f64)> = None;
        for (place, value) in values?.into_iter().enumerate() {
            if best.is_none_or(|(_, known)| self.monitor.is_better(value, known)) {
                best = Some((place, value));
            }
        }
        best.map(|(place, _)| place)
    }

    /// Refuses to predict subjects that some networks were trained on and others held out, as with folds, or with splits
    /// that were drawn from the seed: the mean of both is neither a prediction of new subjects nor one of known ones. The
    /// choice of images has warned of subjects that all networks know.
    pub(super) fn check_images(&self, chosen: &ChosenImages<'_>, range: GreyRange) -> anyhow::Result<()> {
        for group in &chosen.groups {
            let mut known_to: Option<Vec<bool>> = None;
            for member in &self.all {
                let Some(model) = member.models.for_view(group.view) else { continue };
                let known = KnownSplits::of(&member.models).is_trained_on(model, &group.samples, range);
                let Some(first) = &known_to else {
                    known_to = Some(known);
                    continue;
                };
                let differing = first.iter().zip(&known).filter(|(one, other)| one != other).count();
                if differing > 0 {
                    let study = printable(&self.study);
                    bail!(
                        "{} of {} ({}) belong to subjects that some networks of {study} were trained on and others held out; an \
                         ensemble is for subjects that are new to all its networks, and `mammoscope evaluate {study}` \
                         predicts those of a cross-validation by the network that held them out",
                        counted(differing, "image"),
                        group.name(),
                        printable(&format!("{} and {} differ", self.all[0].name, member.name))
                    );
                }
            }
        }
        Ok(())
    }

    /// The model of a member for a view.
    pub(super) fn model_of(&self, place: usize, view: Option<View>) -> anyhow::Result<&ModelEntry> {
        let model = self.all.get(place).and_then(|member| member.models.for_view(view));
        model.with_context(|| {
            format!("no model for {} in each network of the ensemble", view.map_or("images", View::name))
        })
    }
}

fn member(study: &str, entries: &[&RunEntry]) -> anyhow::Result<Member> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in entries {
        match best_checkpoint(&entry.run) {
            Ok(file) => files.push(file),
            Err(error) => {
                bail!("{error}; an ensemble needs all its networks: `mammoscope resume {}`", printable(study))
            }
        }
    }
    let models = ModelSet::of_files(&files)?.without_faults()?;
    let best = |entry: &&RunEntry| Some(entry.status.as_ref().ok()?.best.as_ref()?.value);
    let values: Option<Vec<f64>> = entries.iter().map(best).collect();
    let validation = values.map(|values| values.iter().sum::<f64>() / values.len() as f64);
    let name = match entries {
        [only] => only.run.name(),
        _ => entries.iter().find_map(|entry| entry.group()).unwrap_or(study).to_owned(),
    };
    Ok(Member { name, models, validation })
}
