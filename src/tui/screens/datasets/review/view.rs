//! The drawing of the review: the list, the pictures side by side, and what is known about the image.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::list_view::confidence_text;
use super::{Arrangement, ReviewPane, Sources};
use crate::terminal::color_depth::ColorDepth;
use crate::tui::protocol::painted_review::{BREAST, CROP, MUSCLE, PaintedReview, ReviewPart};
use crate::tui::protocol::review::ReviewedImage;
use crate::tui::protocol::verb::Verb;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{first_fitting, fitted};
use crate::tui::widgets::key_text::key_text;
use crate::tui::widgets::pane::draw_pane;
use crate::tui::widgets::picture::PictureContent;
use mammoscope_domain::text::printable::printable;
use mammoscope_imaging::intensity_window::WindowChoice;
use mammoscope_preprocessing::record::{PectoralState, Review};
use mammoscope_preprocessing::review::curve_of;

/// Lines about the image under the pictures, in narrow and in wide terminals.
const FACTS: (u16, u16) = (6, 5);

impl ReviewPane {
    pub(in crate::tui::screens::datasets) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let (list, facts) = if area.width < 100 { (42, FACTS.0) } else { (48, FACTS.1) };
        let [left, right] = Layout::horizontal([Constraint::Length(list), Constraint::Fill(1)]).areas(area);
        self.draw_list(frame, left, shared);
        let Some(image) = self.image().cloned() else {
            draw_pane(frame, right, &shared.theme, false, ["", ""]);
            return;
        };
        let [pictures, facts] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(facts.min(right.height / 3))]).areas(right);
        match self.arrangement {
            Arrangement::Both => {
                let [before, after] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(pictures);
                self.draw_original(frame, before, shared, &image);
                self.draw_prepared(frame, after, shared, &image);
            }
            Arrangement::Original => self.draw_original(frame, pictures, shared, &image),
            Arrangement::Prepared => self.draw_prepared(frame, pictures, shared, &image),
        }
        // A column of margin, for the continuations of long lines too.
        let facts = Rect { x: facts.x + 1, width: facts.width.saturating_sub(1), ..facts };
        let lines = self.facts(&image, usize::from(facts.width), shared);
        frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), facts);
    }

    fn draw_original(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState, image: &ReviewedImage) {
        let theme = &shared.theme;
        let inner = draw_pane(frame, area, theme, self.correction.is_some(), ["Before", ""]);
        let key = key_text(Verb::NextPane, &shared.keymap);
        let text = match (&self.sources, self.original(&image.record.source.path)) {
            (_, Some(Ok(picture))) => {
                let corrected = self.correction.as_ref().map(|correction| &correction.curve);
                let given = match self.verdict(image) {
                    Some(Review::Corrected { curve }) => Some(curve),
                    _ => curve_of(&image.record),
                };
                let painted = PaintedReview {
                    picture: picture.clone(),
                    curve: corrected.or(given).cloned(),
                    part: ReviewPart::Whole,
                    outlines: self.outlines,
                };
                let path = Self::prepared_path(&self.folder, image);
                let content = PictureContent::painted(&path, WindowChoice::default(), painted);
                self.pictures[0].draw(frame, inner, shared, content, Vec::new);
                return;
            }
            (_, Some(Err(problem))) => format!("the original cannot be shown: {problem}"),
            (Sources::Unknown, None) => format!("the folder of the sources is not known; {key} names it"),
            (Sources::Looking, None) => "looking for the sources …".to_owned(),
            (Sources::Failed(problem), None) => format!("no original: {problem}; {key} names another folder"),
            (Sources::Found(sources), None) if sources.contains_key(&image.record.source.path) => {
                "reading …".to_owned()
            }
            (Sources::Found(_), None) => format!("its source is no longer in that folder; {key} names another"),
        };
        draw_text(frame, inner, &text, theme.dim());
    }

    fn draw_prepared(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState, image: &ReviewedImage) {
        let theme = &shared.theme;
        let title = if self.correction.is_some() { "After, as it would be" } else { "After" };
        let title = first_fitting([title, "After"], usize::from(area.width.saturating_sub(6)));
        let inner = draw_pane(frame, area, theme, false, [&title, ""]);
        let path = Self::prepared_path(&self.folder, image);
        let original = self.original(&image.record.source.path);
        if let (Some(correction), Some(Ok(picture))) = (&self.correction, original) {
            let painted = PaintedReview {
                picture: picture.clone(),
                curve: Some(correction.curve.clone()),
                part: ReviewPart::Filled(picture.level),
                outlines: false,
            };
            let content = PictureContent::painted(&path, WindowChoice::default(), painted);
            self.pictures[1].draw(frame, inner, shared, content, Vec::new);
            return;
        }
        let is_pending = self.pending.contains_key(&image.record.source.path);
        match self.verdict(image) {
            Some(Review::Rejected) => {
                draw_text(frame, inner, "rejected: the image was removed; Enter makes it again", theme.bad());
            }
            Some(_) if is_pending && !path_is_current(image) => {
                draw_text(frame, inner, "being made again …", theme.dim());
            }
            _ => {
                let content = PictureContent::stored(&path, WindowChoice::default());
                self.pictures[1].draw(frame, inner, shared, content, Vec::new);
            }
        }
    }

    fn facts(&self, image: &ReviewedImage, cells: usize, shared: &SharedState) -> Vec<Line<'static>> {
        let theme = &shared.theme;
        let (Some(output), Some(steps)) = (&image.record.output, &image.record.steps) else { return Vec::new() };
        let (dot, times) = (theme.sign("·", "-"), theme.sign("×", "x"));
        let [columns, rows] = steps.original_size;
        let crop = steps.crop;
        let class = match (image.stated, output.class) {
            (Some(stated), Some(class)) if stated != class => format!("class {stated} in labels.csv, {class} so far"),
            (Some(stated), None) => format!("class {stated} in labels.csv"),
            (_, Some(class)) => format!("class {class}"),
            (None, None) => "no class".to_owned(),
        };
        let short = format!("{} {dot} {class} {dot} {}{times}{}", output.view, crop.width(), crop.height());
        let full = format!("{short} of {columns}{times}{rows}");
        let mut lines = vec![Line::raw(first_fitting([full.as_str(), &short], cells))];
        let muscle = match (&self.correction, steps.pectoral.state) {
            (Some(correction), _) => {
                let angle = correction.curve.angle_from_vertical();
                (format!("edge {angle:.1}° from the vertical"), theme.accent())
            }
            (None, PectoralState::Uncertain) => {
                let reason = steps.pectoral.reason.as_deref().unwrap_or("its edge is doubtful");
                let confidence = in_brackets(steps.pectoral.confidence);
                (format!("muscle left untouched{confidence}: {}", printable(reason)), theme.warning())
            }
            (None, PectoralState::Filled) => {
                (format!("muscle filled{}", in_brackets(steps.pectoral.confidence)), theme.text())
            }
            (None, PectoralState::Kept) => ("muscle kept, as the settings say".to_owned(), theme.text()),
            (None, PectoralState::AlreadyFilled) => ("muscle filled before, in the source".to_owned(), theme.text()),
            (None, PectoralState::None) => ("no muscle in the picture".to_owned(), theme.dim()),
        };
        lines.push(Line::styled(muscle.0, muscle.1));
        let pending = if self.pending.contains_key(&image.record.source.path) { ", being saved" } else { "" };
        let (verdict, style) = match self.verdict(image) {
            Some(Review::Accepted) => ("accepted", theme.good()),
            Some(Review::Rejected) => ("rejected", theme.bad()),
            Some(Review::Corrected { .. }) => ("edge corrected", theme.good()),
            None => ("no verdict yet", theme.dim()),
        };
        lines.push(Line::styled(fitted(&format!("{verdict}{pending}"), cells), style));
        lines.push(self.legend(shared));
        let findings = image.record.findings.join(&format!(" {dot} "));
        if !findings.is_empty() {
            lines.push(Line::styled(format!("! {}", printable(&findings)), theme.warning()));
        }
        lines
    }

    /// The colours of the outlines.
    fn legend(&self, shared: &SharedState) -> Line<'static> {
        let theme = &shared.theme;
        if !self.outlines {
            let key = key_text(Verb::Outlines, &shared.keymap);
            return Line::styled(format!("{key} outlines crop, breast and muscle"), theme.dim());
        }
        let line = theme.sign("━━", "--");
        let parts = [(CROP, 74, "crop"), (BREAST, 36, "breast"), (MUSCLE, 214, "muscle")];
        let parts = parts.map(|([red, green, blue], indexed, name)| {
            let style = match theme.depth {
                ColorDepth::True => Style::new().fg(Color::Rgb(red, green, blue)),
                ColorDepth::Indexed => Style::new().fg(Color::Indexed(indexed)),
                _ => theme.dim(),
            };
            [Span::styled(line, style), Span::styled(format!(" {name} "), theme.dim())]
        });
        Line::from(parts.concat())
    }
}

/// A confidence such as ` (confidence .42)`; empty without one.
fn in_brackets(confidence: Option<f64>) -> String {
    match confidence_text(confidence) {
        text if text.is_empty() => text,
        text => format!(" (confidence{text})"),
    }
}

/// True if the image's file has the state of the last verdict that was kept.
fn path_is_current(image: &ReviewedImage) -> bool {
    !matches!(image.record.review, Some(Review::Rejected))
}

fn draw_text(frame: &mut Frame<'_>, area: Rect, text: &str, style: Style) {
    let place = Rect { y: area.y + area.height / 3, height: area.height - area.height / 3, ..area };
    let text = Paragraph::new(text.to_owned()).style(style).wrap(Wrap { trim: true }).centered();
    frame.render_widget(text, place);
}
