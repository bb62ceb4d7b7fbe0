//! The fixture of the tests of Evaluate.

use super::*;
use mammoscope_storage::runs::run_dir::RunDir;

/// A workbench with two groups of runs of four views each, and the services that read their predictions.
pub(super) struct Fixture {
    pub(super) folder: TempDir,
    pub(super) app: App,
    pub(super) services: Services,
    pub(super) messages: Receiver<UiMessage>,
}

impl Fixture {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::open(Some(folder.path())).unwrap();
        let (inbox, messages) = channel();
        let mut app = fresh_app();
        for (preset, hour, spread) in [("modern", 15, 2.2), ("seed", 9, 1.1)] {
            for view in View::ALL {
                let run = RunDir::create(folder.path().join("runs").join(format!("{hour}_{view}_{preset}"))).unwrap();
                write_split_tables(&run, Split::Test, &predictions(view, 24, spread)).unwrap();
                write_split_tables(&run, Split::Validation, &predictions(view, 12, spread)).unwrap();
                write_manifest(&run.manifest(), &manifest(view)).unwrap();
                app.shared.runs.rows.push(row(run, preset, hour, view, RunPhase::Completed));
            }
        }
        app.shared.runs.listed = true;
        Self { folder, app, services: Services::new(&workspace, &inbox), messages }
    }

    pub(super) fn evaluate(&self) -> &EvaluateScreen {
        &self.app.screens.evaluate
    }

    pub(super) fn opened(&self) -> &Opened {
        self.evaluate().opened.as_ref().unwrap()
    }

    /// Presses keys and performs all effects until a condition holds.
    pub(super) fn press_until(&mut self, keys: &[Key], done: impl Fn(&EvaluateScreen) -> bool) {
        for key in keys {
            let effects = press(&mut self.app, &[*key]);
            self.perform(effects);
        }
        while !done(self.evaluate()) {
            let message = self.messages.recv_timeout(Duration::from_secs(60)).expect("an answer of the service");
            let effects = self.app.update(message, fixed_time());
            self.perform(effects);
        }
    }

    pub(super) fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.services.perform(effect);
        }
    }

    /// Opens the newer group and waits for all its intervals.
    pub(super) fn open(mut self) -> Self {
        self.press_until(&[Key::Char('4')], |screen| screen.is_searched);
        self.press_until(&[Key::Enter], all_resampled);
        self
    }
}

pub(super) fn all_resampled(screen: &EvaluateScreen) -> bool {
    let sets = screen.opened.as_ref().and_then(|opened| opened.sets.as_ref());
    sets.is_some_and(|sets| sets.sets.iter().all(|set| set.resampled))
}

pub(in crate::tui) fn row(run: RunDir, preset: &str, hour: u32, view: View, phase: RunPhase) -> RunRow {
    // In local time, so that it looks the same in every time zone.
    let created = Local.with_ymd_and_hms(2026, 11, 23, hour, 5, 0).unwrap().with_timezone(&Utc);
    let spec = RunSpec {
        grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
        schema: RUN_SCHEMA,
        on_event: None,
        placement: None,
        study: None,
        created,
        group: format!("{hour}_{preset}"),
        view,
        preset: preset.to_owned(),
        data: "/density/images".into(),
        device: DeviceChoice::Cpu,
        config: Preset::named(preset).unwrap().config,
    };
    let status = RunStatus {
        schema: STATUS_SCHEMA,
        state: phase,
        reason: None,
        pid: None,
        host: None,
        boot_id: None,
        group: spec.group.clone(),
        view,
        step: 40,
        steps_per_epoch: 10,
        epoch: 4,
        epochs: 20,
        best: Some(BestEpoch { metric: "val_kappa".to_owned(), value: 0.75 + 0.01 * f64::from(view as u8), epoch: 3 }),
        images_per_s: None,
        eta_s: None,
        heartbeat: created,
        updated: created,
    };
    let condition = RunCondition {
        phase,
        stale: None,
        silence: chrono::TimeDelta::zero(),
        is_doubtful: false,
        clock_offset: None,
        reason: None,
        job: None,
    };
    RunRow {
        run,
        spec: Some(spec.into()),
        status: Some(status),
        condition: Some(condition),
        labels: None,
        problem: None,
    }
}

/// A manifest of images whose spread of grey values grows with their density.
pub(super) fn manifest(view: View) -> DatasetManifest {
    let sample = |place: usize, row: PredictionRow, split: Split| {
        let label = row.label.unwrap();
        let spread = 10.0 + 3.0 * label.index() as f64 + (place * 5 % 7) as f64;
        let sha256 = format!("{:064x}", place + 100 * split as usize);
        let pixels = PixelFacts { sha256, width: 8, height: 8, grey_deviation: Some(spread), findings: None };
        let (subject, exam) = (SubjectId(format!("{split}{}", row.subject.0)), row.exam.clone());
        let (subject, exam) = if split == Split::Test { (row.subject, row.exam) } else { (subject, exam) };
        let file = if split == Split::Test { row.file.into() } else { format!("{split}/{}", row.file).into() };
        ManifestSample { file, subject, exam, label, votes: None, split, pixels: Some(pixels), unusable: None }
    };
    let of_split = |split: Split| {
        predictions(view, 24, 1.0).into_iter().enumerate().map(move |(place, row)| sample(place, row, split))
    };
    DatasetManifest {
        schema: MANIFEST_SCHEMA,
        root: "/density/images".into(),
        view,
        split_source: SplitSource::Folders,
        split_seed: 0,
        split_file: None,
        grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
        allow_duplicates: false,
        samples: of_split(Split::Train).chain(of_split(Split::Test)).collect(),
    }
}

/// Predictions that are sometimes wrong by one class, more often with a larger spread.
pub(super) fn predictions(view: View, subjects: usize, spread: f32) -> Vec<PredictionRow> {
    let classes = [1, 2, 0, 1, 2, 3, 1, 2];
    (0..subjects)
        .map(|subject| {
            let label = classes[subject % classes.len()];
            let error = ((subject * 7 + view as usize * 5) % 11) as f32 / 5.0 - 1.0;
            let center = label as f32 + error * spread * 0.5;
            let logits = std::array::from_fn(|class| -(class as f32 - center).abs() * 1.8);
            let probabilities = Probabilities::from_logits(logits).unwrap();
            let label = DensityClass::ALL[label];
            PredictionRow {
                file: format!("{view}/{label}/{}_1_{label}_{view}.png", 100 + subject),
                subject: SubjectId((100 + subject).to_string()),
                exam: Some(ExamId("1".to_owned())),
                view: Some(view),
                label: Some(label),
                predicted: probabilities.most_probable(),
                probabilities,
            }
        })
        .collect()
}
