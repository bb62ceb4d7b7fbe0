//! `mammoscope phantom`: a folder of synthetic mammograms with known ground truth.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use mammoscope_dataset::phantom::dicom_files::{dicom_file, dicom_path, patient_id};
use mammoscope_dataset::phantom::files::{files_of_view, paths_of_view};
use mammoscope_dataset::phantom::manifest::{NOTICE, PhantomManifest, SubjectRecord, ViewRecord};
use mammoscope_dataset::phantom::{PhantomGenerator, PhantomSettings};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::atomic_file::write_atomically;

use super::console::{Console, Interrupted, Outcome, WrongUse, print_result};
use super::interruption::Interruption;

const EXAMPLES: &str = "\
Examples:
  mammoscope phantom data/phantom --subjects 400 --size 650 --seed 1
  mammoscope phantom data/tiny --subjects 8 --size 64 --seed 1
  mammoscope phantom data/archive --subjects 40 --dicom
  mammoscope phantom data/hard --subjects 400 --size 256 --seed 2 --overlap

OUT becomes <VIEW>/<CLASS>/<subject>_1_<CLASS>_<VIEW>.png, with masks beside
them in masks/, and phantom.json with the ground truth. The classes alternate:
subject 1 is A, 2 B, 3 C, 4 D, 5 A again. The same settings give the same files
on every machine; the same command again, or with more subjects, completes the
folder. The images are synthetic and not for clinical use.";

/// Make synthetic mammograms with known ground truth
///
/// Each subject has four views, a density class, and exact masks of the breast, its dense tissue and the pectoral
/// muscle.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct PhantomArguments {
    /// The folder to write to: new, empty, or a phantom with the same settings
    #[arg(value_name = "OUT")]
    out: PathBuf,
    /// Number of subjects; each has four views
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    subjects: u32,
    /// Side of the square images in pixels, at least 32
    #[arg(long, value_name = "PX", default_value_t = 650)]
    size: u32,
    /// Seed of all random numbers
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Let the densities of neighbouring classes overlap, and give the labels a reader's errors
    #[arg(long)]
    overlap: bool,
    /// Write DICOM files, `PHANTOM-<subject>/IM<1 to 4>`, and labels.csv instead of PNG files and masks: the way through
    /// `mammoscope preprocess` without patients
    #[arg(long)]
    dicom: bool,
    /// Let a marker in the corner reveal the class instead of the tissue
    #[arg(long)]
    confounder: bool,
}

pub(super) fn run(arguments: &PhantomArguments, console: &Console) -> anyhow::Result<Outcome> {
    let settings = PhantomSettings {
        seed: arguments.seed,
        size: arguments.size,
        overlap: arguments.overlap,
        confounder: arguments.confounder,
    };
    let generator = PhantomGenerator::new(settings).map_err(|error| WrongUse(format!("--size: {error}")))?;
    let folder = PhantomFolder { out: &arguments.out, settings, subjects: arguments.subjects, dicom: arguments.dicom };
    let recorded = folder.open()?;
    let interruption = Interruption::watch()?;

    let (present, missing): (Vec<u32>, Vec<u32>) =
        (1..=arguments.subjects).partition(|number| recorded.contains_key(number) && folder.holds(&generator, *number));
    if !present.is_empty() {
        let count = present.len();
        console.note(format_args!("{count} of {} subjects exist already", arguments.subjects));
    }
    let done: Mutex<Vec<SubjectRecord>> =
        Mutex::new(recorded.into_values().filter(|record| present.binary_search(&record.subject).is_ok()).collect());
    let progress = progress_bar(missing.len(), console);
    let made = missing.par_iter().try_for_each(|&number| {
        let record = folder.make(&generator, number, &interruption)?;
        done.lock().expect("no thread panics while it holds the lock").push(record);
        progress.inc(1);
        anyhow::Ok(())
    });
    progress.finish_and_clear();

    let manifest = PhantomManifest::new(
        settings,
        arguments.subjects,
        done.into_inner().expect("no thread panics while it holds the lock"),
    );
    let written = folder.write_manifest(&manifest);
    match made {
        Ok(()) => written?,
        Err(error) => {
            // Report the subjects that exist, even if the disk has no room for the manifest.
            let count = manifest.subjects.len();
            console.note(format_args!(
                "{count} of {} subjects are complete; the same command continues from there",
                arguments.subjects
            ));
            return if error.is::<Interrupted>() { Ok(Outcome::Interrupted) } else { Err(error) };
        }
    }
    print_result(&summary(&manifest, &arguments.out))?;
    Ok(Outcome::Done)
}

/// The folder of a phantom, with its settings.
struct PhantomFolder<'a> {
    out: &'a Path,
    settings: PhantomSettings,
    subjects: u32,
    /// True if the files are DICOM.
    dicom: bool,
}

/// The table of labels beside DICOM files, by which they are recognised too.
const LABELS: &str = "labels.csv";

impl PhantomFolder<'_> {
    /// Creates the folder and returns the subjects that an earlier call recorded there. A folder with other contents is
    /// refused.
    fn open(&self) -> anyhow::Result<BTreeMap<u32, SubjectRecord>> {
        let shown = printable_path(self.out);
        if self.out.exists() && !self.out.is_dir() {
            return Err(WrongUse(format!("{shown} is a file; a phantom needs a folder")).into());
        }
        let manifest_path = self.out.join(PhantomManifest::FILE_NAME);
        let recorded = match fs::read(&manifest_path) {
            Ok(bytes) => {
                let shown_manifest = printable_path(&manifest_path);
                let manifest: PhantomManifest = serde_json::from_slice(&bytes)
                    .with_context(|| format!("read {shown_manifest}; remove the folder, or choose another"))?;
                if let Some(difference) = manifest.difference(self.settings, self.subjects) {
                    let advice = "give the same settings, or another folder";
                    return Err(WrongUse(format!("the phantom in {shown} {difference}; {advice}")).into());
                }
                if self.dicom != self.out.join(LABELS).exists() {
                    let kind = if self.dicom { "PNG" } else { "DICOM" };
                    return Err(
                        WrongUse(format!("the phantom in {shown} has {kind} files; choose another folder")).into()
                    );
                }
                manifest.subjects
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.is_in_use()? {
                    return Err(WrongUse(format!(
                        "{shown} is not empty and not a phantom; choose a new folder (nothing was written)"
                    ))
                    .into());
                }
                Vec::new()
            }
            Err(error) => return Err(error).with_context(|| format!("read {}", printable_path(&manifest_path))),
        };
        fs::create_dir_all(self.out).with_context(|| format!("create {shown}"))?;
        if self.dicom {
            self.write_labels()?;
        }
        // From here on the folder is marked as a phantom with these settings, even if the command fails.
        self.write_manifest(&PhantomManifest::new(self.settings, self.subjects, recorded.clone()))?;
        Ok(recorded.into_iter().map(|record| (record.subject, record)).collect())
    }

    fn is_in_use(&self) -> anyhow::Result<bool> {
        match fs::read_dir(self.out) {
            Ok(mut entries) => Ok(entries.next().is_some()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("open the folder {}", printable_path(self.out))),
        }
    }

    /// True if all files of a subject exist.
    fn holds(&self, generator: &PhantomGenerator, number: u32) -> bool {
        let subject = generator.subject(number);
        let paths = |view| if self.dicom { vec![dicom_path(&subject, view)] } else { paths_of_view(&subject, view) };
        View::ALL
            .into_iter()
            .flat_map(paths)
            .all(|path| fs::metadata(self.out.join(path)).is_ok_and(|metadata| metadata.len() > 0))
    }

    /// Makes and writes one subject; fails with [`Interrupted`] on Ctrl-C.
    fn make(
        &self,
        generator: &PhantomGenerator,
        number: u32,
        interruption: &Interruption,
    ) -> anyhow::Result<SubjectRecord> {
        let subject = generator.subject(number);
        let mut views = Vec::with_capacity(View::ALL.len());
        for view in View::ALL {
            if interruption.requested() {
                return Err(Interrupted.into());
            }
            let pictures = generator.view(&subject, view);
            let files = if self.dicom {
                vec![dicom_file(&subject, view, self.settings.seed, &pictures.image)]
            } else {
                files_of_view(&subject, view, &pictures).context("encode an image as PNG")?
            };
            for file in files {
                let path = self.out.join(file.path);
                // Created only when needed: readers of the data warn about empty class folders.
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder).with_context(|| format!("create {}", printable_path(folder)))?;
                }
                write_atomically(&path, &file.bytes).with_context(|| format!("write {}", printable_path(&path)))?;
            }
            views.push(ViewRecord::new(view, pictures.percent_density()));
        }
        Ok(SubjectRecord::new(&subject, views))
    }

    /// Writes the class of every subject, for `mammoscope preprocess --labels`.
    fn write_labels(&self) -> anyhow::Result<()> {
        let generator = PhantomGenerator::new(self.settings).map_err(|error| WrongUse(format!("--size: {error}")))?;
        let lines = (1..=self.subjects).map(|number| generator.subject(number));
        let lines = lines.map(|subject| format!("{},{}\n", patient_id(&subject), subject.label.letter()));
        let text: String = std::iter::once("subject,class\n".to_owned()).chain(lines).collect();
        let path = self.out.join(LABELS);
        write_atomically(&path, text.as_bytes()).with_context(|| format!("write {}", printable_path(&path)))
    }

    fn write_manifest(&self, manifest: &PhantomManifest) -> anyhow::Result<()> {
        let path = self.out.join(PhantomManifest::FILE_NAME);
        let mut text = serde_json::to_string_pretty(manifest).context("a manifest is plain data")?;
        text.push('\n');
        write_atomically(&path, text.as_bytes()).with_context(|| format!("write {}", printable_path(&path)))
    }
}

fn progress_bar(subjects: usize, console: &Console) -> ProgressBar {
    if !console.shows_progress() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("phantom {bar:30} {pos}/{len} subjects, {per_sec}, {eta} left");
    ProgressBar::new(subjects as u64).with_style(style.expect("a fixed template"))
}

fn summary(manifest: &PhantomManifest, out: &Path) -> String {
    let of_class = |class| manifest.subjects.iter().filter(|record| record.label == class).count();
    let [a, b, c, d] = DensityClass::ALL.map(of_class);
    format!(
        "{} subjects ({a} A, {b} B, {c} C, {d} D), {} images of {} px in {}; {NOTICE}\n",
        manifest.subjects.len(),
        manifest.subjects.len() * View::ALL.len(),
        manifest.settings.size,
        printable_path(out),
    )
}
