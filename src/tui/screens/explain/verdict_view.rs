//! The line that says whether a map may be believed.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::ExplainScreen;
use crate::tui::protocol::explain::MappedImage;
use crate::tui::theme::Theme;
use crate::tui::widgets::fitted::{fitted, width};
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::explanation::verdict::{Belief, Evidence, Verdict};

impl ExplainScreen {
    /// Draws the verdict and its reasons.
    pub(super) fn draw_verdict(&self, frame: &mut Frame<'_>, area: Rect, mapped: &MappedImage, theme: &Theme) {
        let verdict = verdict(mapped, self.settings.method == ExplanationMethod::Random);
        let (sign, style) = match verdict.belief {
            Belief::Believable => (theme.sign("✔", "ok"), theme.good()),
            Belief::Doubtful => (theme.sign("✖", "x"), theme.bad()),
            Belief::CannotBeSaid => ("?", theme.warning()),
        };
        let belief = format!(" {sign} {}: ", verdict.belief);
        let room = usize::from(area.width).saturating_sub(width(&belief) + 1);
        // The weightiest reasons come first; those that do not fit are left out, with a sign of it.
        let reasons = fitted(&verdict.reasons.join(" · "), room);
        frame.render_widget(Paragraph::new(Line::from(vec![Span::styled(belief, style), Span::raw(reasons)])), area);
    }
}

/// The verdict on a map.
pub(super) fn verdict(mapped: &MappedImage, is_random: bool) -> Verdict {
    let doubts: Vec<&str> = mapped.doubts.iter().map(|doubt| doubt.text()).collect();
    Verdict::of(&Evidence {
        status: mapped.image.status,
        scores: &mapped.image.scores,
        positions: mapped.grid(),
        control: mapped.control,
        training: &mapped.training,
        doubts: &doubts,
        is_random,
        has_output: mapped.image.probabilities.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tests::{SOUND, answer, app_with_runs, list, mapped, requested, with_pictures};
    use super::*;
    use crate::terminal::input::Key;
    use crate::tui::app::App;
    use crate::tui::protocol::effect::Destination;
    use crate::tui::protocol::explain::ExplainMessage;
    use crate::tui::testing::{SIZES, assert_drawn, drawn, press};
    use mammoscope_domain::explanation::verdict::{ControlComparison, TrainingEvidence};
    use mammoscope_domain::subject::split::Split;
    use mammoscope_imaging::raster::{Channels, Raster};

    /// A workbench with one map that was changed.
    fn explained(values: [f32; 16], change: impl FnOnce(&mut MappedImage)) -> App {
        let mut app = app_with_runs();
        let requests = requested(&app.navigate(Destination::Explanation(list())));
        let mut image = Arc::into_inner(mapped(values)).unwrap();
        change(&mut image);
        answer(&mut app, &requests, &Ok(Arc::new(image)));
        app
    }

    fn fine(image: &mut MappedImage) {
        let explained = Arc::get_mut(&mut image.image).unwrap();
        explained.positions = Raster::new(21, 21, Channels::Grey, vec![0.1; 441]);
        image.control = Some(ControlComparison { share: 0.8, beaten: 20, controls: 20, mean: 0.3 });
    }

    /// The line of a verdict in all sizes.
    fn verdict_lines(app: &mut App) -> String {
        let mut lines = String::new();
        for (_, size) in SIZES {
            let text = drawn(app, size);
            let beliefs = ["believable:", "doubtful:", "cannot be said:"];
            let line = text.lines().find(|line| beliefs.iter().any(|belief| line.contains(belief)));
            lines += line.expect("a verdict");
            lines.push('\n');
        }
        lines
    }

    #[test]
    fn the_weightiest_reasons_are_readable_in_every_size() {
        let unlike = "its mean grey level is 212, that of theirs is between 31 and 118".to_owned();
        let mut verdicts = String::new();
        let mut add = |mut app: App| verdicts += &verdict_lines(&mut app);
        add(explained(SOUND, fine));
        add(explained(SOUND, |_| {}));
        add(explained(SOUND, |image| image.training = TrainingEvidence::Used(Split::Train)));
        add(explained(SOUND, |image| image.training = TrainingEvidence::Unlike(unlike)));
        add(explained(SOUND, |image| {
            fine(image);
            image.training = TrainingEvidence::Unknown;
        }));
        add(explained(SOUND, |image| {
            fine(image);
            image.control = None;
        }));
        add(explained([-1.0; 16], fine));
        add(explained([0.0; 16], fine));
        insta::assert_snapshot!("verdicts", verdicts);
    }

    #[test]
    fn the_states_of_the_screen_are_drawn_in_every_size() {
        let mut app = app_with_runs();
        press(&mut app, &[Key::Char('5')]);
        assert_drawn!("empty", &mut app);
        let requests = requested(&app.navigate(Destination::Explanation(list())));
        assert_drawn!("computing", &mut app);
        answer(&mut app, &requests, &Ok(mapped(SOUND)));
        assert_drawn!("side_by_side", &mut app, with_pictures);
        press(&mut app, &[Key::Char('a')]);
        assert_drawn!("coarse_cells", &mut app, with_pictures);
        press(&mut app, &[Key::Char('o')]);
        assert_drawn!("models", &mut app);
        press(&mut app, &[Key::Char('o')]);
        press(&mut app, &"/models/x".chars().map(Key::Char).collect::<Vec<_>>());
        press(&mut app, &[Key::Enter]);
        let outcome = Err("/models/x: contains no models".into());
        let message = ExplainMessage::ModelsChecked { typed: "/models/x".to_owned(), outcome };
        app.update(crate::tui::protocol::message::UiMessage::Explain(message), crate::tui::testing::fixed_time());
        assert_drawn!("refused_model", &mut app);
        press(&mut app, &[Key::Escape, Key::Escape]);
        let requests = requested(&press(&mut app, &[Key::Char('H')]));
        assert_eq!(requests.len(), 4);
        answer(&mut app, &requests, &Ok(mapped(SOUND)));
        assert_drawn!("hanging", &mut app, with_pictures);
    }
}
