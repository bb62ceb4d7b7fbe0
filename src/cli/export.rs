//! `mammoscope export`: writes a model in the form of another program.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use super::console::{Console, Outcome};
use super::model_choice::open_models;
use super::output_folder::check_output_folder;
use mammoscope_domain::model_card::{WeightsFacts, WeightsForm, model_card};
use mammoscope_domain::text::printable::{printable_os, printable_path};
use mammoscope_storage::atomic_file::write_atomically;
use mammoscope_storage::cards::run_card::facts_of_model;
use mammoscope_storage::exports::ExportedModel;
use mammoscope_storage::exports::onnx::{OPSET, onnx_bytes};
use mammoscope_storage::exports::pytorch::{SCRIPT_FILE, TENSORS_FILE, pytorch_files};
use mammoscope_storage::models::model_file::{Model, sha256_hex};
use mammoscope_storage::models::model_set::ModelSet;
use mammoscope_storage::shards::staged_folder::StagedFolder;

/// Write a model in a form that other programs run
///
/// ONNX is one file: the network with a batch of any length, float images in N, C, H, W as input, `probabilities` and
/// `logits` as output, and the exact preprocessing in its metadata. PyTorch is a folder: the weights, and a short program
/// that defines the network, preprocesses a PNG file exactly as here, and predicts it; `mammoscope import` takes it back.
/// A model card is written with both: NAME.onnx.md, or README.md in the folder. Needs no engine.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope export models/CC_R.safetensors --format onnx
  mammoscope export RUN --format onnx --out cc_r.onnx
                                  the run's best checkpoint
  mammoscope export models/CC_R.safetensors --format pytorch --out cc_r
  python cc_r/model.py image.png")]
pub(super) struct ExportArguments {
    /// A model file, or a run, whose best checkpoint is exported
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// The form to write
    #[arg(long, value_name = "FORMAT")]
    format: Format,
    /// The file or, for PyTorch, the folder to write; existing files are not replaced [default: the model's name, here,
    /// with .onnx or -pytorch]
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

/// The card in a folder, by the name that Hugging Face expects.
const CARD_FILE: &str = "README.md";

/// The form of an exported model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One file for ONNX runtimes
    Onnx,
    /// A folder with model.safetensors and model.py
    Pytorch,
}

pub(super) fn run(arguments: &ExportArguments, workspace: Option<&Path>, console: &Console) -> anyhow::Result<Outcome> {
    let source = only_model(&open_models(&arguments.model, workspace, console)?, &arguments.model)?;
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => default_name(&arguments.model, arguments.format)?,
    };
    let (model, sha256) = Model::read_with_sha256(&source).with_context(|| printable_path(&source))?;
    let exported = ExportedModel { model: &model, sha256: &sha256 };
    let mut card = facts_of_model(&source).with_context(|| printable_path(&source))?;
    card.weights.exported_from = Some(sha256.clone());
    match arguments.format {
        Format::Onnx => {
            let card_file = card_beside(&out);
            check_new_file(&out)?;
            check_new_file(&card_file)?;
            let bytes = onnx_bytes(&exported).with_context(|| printable_path(&source))?;
            describe_weights(&mut card.weights, WeightsForm::Onnx, out.file_name().unwrap_or_default(), &bytes);
            write_file(&out, &bytes).with_context(|| format!("write {}", printable_path(&out)))?;
            let text = model_card(&card);
            write_file(&card_file, text.as_bytes()).with_context(|| format!("write {}", printable_path(&card_file)))?;
            console.note(format!(
                "{}: ONNX, opset {OPSET}, input N×3×{size}×{size}, output probabilities and logits of A B C D",
                printable_path(&out),
                size = model.metadata.size,
            ));
        }
        Format::Pytorch => {
            let (tensors, script) = (out.join(TENSORS_FILE), out.join(SCRIPT_FILE));
            for file in [&tensors, &script, &out.join(CARD_FILE)] {
                check_new_file(file)?;
            }
            let files = pytorch_files(&exported).with_context(|| printable_path(&source))?;
            let form = WeightsForm::Pytorch { script: SCRIPT_FILE.to_owned() };
            describe_weights(&mut card.weights, form, TENSORS_FILE.as_ref(), &files.tensors);
            let write = || -> std::io::Result<()> {
                let folder = StagedFolder::create(&out)?;
                folder.write(TENSORS_FILE, &files.tensors)?;
                folder.write(SCRIPT_FILE, files.script.as_bytes())?;
                folder.write(CARD_FILE, model_card(&card).as_bytes())?;
                folder.commit(&[TENSORS_FILE])
            };
            write().with_context(|| format!("write {}", printable_path(&out)))?;
            console.note(format!(
                "{}: {TENSORS_FILE} and {SCRIPT_FILE}; `python {} IMAGE.png` predicts an image",
                printable_path(&out),
                printable_path(&script),
            ));
        }
    }
    Ok(Outcome::Done)
}

/// The card of an exported file: its name with `.md` appended, since the model that it was exported from may be beside it.
fn card_beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".md");
    name.into()
}

fn describe_weights(weights: &mut WeightsFacts, form: WeightsForm, file: &OsStr, bytes: &[u8]) {
    weights.form = form;
    weights.file = printable_os(file);
    weights.bytes = bytes.len() as u64;
    weights.sha256 = sha256_hex(bytes);
}

/// The file of the only model in a set. A folder or a group may have one for each view.
fn only_model(models: &ModelSet, requested: &Path) -> anyhow::Result<PathBuf> {
    match models.entries() {
        [only] => Ok(only.path.clone()),
        several => {
            let files: Vec<String> = several.iter().map(|entry| printable_path(&entry.path)).collect();
            bail!(
                "{} has {} models, and one is exported at a time; name one of {}",
                printable_path(requested),
                files.len(),
                files.join(", ")
            )
        }
    }
}

/// The name of the requested model with the format's ending, in the current folder.
fn default_name(requested: &Path, format: Format) -> anyhow::Result<PathBuf> {
    let is_file = requested.is_file();
    let name = if is_file { requested.file_stem() } else { requested.file_name() };
    let Some(name) = name else { bail!("{} gives no name for the file; say --out", printable_path(requested)) };
    let mut name = name.to_owned();
    name.push(match format {
        Format::Onnx => ".onnx",
        Format::Pytorch => "-pytorch",
    });
    Ok(name.into())
}

/// Refuses a file that exists, or whose folder cannot be written to, before anything is computed.
fn check_new_file(file: &Path) -> anyhow::Result<()> {
    if file.symlink_metadata().is_ok() {
        bail!("{} exists already; choose another name with --out", printable_path(file));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    check_output_folder(folder)
}

fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    Ok(write_atomically(path, bytes)?)
}
