//! The line that says whether a map may be believed.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::ExplainScreen;
use crate::tui::protocol::explain::MappedImage;
use crate::tui::theme::Theme;
use crate::tui::widgets::fitted::fitted;
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
        let room = usize::from(area.width).saturating_sub(belief.chars().count() + 1);
        let reasons = fitted(&verdict.reasons.join(theme.sign(" · ", "; ")), room);
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
