//! The films of images: the maps of an image at all kept epochs, scored, and painted on one scale.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use rayon::prelude::*;

use super::contact_sheets::{Stems, folder_of, shown_name};
use super::epoch_document::{FilmedImage, ImageAtEpoch};
use super::group_maps::GroupMaps;
use super::kept_models::KeptModel;
use crate::analysis::explained_image::{ExaminedPicture, ExplainedImage, MapZoom};
use crate::analysis::explanation_files::{ExplanationPictures, MapPainting, painted_values};
use crate::report::filmstrip::{FilmFrame, Filmstrip, MapAnimation};
use mammoscope_domain::subject::probabilities::NonfiniteOutput;
use mammoscope_engine_protocol::event::ExplainedSample;
use mammoscope_imaging::overlay::MapScale;
use mammoscope_storage::atomic_file::{AtomicFile, write_atomically};
use mammoscope_storage::tables::epoch_score_table::EpochScoreWriter;
use mammoscope_storage::tables::score_table::ScoreRow;

/// The map of an image at an epoch, or the reason why there is none.
pub(super) type EpochMap = Result<ExplainedSample, String>;

/// Makes the films of images below one folder.
pub(super) struct Films<'a> {
    pub(super) out: PathBuf,
    pub(super) painting: MapPainting,
    /// The method and its layer, for people.
    pub(super) title: String,
    pub(super) models: &'a [KeptModel],
    pub(super) table: EpochScoreWriter,
    pub(super) stems: Stems,
}

/// A film that was made.
pub(super) struct Film {
    pub(super) image: FilmedImage,
    /// The row of each epoch that has a map.
    pub(super) rows: Vec<(u32, ScoreRow)>,
    /// The epochs without a map, with the reasons.
    pub(super) missing: Vec<(u32, String)>,
}

/// A map that was scored.
struct ScoredMap {
    sample: ExplainedSample,
    row: ScoreRow,
    /// The largest value to paint; `None` if the map is not painted.
    largest: Option<f32>,
}

impl Films<'_> {
    /// Makes the film of an image from its maps, one for each model.
    pub(super) fn make(
        &mut self,
        maps: &GroupMaps<'_>,
        index: usize,
        examined: &Arc<ExaminedPicture>,
        of_epochs: Vec<EpochMap>,
    ) -> anyhow::Result<Film> {
        let score = |map: EpochMap| self.score(maps, index, examined, map?);
        let scored: Vec<Result<ScoredMap, String>> = of_epochs.into_par_iter().map(score).collect();
        let largest = scored.iter().flatten().filter_map(|map| map.largest).reduce(f32::max);
        let full = match self.painting.scale {
            MapScale::Fixed(full) => Some(full),
            MapScale::PerImage => largest,
        };
        let first = scored.iter().flatten().next().context("an image with at least one map")?;
        let of = first.row.prediction.clone();
        let below = folder_of(&of);
        let stem = self.stems.next(&below, &of.file);
        let named = |ending: &str| {
            let mut name = stem.clone();
            name.push(ending);
            Path::new(&below).join(name).to_string_lossy().into_owned()
        };
        let (filmstrip, animation) = (named("_epochs.png"), named("_epochs.apng"));
        std::fs::create_dir_all(self.out.join(&below))?;

        let picture = &examined.picture;
        let label = of.label.map_or_else(|| "no label".to_owned(), |label| format!("true {label}"));
        let scale = full.map_or_else(|| "nothing to paint".to_owned(), |full| format!("full colour is {full:.3e}"));
        let facts = format!("{label}, {}, {scale}", self.title);
        let mut strip = Filmstrip::new(&shown_name(&of), &facts, picture, scored.len());
        let mut file = AtomicFile::create(&self.out.join(&animation))?;
        let mut frames = MapAnimation::new(&mut file, (picture.width(), picture.height()), scored.len())?;
        let (mut rows, mut missing) = (Vec::new(), Vec::new());
        for (model, map) in self.models.iter().zip(scored) {
            let frame = self.frame(model.epoch, examined, &map, full);
            strip.add(&frame);
            frames.add(&frame)?;
            match map {
                Ok(map) => {
                    self.table.write(model.epoch, &model.file, &map.row)?;
                    rows.push((model.epoch, map.row));
                }
                Err(reason) => missing.push((model.epoch, reason)),
            }
        }
        frames.finish()?;
        file.commit()?;
        write_atomically(&self.out.join(&filmstrip), &strip.png()?)?;
        let epochs = rows.iter().map(|(epoch, row)| ImageAtEpoch::new(*epoch, row)).collect();
        let (file, subject, exam, label) = (of.file, of.subject, of.exam, of.label);
        let image = FilmedImage { file, subject, exam, label, filmstrip, animation, full, epochs };
        Ok(Film { image, rows, missing })
    }

    fn score(
        &self,
        maps: &GroupMaps<'_>,
        index: usize,
        examined: &Arc<ExaminedPicture>,
        sample: ExplainedSample,
    ) -> Result<ScoredMap, String> {
        let image = Arc::clone(examined).explained(&sample, MapZoom::Bilinear);
        let probabilities = image.probabilities.ok_or_else(|| NonfiniteOutput.to_string())?;
        let of = &maps.group.samples[index];
        let row = maps.explained(of, index, &image, sample.clone(), probabilities.most_probable()).row;
        let values = |image: &ExplainedImage| MapScale::largest(&painted_values(image, self.painting.look));
        let largest = if image.status.is_sound() { values(&image) } else { None };
        Ok(ScoredMap { sample, row, largest })
    }

    /// The picture of an epoch: the map over the image, or the image alone if there is nothing to paint.
    fn frame(
        &self,
        epoch: u32,
        examined: &Arc<ExaminedPicture>,
        map: &Result<ScoredMap, String>,
        full: Option<f32>,
    ) -> FilmFrame {
        let plain = || examined.picture.clone();
        let Ok(ScoredMap { sample, row, .. }) = map else {
            return FilmFrame { epoch, facts: "no map".to_owned(), picture: plain() };
        };
        let of = &row.prediction;
        let (predicted, probability) = (of.predicted, of.probabilities.of(of.predicted));
        let (true, Some(full)) = (row.status.is_sound(), full) else {
            let facts = format!("{predicted} {probability:.2}, {}", row.status.name().replace('_', " "));
            return FilmFrame { epoch, facts, picture: plain() };
        };
        let facts = if row.explained == predicted {
            format!("predicted {predicted} {probability:.2}")
        } else {
            format!("{predicted} {probability:.2}, map for {}", row.explained)
        };
        let image = Arc::clone(examined).with_scores(sample, row.scores);
        let painting = MapPainting { scale: MapScale::Fixed(full), ..self.painting };
        FilmFrame { epoch, facts, picture: ExplanationPictures::overlay_of(&image, painting) }
    }
}
