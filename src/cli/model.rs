//! `mammoscope model`: the network layer by layer, and the metadata of model files.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::console::{Console, Outcome, print_result};
use super::model_card::{self, CardArguments};
use super::model_description::{self, DescribeArguments};
use mammoscope_domain::image::training_images::{PROVENANCE_KEY, TrainingImages};
use mammoscope_domain::network::network_layers::LayerRow;
use mammoscope_domain::network::network_plan::{NetworkPlan, REFERENCE_SIZE, WidthFactor};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::models::model_file::{ARCHITECTURE, ModelFacts, ModelMetadata, check_size};

/// Inspect the network or a model file
#[derive(Debug, Args)]
pub(super) struct ModelArguments {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    Summary(SummaryArguments),
    Info(InfoArguments),
    Describe(DescribeArguments),
    Card(CardArguments),
}

/// Print the layers, shapes and parameters of the network
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope model summary
  mammoscope model summary --width 0.25 --size 128 --json")]
struct SummaryArguments {
    /// Factor on all channel counts; 1 is the reference
    #[arg(long, value_name = "W", default_value = "1", value_parser = width)]
    width: WidthFactor,
    /// Input height and width
    #[arg(long, value_name = "PX", default_value_t = REFERENCE_SIZE, value_parser = size)]
    size: usize,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Check a model file and print its metadata; needs no engine
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope model info cc_r.safetensors
  mammoscope model info cc_r.safetensors --json")]
struct InfoArguments {
    /// The model file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &ModelArguments, workspace: Option<&Path>, console: &Console) -> anyhow::Result<Outcome> {
    print_result(&match &arguments.question {
        Question::Summary(arguments) => summary(arguments)?,
        Question::Info(arguments) => info(arguments)?,
        Question::Describe(arguments) => return model_description::run(arguments, console),
        Question::Card(arguments) => return model_card::run(arguments, workspace, console),
    })?;
    Ok(Outcome::Done)
}

fn width(text: &str) -> Result<WidthFactor, String> {
    text.parse()
        .map_err(|_| format!("'{text}' is not a number"))
        .and_then(|factor| WidthFactor::new(factor).map_err(|error| error.to_string()))
}

fn size(text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| format!("'{text}' is not a number of pixels"))
        .and_then(|size| check_size(size).map_err(|error| error.to_string()))
}

fn summary(arguments: &SummaryArguments) -> anyhow::Result<String> {
    let plan = NetworkPlan::new(arguments.width);
    let layers = plan.layers(arguments.size);
    let (parameters, trainable) = (plan.parameter_count(), plan.trainable_count());
    if arguments.json {
        let document = serde_json::json!({
            "schema": 1, "architecture": ARCHITECTURE, "width": arguments.width, "size": arguments.size,
            "parameters": parameters, "trainable": trainable, "layers": layers,
        });
        return Ok(serde_json::to_string_pretty(&document)? + "\n");
    }
    let mut text = format!("{:<28} {:<16} {:>16} {:>12}\n", "layer", "kind", "output", "parameters");
    for LayerRow { name, kind, output, parameters } in &layers {
        let output = output.iter().map(ToString::to_string).collect::<Vec<_>>().join("×");
        let parameters = if *parameters == 0 { "–".to_owned() } else { grouped(*parameters) };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<28} {kind:<16} {output:>16} {parameters:>12}");
    }
    let _ = writeln!(
        text,
        "\n{} parameters, {} of them trainable; {} convolutions, width {}, input {size}×{size}×3",
        grouped(parameters),
        grouped(trainable),
        plan.convolutions().len(),
        arguments.width,
        size = arguments.size,
    );
    Ok(text)
}

/// A metadata value in readable form.
fn in_words(key: &str, metadata: &ModelMetadata, value: &str) -> String {
    match key {
        PROVENANCE_KEY => TrainingImages::of_provenance(&metadata.provenance)
            .map_or_else(|| printable(value), |training| training.in_words()),
        "grey_range" => metadata.grey_range().to_string(),
        _ => printable(value),
    }
}

fn info(arguments: &InfoArguments) -> anyhow::Result<String> {
    let facts = ModelFacts::read(&arguments.file).with_context(|| printable_path(&arguments.file))?;
    if arguments.json {
        let mut document = serde_json::to_value(&facts)?;
        document["schema"] = 1.into();
        document["architecture"] = ARCHITECTURE.into();
        document["classes"] = DensityClass::ALL.map(DensityClass::letter).to_vec().into();
        return Ok(serde_json::to_string_pretty(&document)? + "\n");
    }
    let metadata = &facts.metadata;
    let mut rows = vec![
        ("file", printable_path(&arguments.file)),
        ("architecture", format!("{ARCHITECTURE}, width {}", metadata.width)),
        ("parameters", grouped(facts.parameters)),
        ("input", format!("{size}×{size} pixels, route {}", metadata.input_route, size = metadata.size)),
        ("classes", "A B C D".to_owned()),
        ("view", metadata.view.map_or("any", View::name).to_owned()),
        ("size", format!("{} kB", facts.bytes.div_ceil(1000))),
        ("sha256", facts.sha256.clone()),
    ];
    rows.extend(metadata.provenance.iter().map(|(key, value)| (key.as_str(), in_words(key, metadata, value))));
    let mut text = String::new();
    for (key, value) in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:<16} {value}", printable(key));
    }
    Ok(text)
}
