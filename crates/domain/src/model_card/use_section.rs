//! The section on how to use a model.

use super::escaping::shell_word;
use super::facts::{ModelCardFacts, WeightsForm};
use super::markdown_text;

pub(super) fn how_to_use(facts: &ModelCardFacts) -> String {
    let name = &facts.weights.file;
    let file = shell_word(name);
    match &facts.weights.form {
        WeightsForm::Mammoscope => format!(
            "```sh\n\
             mammoscope predict --model {file} --data IMAGES --out predictions\n\
             mammoscope explain --model {file} --data IMAGES --out maps\n\
             ```\n\n\
             For other programs, with the preprocessing included:\n\n\
             ```sh\n\
             mammoscope export {file} --format onnx --out model.onnx\n\
             mammoscope export {file} --format pytorch --out model-pytorch\n\
             ```\n"
        ),
        WeightsForm::Onnx => format!(
            "```python\n\
             import onnxruntime\n\n\
             session = onnxruntime.InferenceSession(\"{}\")\n\
             probabilities, logits = session.run([\"probabilities\", \"logits\"], {{\"image\": batch}})\n\
             ```\n\n\
             `batch` is float32, N × 3 × {size} × {size}. How it is made from an image is in the file's metadata \
             (`session.get_modelmeta().custom_metadata_map`); `mammoscope export --format pytorch` writes it as a program.\n",
            file.trim_matches('\''),
            size = facts.size,
        ),
        WeightsForm::Pytorch { script } => format!(
            "```sh\n\
             python {} image.png\n\
             ```\n\n\
             The program defines the network, loads {} and preprocesses a PNG file; it needs torch, safetensors, numpy and \
             Pillow. `mammoscope import` takes the folder back.\n",
            shell_word(script),
            markdown_text(name),
        ),
    }
}
