//! Two models beside each other: their maps, verdicts, probabilities and scores.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::sides::Side;
use super::view::{Tile, right_or_wrong};
use super::{ExplainScreen, MapState};
use crate::tui::protocol::explain::{ExplainSample, MappedImage};
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::figure_text::{figure, signed};
use crate::tui::widgets::fitted::{padded, padded_start, width};
use crate::tui::widgets::pane::draw_pane;
use crate::tui::widgets::probability_bars::bar_text;
use mammoscope_domain::explanation::explanation_scores::ExplanationScores;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_imaging::explanation_picture::ExplanationDrawing;

/// Cells of a score of one model.
const SCORE: usize = 7;
/// Cells of a prediction in a title.
const PREDICTION: usize = 6;
/// Cells of a side's name before its verdict.
const SIDE_NAME: u16 = 6;
/// The narrowest picture for which the plain image is shown beside the two maps.
const WIDE_PICTURE: u16 = 45;

impl ExplainScreen {
    /// The maps of both models, after the plain image where there is room and it is wanted.
    pub(super) fn compared_tiles(&self, area: Rect) -> Vec<Tile> {
        let Some(sample) = self.sample() else { return Vec::new() };
        let arrangement = self.settings.arrangement;
        let tile = |side| Tile {
            sample: sample.clone(),
            drawing: arrangement.last_drawing(),
            map: self.map_state_of(sample, side),
            side: Some(side),
        };
        let mut tiles: Vec<Tile> = Side::ALL.map(tile).into();
        if area.width >= 3 * WIDE_PICTURE && arrangement.drawings().len() > 1 {
            let map = tiles[0].map.clone();
            tiles.insert(0, Tile { sample: sample.clone(), drawing: ExplanationDrawing::Image, map, side: None });
        }
        tiles
    }

    /// The title of a picture: its models and their prediction, such as `seed · 2026-11-23 09:05: C ✔`, or `left: C ✔`.
    pub(super) fn side_title(
        &self,
        side: Side,
        map: &MapState,
        label: Option<DensityClass>,
        cells: u16,
        shared: &SharedState,
    ) -> String {
        let predicted = map.ready().and_then(|mapped| mapped.predicted());
        let prediction = predicted
            .map_or_else(String::new, |class| format!(": {class}{}", right_or_wrong(label, class, &shared.theme).0));
        // The note on the right of the title needs some ten cells.
        let room = usize::from(cells).saturating_sub(PREDICTION + 18);
        let names = Side::ALL.map(|side| self.source_text(side, shared));
        let has_room = names.iter().all(|name| width(name) <= room);
        format!("{}{prediction}", if has_room { &names[side as usize] } else { side.name() })
    }

    /// Draws the verdict on the map of each side.
    pub(super) fn draw_verdicts(&self, frame: &mut Frame<'_>, area: Rect, sample: &ExplainSample, theme: &Theme) {
        for (line, side) in Side::ALL.into_iter().enumerate() {
            let area = Rect { y: area.y + line as u16, height: 1, ..area };
            let [name, verdict] = Layout::horizontal([Constraint::Length(SIDE_NAME), Constraint::Fill(1)]).areas(area);
            frame.render_widget(Paragraph::new(Line::styled(format!(" {}", side.name()), theme.dim())), name);
            if let Some(mapped) = self.map_state_of(sample, side).ready() {
                self.draw_verdict(frame, verdict, mapped, theme);
            }
        }
    }
}

/// What the two columns are, where the frame has room for it.
const fn columns_note(area: Rect) -> &'static str {
    if area.width < 36 { "" } else { "left, right" }
}

/// Draws both networks' probabilities, a class a line.
pub(super) fn draw_probabilities_of_two(
    frame: &mut Frame<'_>,
    area: Rect,
    maps: &[MapState; 2],
    label: Option<DensityClass>,
    theme: &Theme,
) {
    let inner = draw_pane(frame, area, theme, false, ["probabilities", columns_note(area)]);
    let bar = (usize::from(inner.width).saturating_sub(19) / 2).max(1);
    let lines = DensityClass::ALL.map(|class| {
        let mut spans = vec![Span::styled(format!(" {class}"), theme.class(class))];
        for map in maps {
            let share = map.ready().and_then(|mapped| Some(mapped.image.probabilities.as_ref()?.of(class)));
            let drawn = share.map_or_else(|| " ".repeat(bar), |share| bar_text(share, bar, theme));
            spans.push(Span::styled(format!(" {drawn}"), theme.class(class)));
            spans.push(Span::raw(format!(" {:>3} ", figure(share, 2, theme))));
        }
        spans.push(Span::styled(if label == Some(class) { "true" } else { "" }, theme.dim()));
        Line::from(spans)
    });
    frame.render_widget(Paragraph::new(lines.to_vec()), inner);
}

/// Draws the scores of both maps, a column each.
pub(super) fn draw_scores_of_two(frame: &mut Frame<'_>, area: Rect, maps: &[MapState; 2], theme: &Theme) {
    let inner = draw_pane(frame, area, theme, false, ["where the maps look", columns_note(area)]);
    let dash = theme.sign("–", "-");
    let row = |name: &str, value: &dyn Fn(&MappedImage) -> Option<String>| {
        let of = |map: &MapState| {
            let scored = map.ready().filter(|mapped| mapped.image.status.is_sound());
            padded_start(&scored.and_then(|mapped| value(mapped)).unwrap_or_else(|| dash.to_owned()), SCORE)
        };
        Line::from(vec![
            Span::styled(format!(" {}", padded(name, 14)), theme.dim()),
            Span::raw(format!("{}{}", of(&maps[0]), of(&maps[1]))),
        ])
    };
    let share = |of: fn(&ExplanationScores) -> Option<f64>| {
        move |scores: &ExplanationScores| of(scores).map(|share| format!("{:.0} %", 100.0 * share))
    };
    let dense = share(|scores| scores.dense_energy);
    let breast = share(|scores| scores.breast_energy);
    let skin = share(|scores| scores.skin_energy);
    let outside = share(|scores| scores.outside_energy);
    let lines = vec![
        row("dense tissue", &|mapped| dense(&mapped.image.scores)),
        row("  per its area", &|mapped| {
            Some(format!("{}{:.1}", theme.sign("×", "x"), mapped.image.scores.dense_enrichment?))
        }),
        row("  control", &|mapped| dense(&mapped.image.examined.control)),
        row("  beats random", &|mapped| mapped.control.map(|found| format!("{}/{}", found.beaten, found.controls))),
        row("in the breast", &|mapped| breast(&mapped.image.scores)),
        row("at the skin", &|mapped| skin(&mapped.image.scores)),
        row("outside", &|mapped| outside(&mapped.image.scores)),
        row("strongest", &|mapped| {
            let is_dense = mapped.image.scores.pointing_hit?;
            Some(if is_dense { "dense" } else { "other" }.to_owned())
        }),
        row("rank corr.", &|mapped| {
            let correlation = mapped.image.scores.grey_spearman?;
            Some(signed(Some(correlation), 2, theme))
        }),
    ];
    frame.render_widget(Paragraph::new(lines), inner);
}
