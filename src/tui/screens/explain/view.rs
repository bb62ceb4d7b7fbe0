//! The drawing of the screen Explain.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::color_bar::{draw_color_bar, without_bar};
use super::settings::{ClassChoice, MapLook};
use super::update::caption;
use super::{ExplainScreen, MapState};
use crate::tui::protocol::explain::{ExplainSample, MappedImage};
use crate::tui::protocol::painted::PaintedExplanation;
use crate::tui::protocol::pictures::TILES;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::figure_text::{figure, signed};
use crate::tui::widgets::fitted::{fitted, padded, width};
use crate::tui::widgets::pane::draw_pane;
use crate::tui::widgets::picture::PictureContent;
use crate::tui::widgets::probability_bars::bar_text;
use mammoscope_domain::explanation::coarse_map::CoarseMap;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::explanation::explanation_scores::{DenseSource, ExplanationScores};
use mammoscope_domain::network::network_plan::REFERENCE_SIZE;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::probabilities::NonfiniteOutput;
use mammoscope_domain::text::printable::printable_os;
use mammoscope_imaging::explanation_picture::{ExplanationDrawing, Outlines};

/// Columns of the panes beside the pictures in a wide and in a narrow terminal.
const SIDE_COLUMNS: [u16; 2] = [40, 31];
/// Lines of the scores with their border.
const SCORE_LINES: u16 = 10;
/// Lines for problems with an image's masks.
const MASK_PROBLEM_LINES: u16 = 4;

/// A picture on the screen.
struct Tile {
    sample: ExplainSample,
    drawing: ExplanationDrawing,
    map: MapState,
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
        let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        self.draw_head(frame, head, &sample, mapped.as_deref(), &shared.theme);
        let figures = SIDE_COLUMNS[usize::from(area.width < 110)];
        let [pictures, figures] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(figures)]).areas(body);
        self.draw_pictures(frame, pictures, shared);
        let problems = mapped.as_ref().map_or(0, |mapped| mapped.image.examined.mask_problems.len());
        let lines = SCORE_LINES + if problems > 0 { MASK_PROBLEM_LINES } else { 0 };
        let [bars, scores, settings] =
            Layout::vertical([Constraint::Length(6), Constraint::Length(lines), Constraint::Fill(1)]).areas(figures);
        draw_probabilities(frame, bars, mapped.as_deref(), sample.label, &shared.theme);
        draw_scores(frame, scores, &map, &shared.theme);
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
        if let Some(predicted) = mapped.and_then(MappedImage::predicted) {
            let right = sample.label.map(|label| label == predicted);
            let (sign, style) = match right {
                Some(true) => (theme.sign(" ✔", " ok"), theme.good()),
                Some(false) => (theme.sign(" ✖", " x"), theme.bad()),
                None => ("", theme.text()),
            };
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
        let tiles = self.tiles_on_screen(area);
        let grid = tiles.len() == TILES && area.width < 2 * area.height.saturating_mul(3);
        let areas: Vec<Rect> = if grid {
            let rows = Layout::vertical([Constraint::Fill(1); 2]).split(area);
            rows.iter().flat_map(|row| Layout::horizontal([Constraint::Fill(1); 2]).split(*row).to_vec()).collect()
        } else {
            Layout::horizontal(vec![Constraint::Fill(1); tiles.len().max(1)]).split(area).to_vec()
        };
        let several = self.on_screen().len() > 1;
        // An image beside its map has the same scale.
        let is_beside_map = !several && tiles.len() > 1;
        for (at, (tile, area)) in tiles.into_iter().zip(areas).enumerate() {
            let title = if several {
                let view = tile.sample.view.map_or_else(String::new, |view| view.to_string());
                let predicted = tile.map.ready().and_then(|mapped| mapped.predicted());
                // Without room for the word, the letter must do.
                let words = if area.width < 26 { "" } else { "predicted " };
                predicted.map_or_else(|| view.clone(), |class| format!("{view} · {words}{class}"))
            } else {
                self.drawing_title(tile.drawing)
            };
            let note = self.tile_note(&tile, at, &shared.theme);
            let inner = draw_pane(frame, area, &shared.theme, false, [&title, &note]);
            let is_image = is_beside_map && tile.drawing == ExplanationDrawing::Image;
            let room = if is_image { without_bar(inner) } else { inner };
            self.draw_tile(frame, room, shared, at, tile);
        }
    }

    /// The pictures side by side: one for each of several views, or the arrangement of a single image, without the
    /// plain image in a narrow terminal.
    fn tiles_on_screen(&self, area: Rect) -> Vec<Tile> {
        let samples = self.on_screen();
        let arrangement = self.settings.arrangement;
        let one = [arrangement.last_drawing()];
        let drawings = if samples.len() > 1 || area.width < 40 { &one[..] } else { arrangement.drawings() };
        let tiles = samples.into_iter().flat_map(|sample| drawings.iter().map(move |drawing| (sample, *drawing)));
        tiles
            .map(|(sample, drawing)| Tile { sample: sample.clone(), drawing, map: self.map_state(sample) })
            .take(TILES)
            .collect()
    }

    /// The resolution of a coarse map, or the scale of a magnified image with the pixel under the crosshair.
    fn tile_note(&self, tile: &Tile, at: usize, theme: &Theme) -> String {
        let view = &self.tiles[at];
        if view.is_zoomed() || view.has_cursor() {
            return view.scale_text(&tile.sample.path, theme.ascii);
        }
        let (Some(mapped), false) = (tile.map.ready(), tile.drawing == ExplanationDrawing::Image) else {
            return String::new();
        };
        let (columns, rows) = mapped.grid();
        let times = theme.sign("×", "x");
        match (self.settings.map_look.is_cells((columns, rows)), MapLook::Usual.is_cells((columns, rows))) {
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

    fn draw_tile(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState, at: usize, tile: Tile) {
        let Tile { sample, drawing, map } = tile;
        let (window, outlines) = (shared.window, self.settings.outlines);
        // The image alone is shown as stored, in full resolution and without waiting for its map.
        if drawing == ExplanationDrawing::Image && outlines == Outlines::None {
            self.tiles[at].draw(frame, area, shared, PictureContent::stored(&sample.path, window), Vec::new);
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
                    _ if self.source.is_none() => "no models yet: M chooses them".to_owned(),
                    method if method.is_slow() => {
                        format!("computing the map: {} passes of the network", method.passes(REFERENCE_SIZE))
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
        let area = draw_color_bar(frame, area, &painted, shared);
        self.tiles[at].draw(frame, area, shared, PictureContent::painted(&sample.path, window, painted), Vec::new);
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
        let class = match (settings.class, mapped) {
            (ClassChoice::Class(class), _) => class.to_string(),
            (ClassChoice::Predicted, Some(mapped)) => format!("{}, predicted", mapped.class),
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
            ("models", self.source_text(shared)),
            ("", file),
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
        let positions = format!("{columns} × {rows} positions");
        let settings = &self.settings;
        let coarse = (settings.method.is_of_layer() && settings.method != ExplanationMethod::Random)
            .then(|| CoarseMap::of(settings.layer, mapped.image.map.width()))
            .flatten();
        match coarse.map(CoarseMap::finer) {
            None => (positions, false),
            Some(Some(finer)) => (format!("{columns} × {rows} only; [ to {finer}"), true),
            Some(None) => (format!("{positions} only"), true),
        }
    }
}

fn draw_empty(frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
    let theme = &shared.theme;
    let inner = draw_pane(frame, area, theme, true, ["Explain", ""]);
    let lines = vec![
        Line::raw(""),
        Line::raw(" No images are selected yet."),
        Line::raw(""),
        Line::styled(" In Datasets, e explains the marked or listed images.", theme.dim()),
        Line::styled(" In Evaluate, Enter on a case in a cell of the matrix explains it.", theme.dim()),
    ];
    frame.render_widget(Paragraph::new(lines), inner);
}

fn draw_centered(frame: &mut Frame<'_>, area: Rect, text: &str, style: Style) {
    let middle = Rect { y: area.y + area.height / 2, height: area.height.min(1), ..area };
    frame.render_widget(Paragraph::new(Line::styled(text, style).centered()), middle);
}

fn draw_probabilities(
    frame: &mut Frame<'_>,
    area: Rect,
    mapped: Option<&MappedImage>,
    label: Option<DensityClass>,
    theme: &Theme,
) {
    let inner = draw_pane(frame, area, theme, false, ["probabilities", ""]);
    let Some(mapped) = mapped else { return };
    let Some(probabilities) = &mapped.image.probabilities else {
        let text = format!(" {NonfiniteOutput}");
        frame.render_widget(Paragraph::new(Line::styled(text, theme.bad())), inner);
        return;
    };
    let bar = usize::from(inner.width).saturating_sub(14);
    let lines: Vec<Line<'_>> = DensityClass::ALL
        .into_iter()
        .map(|class| {
            let share = probabilities.of(class);
            let truth = if label == Some(class) { "true" } else { "" };
            Line::from(vec![
                Span::styled(format!(" {class} {}", bar_text(share, bar, theme)), theme.class(class)),
                Span::raw(format!(" {:>3}", figure(Some(share), 2, theme))),
                Span::styled(format!(" {truth}"), theme.dim()),
            ])
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

fn draw_scores(frame: &mut Frame<'_>, area: Rect, map: &MapState, theme: &Theme) {
    let inner = draw_pane(frame, area, theme, false, ["where the map looks", ""]);
    let mapped = match map {
        MapState::Ready(mapped) => mapped,
        MapState::Failed(_) => {
            frame.render_widget(Paragraph::new(Line::styled(" there is no map", theme.dim())), inner);
            return;
        }
        MapState::Pending => return,
    };
    if !mapped.image.status.is_sound() {
        let text = format!(" nowhere: it is {}", mapped.image.status);
        frame.render_widget(Paragraph::new(text).style(theme.warning()).wrap(Wrap { trim: false }), inner);
        return;
    }
    let Some(regions) = &mapped.image.examined.regions else {
        let text = " no breast was found in the image, so there are no scores";
        frame.render_widget(Paragraph::new(text).style(theme.warning()).wrap(Wrap { trim: false }), inner);
        return;
    };
    let examined = &mapped.image.examined;
    let lines = score_lines(&mapped.image.scores, &examined.control, regions.dense_source, theme);
    let [scores, below] = Layout::vertical([Constraint::Length(lines.len() as u16), Constraint::Fill(1)]).areas(inner);
    frame.render_widget(Paragraph::new(lines), scores);
    let problems: Vec<Line<'_>> =
        examined.mask_problems.iter().map(|problem| Line::raw(format!(" {problem}"))).collect();
    frame.render_widget(Paragraph::new(problems).style(theme.warning()).wrap(Wrap { trim: false }), below);
}

fn score_lines(
    scores: &ExplanationScores,
    control: &ExplanationScores,
    dense: DenseSource,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let row = |name: &str, value: String, note: String| {
        Line::from(vec![
            Span::styled(format!(" {}", padded(name, 16)), theme.dim()),
            Span::raw(value),
            Span::styled(format!("  {note}"), theme.dim()),
        ])
    };
    let percent = |share: Option<f64>| match share {
        Some(share) => format!("{:>3.0} %", 100.0 * share),
        None => format!("{:>5}", theme.sign("–", "-")),
    };
    let times = |scores: &ExplanationScores| Some(format!("{}{:.1}", theme.sign("×", "x"), scores.dense_enrichment?));
    let enrichment = times(scores).map_or_else(String::new, |times| format!("{times} its area"));
    let random = times(control).unwrap_or_default();
    let source = match dense {
        DenseSource::Mask => "from masks",
        DenseSource::Rule => "by the rule",
        DenseSource::None => "unknown",
    };
    let hit = match scores.pointing_hit {
        Some(true) => "in dense tissue",
        Some(false) => "elsewhere",
        None => theme.sign("–", "-"),
    };
    vec![
        row("in dense tissue", percent(scores.dense_energy), enrichment),
        row("  random control", percent(control.dense_energy), random),
        row("in the breast", percent(scores.breast_energy), String::new()),
        row("at the skin", percent(scores.skin_energy), String::new()),
        row("outside", percent(scores.outside_energy), String::new()),
        row("strongest point", hit.to_owned(), String::new()),
        row("rank with greys", format!("{:>5}", signed(scores.grey_spearman, 2, theme)), String::new()),
        row("dense tissue", source.to_owned(), String::new()),
    ]
}
