//! A run as a JSON document: the keys of its `status.json`, and facts that only a reader can add.

use serde_json::{Map, Value, json};

use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_labels::RunLabels;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::RunStatus;
use mammoscope_runs::snapshot::RunSnapshot;
use mammoscope_storage::runs::labels_file::read_labels;
use mammoscope_storage::runs::run_dir::RunDir;

/// The schema version of run documents.
pub(super) const RUNS_SCHEMA: u32 = 1;

/// The summary of a run, from two small files: all keys of `status.json`, with `state` set to `stale` where the
/// evidence says so, and the name, path, condition in words, preset and creation time.
pub(super) fn summary_document(
    run: &RunDir,
    spec: Option<&RunSpec>,
    status: Option<&RunStatus>,
    condition: Option<&RunCondition>,
    problems: &[String],
) -> anyhow::Result<Map<String, Value>> {
    let mut document = Map::new();
    document.insert("name".to_owned(), json!(run.name()));
    document.insert("path".to_owned(), json!(run.path().to_string_lossy()));
    if let Some(Value::Object(status)) = status.map(serde_json::to_value).transpose()? {
        document.extend(status);
    }
    document.insert("schema".to_owned(), json!(RUNS_SCHEMA));
    document.insert("state".to_owned(), json!(condition.map_or("damaged", RunCondition::name)));
    document.insert("recorded_state".to_owned(), json!(status.map(|status| status.state)));
    document.insert("condition".to_owned(), json!(condition.map(ToString::to_string)));
    if let Some(spec) = spec {
        document.insert("created".to_owned(), json!(spec.created));
        document.insert("preset".to_owned(), json!(spec.preset));
        document.insert("group".to_owned(), json!(spec.group));
        document.insert("view".to_owned(), json!(spec.view));
        if let Some(member) = &spec.study {
            document.insert("study".to_owned(), json!(member));
        }
    }
    let labels = read_labels(run).unwrap_or_default();
    if !labels.is_empty() {
        let RunLabels { name, tags, note } = labels;
        document.insert("labels".to_owned(), json!({ "name": name, "tags": tags, "note": note }));
    }
    document.insert("problems".to_owned(), json!(problems));
    Ok(document)
}

/// The full document of a run, from all its files: the summary, and the state accumulated from its events.
pub(super) fn whole_document(
    snapshot: &RunSnapshot,
    condition: Option<&RunCondition>,
) -> anyhow::Result<Map<String, Value>> {
    let (spec, status) = (snapshot.spec().ok(), snapshot.status().ok());
    let mut document = summary_document(snapshot.run(), spec, status, condition, &snapshot.problems())?;
    let summary = snapshot.summary();
    let Value::Object(details) = json!({
        "config": spec.map(|spec| &spec.config),
        "trainer": summary.trainer,
        "setting": summary.setup,
        "history": *summary.records,
        "learning_rate": summary.learning_rate,
        "reductions": summary.reductions,
        "checkpoints": summary.checkpoints,
        "evaluations": summary.evaluations,
        "acknowledged": summary.acknowledged,
        "warnings": summary.warnings,
        "skipped": summary.skipped,
        "last_error": summary.last_error,
    }) else {
        unreachable!("braces make an object");
    };
    document.extend(details);
    if !summary.changes.is_empty() {
        document.insert("changes".to_owned(), json!(summary.changes));
    }
    if !summary.moves.is_empty() {
        document.insert("moves".to_owned(), json!(summary.moves));
    }
    Ok(document)
}
