//! The drawing of the screen Explain.

use std::path::PathBuf;
use std::sync::Arc;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::color_bar::{draw_color_bar, without_bar};
use super::compared_view::{draw_probabilities_of_two, draw_scores_of_two};
use super::scores_view::{draw_probabilities, draw_scores};
use super::settings::ClassChoice;
use super::sides::Side;
use super::update::caption;
use super::{ExplainScreen, MapState};
use crate::tui::protocol::explain::{ExplainSample, MappedImage};
use crate::tui::protocol::framing::Hanging;
use crate::tui::protocol::painted::PaintedExplanation;
use crate::tui::protocol::verb::Verb;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::fitted::{fitted, padded, width};
use crate::tui::widgets::hanging::{hanging_areas, hanging_of};
use crate::tui::widgets::key_text::key_text;
use crate::tui::widgets::pane::draw_pane;
use crate::tui::widgets::picture::PictureContent;
use mammoscope_domain::explanation::coarse_map::CoarseMap;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::network::network_plan::REFERENCE_SIZE;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_os;
use mammoscope_imaging::explanation_picture::{ExplanationDrawing, Outlines};
use mammoscope_imaging::map_look::MapLook;

/// Columns of the panes beside the pictures in a wide and in a narrow terminal.
const SIDE_COLUMNS: [u16; 2] = [40, 31];
/// Lines of the scores with their border.
const SCORE_LINES: u16 = 11;
/// Lines for problems with an image's masks.
const MASK_PROBLEM_LINES: u16 = 4;

/// The width of a picture that has room for the resolution of its map in words.
const MIN_NOTE: u16 = 32;

/// A picture on the screen.
pub(super) struct Tile {
    pub(super) sample: ExplainSample,
    pub(super) drawing: ExplanationDrawing,
    pub(super) map: MapState,
    /// The side of a comparison.
    pub(super) side: Option<Side>,
}

impl ExplainScreen {
    pub(super) fn draw_screen(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        if self.chooser.is_some() {
            self.draw_models(frame, area, shared);
            return;
        }
        let Some(sample) = self.sample().cloned() else {
            draw_empty(frame, area, shared);
            return;
        };
        let map = self.map_state(&sample);
        let mapped = map.ready().cloned();
        let verdicts = self.sides().len() as u16;
        let [head, verdict, body] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(verdicts), Constraint::Fill(1)]).areas(area);
        self.draw_head(frame, head, &sample, mapped.as_deref(), &shared.theme);
        if self.is_compared() {
            self.draw_verdicts(frame, verdict, &sample, &shared.theme);
        } else if let Some(mapped) = &mapped {
            self.draw_verdict(frame, verdict, mapped, &shared.theme);
        }
        let figures = SIDE_COLUMNS[usize::from(area.width < 110)];
        let [pictures, figures] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(figures)]).areas(body);
        let epochs = self.epoch_lines(area.height);
        let [pictures, slider] = Layout::vertical([Constraint::Fill(1), Constraint::Length(epochs)]).areas(pictures);
        self.draw_pictures(frame, pictures, shared);
        self.draw_epochs(frame, slider, &sample, shared);
        let problems = mapped.as_ref().map_or(0, |mapped| mapped.image.examined.mask_problems.len());
        let lines = SCORE_LINES + if problems > 0 { MASK_PROBLEM_LINES } else { 0 };
        let [bars, scores, settings] =
            Layout::vertical([Constraint::Length(6), Constraint::Length(lines), Constraint::Fill(1)]).areas(figures);
        if self.is_compared() {
            let maps = Side::ALL.map(|side| self.map_state_of(&sample, side));
            draw_probabilities_of_two(frame, bars, &maps, sample.label, &shared.theme);
            draw_scores_of_two(frame, scores, &maps, &shared.theme);
        } else {
            draw_probabilities(frame, bars, mapped.as_deref(), sample.label, &shared.theme);
            draw_scores(frame, scores, &map, &shared.theme);
        }
        self.draw_settings(frame, settings, &sample, mapped.as_deref(), shared);
        if let Some(field) = &self.window_field {
            field.draw(frame, area, shared);
        }
    }

    fn draw_head(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        sample: &ExplainSample,
        mapped: Option<&MappedImage>,
        theme: &Theme,
    ) {
        let Some(list) = &self.list else { return };
        let place = format!(" {} of {}  ", list.position + 1, list.samples.len());
        let name = sample.path.file_name().map(printable_os).unwrap_or_default();
        let mut facts = caption(sample);
        if facts.is_empty() {
            facts.clone_from(&list.title);
        }
        let mut spans = vec![Span::styled(place, theme.dim()), Span::raw(facts)];
        // Two models say so above their maps.
        let mapped = mapped.filter(|_| !self.is_compared());
        if let Some(predicted) = mapped.and_then(MappedImage::predicted) {
            let (sign, style) = right_or_wrong(sample.label, predicted, theme);
            spans.push(Span::raw(format!(" · predicted {predicted}")));
            spans.push(Span::styled(sign, style));
        }
        let used: usize = spans.iter().map(|span| width(&span.content)).sum();
        let room = usize::from(area.width).saturating_sub(used + 4);
        if room >= 12 {
            spans.push(Span::styled(format!("   {}", fitted(&name, room)), theme.dim()));
        }
        frame.render_widget(Paragraph::new(Line::from(spans)), area);
    }

    fn draw_pictures(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        if self.is_hanging() {
            self.draw_hanging(frame, area, shared);
            return;
        }
        let tiles = if self.is_compared() { self.compared_tiles(area) } else { self.tiles_on_screen(area) };
        let areas = Layout::horizontal(vec![Constraint::Fill(1); tiles.len().max(1)]).split(area).to_vec();
        // An image beside its map has the same scale.
        let is_beside_map = tiles.len() > 1;
        for (at, (tile, area)) in tiles.into_iter().zip(areas).enumerate() {
            let title = match tile.side {
                Some(side) => self.side_title(side, &tile.map, tile.sample.label, area.width, shared),
                None => self.drawing_title(tile.drawing),
            };
            let note = self.tile_note(&tile, at, area.width, &shared.theme);
            let inner = draw_pane(frame, area, &shared.theme, false, [&title, &note]);
            let is_image = is_beside_map && tile.drawing == ExplanationDrawing::Image;
            let room = if is_image { without_bar(inner) } else { inner };
            self.draw_tile(frame, room, shared, at, tile, None);
        }
    }

    /// Draws the four views of the examination as they hang, and names those that are missing.
    fn draw_hanging(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let views = self.hung_views().map(Option::<&_>::cloned);
        let beside: Arc<[PathBuf]> = views.iter().flatten().map(|sample| sample.path.clone()).collect();
        let drawing = self.settings.arrangement.last_drawing();
        for (at, (view, area)) in View::ALL.into_iter().zip(hanging_areas(area)).enumerate() {
            let Some(sample) = views[at].clone() else {
                let inner = draw_pane(frame, area, theme, false, [view.name(), ""]);
                draw_centered(frame, inner, &format!("no {view} in this examination"), theme.warning());
                continue;
            };
            let map = self.map_state(&sample);
            let predicted = map.ready().and_then(|mapped| mapped.predicted());
            // Without room for the word, the letter must do.
            let words = if area.width < 26 { "" } else { "predicted " };
            let title = predicted.map_or_else(|| view.to_string(), |class| format!("{view} · {words}{class}"));
            let is_flipped = self.tiles[at].part(&sample.path).is_some_and(|part| part.is_flipped);
            let tile = Tile { sample, drawing, map, side: None };
            let note = if is_flipped { "mirrored".to_owned() } else { self.tile_note(&tile, at, area.width, theme) };
            let inner = draw_pane(frame, area, theme, false, [&title, &note]);
            self.draw_tile(frame, inner, shared, at, tile, Some(&hanging_of(view, &beside)));
        }
    }

    /// The arrangement of the image, without the plain image in a narrow terminal.
    fn tiles_on_screen(&self, area: Rect) -> Vec<Tile> {
        let Some(sample) = self.sample() else { return Vec::new() };
        let arrangement = self.settings.arrangement;
        let one = [arrangement.last_drawing()];
        let drawings = if area.width < 40 { &one[..] } else { arrangement.drawings() };
        let map = self.map_state(sample);
        drawings.iter().map(|&drawing| Tile { sample: sample.clone(), drawing, map: map.clone(), side: None }).collect()
    }

    /// The resolution of a coarse map, or the scale of a magnified image with the pixel under the crosshair.
    fn tile_note(&self, tile: &Tile, at: usize, width: u16, theme: &Theme) -> String {
        let view = &self.tiles[at];
        if view.is_zoomed() || view.has_cursor() {
            return view.caption(&tile.sample.path, theme.ascii);
        }
        let (Some(mapped), false) = (tile.map.ready(), tile.drawing == ExplanationDrawing::Image) else {
            return String::new();
        };
        let (columns, rows) = mapped.grid();
        let times = theme.sign("×", "x");
        if width < MIN_NOTE || tile.side.is_some() {
            return format!("{columns}{times}{rows}");
        }
        match (self.settings.map_look.is_cells((columns, rows)), MapLook::Auto.is_cells((columns, rows))) {
            (true, _) => format!("{columns} {times} {rows} cells"),
            (false, true) => format!("{columns} {times} {rows}, smoothed"),
            (false, false) => String::new(),
        }
    }

    fn drawing_title(&self, drawing: ExplanationDrawing) -> String {
        match drawing {
            ExplanationDrawing::Image => "image".to_owned(),
            ExplanationDrawing::Overlay => format!("overlay {} %", u32::from(self.settings.opacity) * 10),
            ExplanationDrawing::Contours => "contours at 25, 50, 75 %".to_owned(),
            ExplanationDrawing::Map => "map".to_owned(),
        }
    }

    fn draw_tile(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        shared: &SharedState,
        at: usize,
        tile: Tile,
        hanging: Option<&Hanging>,
    ) {
        let hung = |content| match hanging {
            Some(hanging) => PictureContent::hung(content, hanging.clone()),
            None => content,
        };
        let Tile { sample, drawing, map, .. } = tile;
        let (window, outlines) = (shared.window, self.settings.outlines);
        // The image alone is shown as stored, in full resolution and without waiting for its map.
        if drawing == ExplanationDrawing::Image && outlines == Outlines::None {
            self.tiles[at].draw(frame, area, shared, hung(PictureContent::stored(&sample.path, window)), Vec::new);
            return;
        }
        let theme = &shared.theme;
        let mapped = match map {
            MapState::Ready(mapped) => mapped,
            MapState::Failed(problem) => {
                let text = format!("{} {problem}", theme.sign("✖", "x"));
                frame.render_widget(Paragraph::new(text).style(theme.bad()).wrap(Wrap { trim: true }), area);
                return;
            }
            MapState::Pending => {
                let text = match self.settings.method {
                    _ if self.source.is_none() => {
                        format!("no models yet; {} chooses some", key_text(Verb::OpenOther, &shared.keymap))
                    }
                    method if method.is_slow() => {
                        format!("computing the map: {} passes through the network", method.passes(REFERENCE_SIZE))
                    }
                    _ => "computing the map".to_owned(),
                };
                draw_centered(frame, area, &text, theme.dim());
                return;
            }
        };
        if !mapped.image.status.is_sound() && drawing != ExplanationDrawing::Image {
            let text = format!("The map is {}. It is not drawn.", mapped.image.status);
            let middle = Rect { y: area.y + area.height / 3, height: area.height - area.height / 3, ..area };
            frame.render_widget(Paragraph::new(text).style(theme.warning()).wrap(Wrap { trim: true }), middle);
            return;
        }
        let painted = PaintedExplanation {
            cells: self.settings.map_look.is_cells(mapped.grid()),
            mapped,
            drawing,
            painting: self.settings.painting(),
            outlines,
        };
        let area = if hanging.is_some() { area } else { draw_color_bar(frame, area, &painted, shared) };
        let content = hung(PictureContent::painted(&sample.path, window, painted));
        self.tiles[at].draw(frame, area, shared, content, Vec::new);
    }

    fn draw_settings(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        sample: &ExplainSample,
        mapped: Option<&MappedImage>,
        shared: &SharedState,
    ) {
        if area.height < 3 {
            return;
        }
        let theme = &shared.theme;
        let inner = draw_pane(frame, area, theme, false, ["settings", ""]);
        let settings = &self.settings;
        let right = self.is_compared().then(|| self.map_state_of(sample, Side::Right));
        let right = right.as_ref().and_then(MapState::ready);
        let class = match (settings.class, mapped) {
            (ClassChoice::Class(class), _) => class.to_string(),
            (ClassChoice::Predicted, Some(mapped)) => match right {
                Some(right) if right.class != mapped.class => {
                    format!("{} and {}, predicted", mapped.class, right.class)
                }
                _ => format!("{}, predicted", mapped.class),
            },
            (ClassChoice::True, Some(mapped)) if sample.label.is_none() => {
                format!("{}, predicted; no label", mapped.class)
            }
            (ClassChoice::True, Some(mapped)) => format!("{}, true", mapped.class),
            (ClassChoice::Predicted, None) => "the predicted one".to_owned(),
            (ClassChoice::True, None) => "the true one".to_owned(),
        };
        let class = if settings.method.is_of_class() { class } else { "not class-specific".to_owned() };
        let (grid, coarse) = mapped.map_or_else(Default::default, |mapped| self.grid_text(mapped));
        let scale = settings.full.map_or_else(|| "scaled per map".to_owned(), |full| format!("full at {full:.3}"));
        let file = mapped.and_then(|mapped| mapped.model.file_name()).map(printable_os).unwrap_or_default();
        let rows = [
            ("method", settings.method_text()),
            ("class", class),
            (if self.is_compared() { "left" } else { "models" }, self.source_text(Side::Left, shared)),
            ("", if self.is_compared() { String::new() } else { file }),
            ("right", if self.is_compared() { self.source_text(Side::Right, shared) } else { String::new() }),
            ("map", grid),
            ("colours", format!("{} · {scale}", settings.colors)),
            ("outlines", settings.outlines.name().to_owned()),
        ];
        let cells = usize::from(inner.width).saturating_sub(11);
        let lines: Vec<Line<'_>> = rows
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| {
                let style = if coarse && name == "map" { theme.warning() } else { theme.text() };
                Line::from(vec![
                    Span::styled(format!(" {}", padded(name, 9)), theme.dim()),
                    Span::styled(fitted(&text, cells), style),
                ])
            })
            .collect();
        frame.render_widget(Paragraph::new(lines), inner);
    }

    /// The resolution of the map, with a finer layer to use instead if there is one; `true` if the resolution is too
    /// coarse to localise anything in the breast.
    fn grid_text(&self, mapped: &MappedImage) -> (String, bool) {
        let (columns, rows) = mapped.grid();
        let cells = format!("{columns} × {rows} cells");
        let settings = &self.settings;
        let coarse = (settings.method.is_of_layer() && settings.method != ExplanationMethod::Random)
            .then(|| CoarseMap::of(settings.layer, mapped.image.map.width()))
            .flatten();
        match coarse.map(CoarseMap::finer) {
            None => (cells, false),
            Some(Some(finer)) => (format!("{cells}; finer: {finer}"), true),
            Some(None) => (format!("{cells} only"), true),
        }
    }
}

/// A sign for a right or a wrong prediction; empty without a label.
pub(super) fn right_or_wrong(
    label: Option<DensityClass>,
    predicted: DensityClass,
    theme: &Theme,
) -> (&'static str, Style) {
    match label.map(|label| label == predicted) {
        Some(true) => (theme.sign(" ✔", " ok"), theme.good()),
        Some(false) => (theme.sign(" ✖", " x"), theme.bad()),
        None => ("", theme.text()),
    }
}

fn draw_empty(frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
    let theme = &shared.theme;
    let [key, open] = [Verb::Explain, Verb::Open].map(|verb| key_text(verb, &shared.keymap));
    let inner = draw_pane(frame, area, theme, true, ["Explain", ""]);
    let lines = vec![
        Line::raw(""),
        Line::raw(" No images are selected yet."),
        Line::raw(""),
        Line::styled(format!(" In Datasets, {key} explains the marked or listed images."), theme.dim()),
        Line::styled(format!(" In Evaluate, {open} on a case in a cell of the matrix explains it."), theme.dim()),
    ];
    frame.render_widget(Paragraph::new(lines), inner);
}

fn draw_centered(frame: &mut Frame<'_>, area: Rect, text: &str, style: Style) {
    let middle = Rect { y: area.y + area.height / 2, height: area.height.min(1), ..area };
    frame.render_widget(Paragraph::new(Line::styled(text, style).centered()), middle);
}
