use std::path::Path;

use super::*;
use crate::analysis::explained_image::{ExaminedPicture, MapZoom};
use crate::terminal::graphics::GraphicsFacts;
use crate::terminal::graphics::PicturePlacement;
use crate::terminal::graphics_protocol::GraphicsProtocol;
use crate::terminal::input::Key;
use crate::tui::app::App;
use crate::tui::protocol::effect::{Destination, Tone};
use crate::tui::protocol::explain::ExplainMessage;
use crate::tui::protocol::explain::{ExplainEffect, ExplainSample};
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::pictures::PictureEffect;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::screens::evaluate::tests::fixture::row;
use crate::tui::services::pictures::PictureService;
use crate::tui::testing::{drawn, fixed_time, fresh_app, press};
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_map::ExplanationMap;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::explanation::verdict::{ControlComparison, TrainingEvidence};
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use mammoscope_engine_protocol::event::ExplainedSample;
use mammoscope_imaging::mask::Mask;
use mammoscope_imaging::picture_regions::{PictureRegions, TrueMasks};
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_imaging::skin_band::SkinBandWidth;
use mammoscope_storage::runs::run_dir::RunDir;

pub(super) const SMALL: (u16, u16) = (80, 24);
pub(super) const LARGE: (u16, u16) = (120, 40);
const SIDE: usize = 64;

/// A half disc at the left edge with a bright square in it.
pub(super) fn examined() -> ExaminedPicture {
    let inside = |x: usize, y: usize| x * x + (y.abs_diff(SIDE / 2) * 3 / 2).pow(2) < (SIDE * 7 / 10).pow(2);
    let dense = |x: usize, y: usize| (8..24).contains(&x) && (24..44).contains(&y);
    let grey = |x: usize, y: usize| match (inside(x, y), dense(x, y)) {
        (_, true) => 200,
        (true, _) => 90 + ((x * 5 + y * 3) % 7) as u8,
        _ => 0,
    };
    let mask = |f: &dyn Fn(usize, usize) -> bool| {
        Mask::new(SIDE, SIDE, (0..SIDE * SIDE).map(|at| f(at % SIDE, at / SIDE)).collect())
    };
    let samples = (0..SIDE * SIDE).map(|at| grey(at % SIDE, at / SIDE)).collect();
    let picture = Raster::new(SIDE, SIDE, Channels::Grey, samples);
    let muscle = |x: usize, y: usize| x + y < 24 && inside(x, y);
    let known = TrueMasks {
        breast: Some(mask(&inside)),
        dense: Some(mask(&dense)),
        pectoral: Some(mask(&muscle)),
        ..TrueMasks::default()
    };
    let regions = PictureRegions::of(&picture, known, SkinBandWidth::default());
    ExaminedPicture::new(picture, (SIDE, 2 * SIDE), regions, 7)
}

/// A mapped image with these map values.
pub(super) fn mapped(values: [f32; 16]) -> Arc<MappedImage> {
    let map = ExplanationMap::new(4, 4, values.to_vec());
    let class = DensityClass::C;
    let logits = [-2.0, 0.5, 2.4, -0.5];
    let sample = ExplainedSample { logits, class, map, all_gradients_negative: false, curves: None, findings: None };
    Arc::new(MappedImage {
        image: Arc::new(Arc::new(examined()).explained(&sample, MapZoom::Bilinear)),
        class,
        model: "/density/models/best-012-0.81.safetensors".into(),
        control: Some(ControlComparison { share: 0.3, beaten: 17, controls: 20, mean: 0.2 }),
        training: TrainingEvidence::Alike { images: 908 },
        doubts: Vec::new(),
    })
}

pub(super) const SOUND: [f32; 16] = [0.0, 0.1, 0.0, -0.2, 0.9, 0.3, 0.0, 0.0, 1.5, 0.7, 0.1, 0.0, 0.2, 0.0, 0.0, -0.4];

pub(super) fn sample(subject: usize, view: View) -> ExplainSample {
    ExplainSample {
        path: format!("/density/images/{view}/C/{subject}_1_C_{view}.png").into(),
        label: Some(DensityClass::C),
        view: Some(view),
        examination: format!("{subject} exam 1"),
    }
}

pub(super) fn list() -> ExplainList {
    ExplainList {
        title: "C predicted as C".to_owned(),
        samples: (145..150).map(|subject| sample(subject, View::CcR)).collect(),
        position: 1,
        views: (145..150).flat_map(|subject| View::ALL.map(|view| sample(subject, view))).collect(),
        source: None,
        second: None,
        from: ScreenId::Evaluate,
    }
}

/// A workbench with two groups of runs, drawn in ASCII, so that pictures are text.
pub(super) fn app_with_runs() -> App {
    let mut app = fresh_app();
    app.shared.graphics = GraphicsFacts::new(PicturePlacement::Screen, Some(GraphicsProtocol::Ascii), |_| None);
    app.shared.graphics.resolve();
    for (preset, hour, phase) in [("modern", 15, RunPhase::Running), ("seed", 9, RunPhase::Completed)] {
        for view in View::ALL {
            let run = RunDir::new(format!("/density/workspace/runs/{hour}_{view}_{preset}"));
            app.shared.runs.rows.push(row(run, preset, hour, view, phase));
        }
    }
    app.shared.runs.listed = true;
    app
}

pub(super) fn requested(effects: &[Effect]) -> Vec<MapRequest> {
    effects
        .iter()
        .find_map(|effect| match effect {
            Effect::Explain(ExplainEffect::Show { shown, .. }) => Some(shown.clone()),
            _ => None,
        })
        .unwrap_or_default()
}

pub(super) fn answer(app: &mut App, requests: &[MapRequest], outcome: &Result<Arc<MappedImage>, Failure>) {
    for request in requests {
        let message = ExplainMessage::Mapped { request: request.clone(), outcome: outcome.clone() };
        app.update(UiMessage::Explain(message), fixed_time());
    }
}

/// Draws, waits for the pictures, and draws again.
pub(super) fn with_pictures(app: &mut App, size: (u16, u16)) -> String {
    let (inbox, messages) = std::sync::mpsc::channel();
    let mut service = PictureService::new(inbox);
    drawn(app, size);
    let mut wanted = 0;
    for effect in app.after_draw() {
        let Effect::Picture(effect @ PictureEffect::Show { .. }) = effect else { continue };
        service.perform(effect);
        wanted += 1;
    }
    for _ in 0..wanted {
        let message = messages.recv_timeout(std::time::Duration::from_secs(60)).expect("a picture");
        app.update(message, fixed_time());
    }
    drawn(app, size)
}

#[test]
fn every_state_is_drawn() {
    let mut app = app_with_runs();
    press(&mut app, &[Key::Char('5')]);
    insta::assert_snapshot!("empty_80x24", drawn(&mut app, SMALL));
    let requests = requested(&app.navigate(Destination::Explanation(list())));
    insta::assert_snapshot!("computing_80x24", drawn(&mut app, SMALL));
    answer(&mut app, &requests, &Ok(mapped(SOUND)));
    press(&mut app, &[Key::Char('a')]);
    insta::assert_snapshot!("overlay_80x24", with_pictures(&mut app, SMALL));
    press(&mut app, &[Key::Char('a')]);
    insta::assert_snapshot!("contours_120x40", with_pictures(&mut app, LARGE));
    press(&mut app, &[Key::Char('o')]);
    insta::assert_snapshot!("models_80x24", drawn(&mut app, SMALL));
    press(&mut app, &[Key::Escape]);
    let requests = requested(&press(&mut app, &[Key::Char('H')]));
    assert_eq!(requests.len(), 4);
    answer(&mut app, &requests, &Ok(mapped(SOUND)));
    insta::assert_snapshot!("four_views_120x40", with_pictures(&mut app, LARGE));
}

#[test]
fn a_degenerate_map_is_described_instead_of_drawn() {
    let mut app = app_with_runs();
    let requests = requested(&app.navigate(Destination::Explanation(list())));
    press(&mut app, &[Key::Char('a')]);
    answer(&mut app, &requests, &Ok(mapped([-1.0; 16])));
    let text = drawn(&mut app, SMALL);
    assert!(text.contains("negative everywhere") && text.contains("not drawn"), "{text}");
    assert!(app.after_draw().is_empty(), "no picture is wanted");
    answer(&mut app, &requests, &Err("the file cannot be read: it is gone".into()));
    let text = drawn(&mut app, SMALL);
    assert!(text.contains("it is gone") && text.contains("there is no map"), "{text}");
    // Another image has another map.
    press(&mut app, &[Key::Right]);
    assert!(drawn(&mut app, SMALL).contains("computing the map"));
}

#[test]
fn every_choice_requests_its_map_and_late_answers_are_ignored() {
    let mut app = app_with_runs();
    let first = requested(&app.navigate(Destination::Explanation(list())));
    let [first] = &first[..] else { panic!("one image") };
    // The runs that are over are preferred.
    let ModelSource::Runs(runs) = &first.source else { panic!("runs") };
    assert!(runs.len() == 4 && runs.iter().all(|run| run.name().ends_with("seed")), "{runs:?}");
    assert_eq!((first.method, first.layer, first.class), (ExplanationMethod::GradCam, ExplainedLayer::LAST, None));
    assert!(first.sample.ends_with("146_1_C_CC_R.png"));
    let next = requested(&press(&mut app, &[Key::Right]));
    assert!(next[0].sample.ends_with("147_1_C_CC_R.png"));
    answer(&mut app, std::slice::from_ref(first), &Ok(mapped(SOUND)));
    assert!(drawn(&mut app, SMALL).contains("computing the map"), "it belongs to the previous image");
    let requested_by = |app: &mut App, key: char| requested(&press(app, &[Key::Char(key)])).pop();
    assert_eq!(requested_by(&mut app, 'm').unwrap().method, ExplanationMethod::GradCamPlusPlus);
    assert_eq!(requested_by(&mut app, 'M').unwrap().method, ExplanationMethod::GradCam);
    assert_eq!(requested_by(&mut app, '[').unwrap().layer.to_string(), "add_11");
    assert_eq!(requested_by(&mut app, ']').unwrap().layer, ExplainedLayer::LAST);
    assert_eq!(requested_by(&mut app, 'T').unwrap().class, Some(DensityClass::C), "the true one");
    assert_eq!(requested_by(&mut app, 'T').unwrap().class, Some(DensityClass::A));
    // A change of the drawing does not compute the map again.
    for key in ['a', '<', '>', 'O', '#', 'w'] {
        assert_eq!(requested_by(&mut app, key), None, "{key}");
    }
    press(&mut app, &[Key::Char('o'), Key::Up, Key::Up]);
    let others = requested(&press(&mut app, &[Key::Enter]));
    let ModelSource::Runs(runs) = &others[0].source else { panic!("runs") };
    assert!(runs.iter().all(|run| run.name().ends_with("modern")));
    let back = press(&mut app, &[Key::Escape]);
    assert_eq!((app.screen, back.is_empty()), (ScreenId::Evaluate, false));
    assert_eq!(app.view_state().explain, app.screens.explain.view_state());
}

#[test]
fn an_active_run_is_followed_once_its_map_is_ready() {
    let mut app = app_with_runs();
    app.navigate(Destination::Explanation(list()));
    let of_active_run = press(&mut app, &[Key::Char('o'), Key::Up, Key::Up, Key::Enter]);
    let requests = requested(&of_active_run);
    let tick = |app: &mut App| requested(&app.update(UiMessage::Tick, fixed_time()));
    assert_eq!(tick(&mut app), [], "the first map is not ready yet");
    answer(&mut app, &requests, &Ok(mapped(SOUND)));
    assert!(requests[0].follow);
    assert_eq!(tick(&mut app), requests);
    for row in &mut app.shared.runs.rows {
        row.condition.as_mut().unwrap().phase = RunPhase::Completed;
    }
    // After its end the best model is explained.
    let best: Vec<_> = requests.iter().map(|request| MapRequest { follow: false, ..request.clone() }).collect();
    assert_eq!(tick(&mut app), best);
    answer(&mut app, &best, &Ok(mapped(SOUND)));
    assert_eq!(tick(&mut app), []);
}

#[test]
fn the_scale_can_be_fixed_and_files_exported() {
    let mut app = app_with_runs();
    let notice = |app: &App| app.notice.as_ref().map(|(_, notice)| (notice.tone, notice.text.clone())).unwrap();
    let requests = requested(&app.navigate(Destination::Explanation(list())));
    press(&mut app, &[Key::Char('=')]);
    assert_eq!(notice(&app).0, Tone::Warning);
    press(&mut app, &[Key::Char('E')]);
    assert_eq!(notice(&app), (Tone::Warning, "the map is not ready yet".to_owned()));
    let there = mapped(SOUND);
    answer(&mut app, &requests, &Ok(Arc::clone(&there)));
    press(&mut app, &[Key::Char('=')]);
    let largest = app.screens.explain.settings.full.unwrap();
    assert!((1.4..1.5).contains(&largest), "a corner of the map's four by four: {largest}");
    let effects = press(&mut app, &[Key::Char('E')]);
    let [Effect::Explain(ExplainEffect::Export { images, painting })] = &effects[..] else { panic!("{effects:?}") };
    let [(file, image)] = &images[..] else { panic!("one image") };
    assert!(file == Path::new(&requests[0].sample) && Arc::ptr_eq(image, &there));
    assert_eq!(painting.scale, mammoscope_imaging::overlay::MapScale::Fixed(largest));
    app.update(UiMessage::Explain(ExplainMessage::Exported(Err("write to x: full".into()))), fixed_time());
    assert_eq!(notice(&app).0, Tone::Failed);
}

#[test]
fn the_path_of_the_image_and_of_the_models_is_copied() {
    let mut app = app_with_runs();
    app.navigate(Destination::Explanation(list()));
    let image = app.screens.explain.sample().unwrap().path.to_string_lossy().into_owned();
    assert_eq!(press(&mut app, &[Key::Char('y')]), [Effect::Copy(image)]);
    let effects = press(&mut app, &[Key::Char('o'), Key::Char('y')]);
    let [Effect::Copy(models)] = &effects[..] else { panic!("{effects:?}") };
    assert!(models.contains("/runs/"), "{models}");
}
