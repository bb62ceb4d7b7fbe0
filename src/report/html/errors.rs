//! The errors with the highest confidence, with their pictures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

use super::page::Section;
use crate::analysis::report_facts::{CasePicture, ErrorCase, ErrorView, ReportFacts};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::counted::counted_as;

/// The errors that are shown even without pictures.
const LISTED: usize = 12;

pub(super) fn section(facts: &ReportFacts) -> Option<Section> {
    let main = facts.main_set()?;
    let wrong = main.evaluation.n as u64
        - DensityClass::ALL.map(|class| main.evaluation.confusion_matrix.count(class, class)).iter().sum::<u64>();
    let with_pictures = facts.errors.iter().filter(|case| case.views.iter().any(|view| view.picture.is_some())).count();
    let shown = &facts.errors[..facts.errors.len().min(with_pictures.max(LISTED))];
    let body = html! {
        @if wrong == 0 { p { "Every case of " (main.set.name) " is predicted correctly." } } @else {
            p {
                (wrong) " of " (counted_as(main.evaluation.n, "case in", "cases in")) " " (main.set.name) " "
                (if wrong == 1 { "is" } else { "are" })
                " predicted wrongly; those with the highest probability of the wrong class come first. Cases have numbers in place \
                 of names; --key FILE writes which subject each of them is."
            }
            @if let Some(caution) = &facts.map_caution { p.note { "The " (caution) " in mammoscope explain, and --maps here." } }
        }
        @for (number, case) in (1..).zip(shown) { (error_case(number, case)) }
    };
    Some(Section::new("errors", "Worst confident errors", body))
}

fn error_case(number: usize, case: &ErrorCase) -> Markup {
    let pictures: Vec<(&ErrorView, &CasePicture)> =
        case.views.iter().filter_map(|view| Some((view, view.picture.as_ref()?))).collect();
    html! {
        div.case {
            h3 { "Case " (number) ": true " (case.truth) ", predicted " (case.predicted) " with " (percent(case.probabilities.of(case.predicted))) }
            p { (probabilities(&case.probabilities)) }
            @if pictures.is_empty() {
                @if case.views.len() > 1 {
                    ul { @for view in &case.views { li { (view_name(view)) ": " (view.predicted) ". " (probabilities(&view.probabilities)) } } }
                }
            } @else {
                div.films { @for (view, picture) in &pictures { (film(number, case, view, picture)) } }
            }
        }
    }
}

fn film(number: usize, case: &ErrorCase, view: &ErrorView, picture: &CasePicture) -> Markup {
    let source = format!("data:image/jpeg;base64,{}", STANDARD.encode(&picture.jpeg));
    let name = view_name(view);
    let map = match picture.explained {
        Some(class) => format!("; left the mammogram, right the map of the evidence for {class} over it"),
        None => String::new(),
    };
    let alternative = format!(
        "{name} of case {number}, true class {}, here predicted {} with {}{map}",
        case.truth,
        view.predicted,
        percent(view.probabilities.of(view.predicted))
    );
    let remark = picture.remark.as_ref().map(|remark| format!(" ({remark})")).unwrap_or_default();
    html! {
        figure {
            img src=(source) alt=(alternative) width=(picture.size.0) height=(picture.size.1) loading="lazy";
            figcaption { (name) ": " (view.predicted) " with " (percent(view.probabilities.of(view.predicted))) (remark) }
        }
    }
}

fn view_name(view: &ErrorView) -> &'static str {
    view.view.map_or("image", View::name)
}

fn probabilities(probabilities: &Probabilities) -> String {
    let parts = DensityClass::ALL.map(|class| format!("{class} {}", percent(probabilities.of(class))));
    parts.join(" · ")
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}
