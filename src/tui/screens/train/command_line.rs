//! The form as a command for a shell.

use super::TrainScreen;
use super::form::TrainForm;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::train::SplitChoice;
use crate::tui::shared_state::SharedState;
use mammoscope_cluster::shell_text::shell_word;

impl TrainScreen {
    /// Copies the command that starts what the form describes.
    pub(super) fn copy_command(&self, shared: &SharedState) -> Vec<Effect> {
        if let Some(problem) = self.form.problem() {
            return vec![Effect::warning(format!("the command line cannot be copied yet: {problem}"))];
        }
        let Some(mut words) = words(&self.form) else {
            let advice = "the splits of an earlier run have no command line; `--splits FILE` takes a table";
            return vec![Effect::warning(advice)];
        };
        match shared.workspace.to_str() {
            Some(workspace) => words.extend(["--workspace".to_owned(), shell_word(workspace)]),
            None => {
                return vec![Effect::warning("the command line cannot be copied: the workspace's path is not UTF-8")];
            }
        }
        vec![Effect::Copy(words.join(" "))]
    }
}

/// The words of the command, quoted; `None` if the form's splits cannot be stated there.
fn words(form: &TrainForm) -> Option<Vec<String>> {
    let mut words = vec!["mammoscope".to_owned(), "train".to_owned()];
    let mut option = |name: &str, value: &str| words.extend([format!("--{name}"), value.to_owned()]);
    option("data", &path_word(&form.data));
    option("view", &shell_word(&form.selection().to_string()));
    option("preset", &shell_word(&form.preset.name));
    let changes: Vec<String> = form.changes().iter().map(|(key, value)| format!("{key}={value}")).collect();
    if !changes.is_empty() {
        option("set", &shell_word(&changes.join(",")));
    }
    for (name, value, usual) in
        [("device", &form.device, "auto"), ("name", &form.name, ""), ("jobs", &form.study.jobs, "auto")]
    {
        if value != usual {
            option(name, &shell_word(value));
        }
    }
    match form.bits.trim().strip_prefix("white") {
        Some(white) => option("white", &shell_word(white.trim())),
        None if form.bits == "auto" => {}
        None => option("bits", &shell_word(form.bits.trim())),
    }
    for (name, value) in [("folds", &form.study.folds), ("seeds", &form.study.seeds)] {
        if !value.is_empty() {
            option(name, &shell_word(value));
        }
    }
    for key in form.study.sweep.split_whitespace() {
        option("sweep", &shell_word(key));
    }
    match form.splits {
        SplitChoice::OwnOrDrawn => {}
        SplitChoice::AllAsTrain => words.push("--all-as-train".to_owned()),
        SplitChoice::OfRun(_) => return None,
    }
    Some(words)
}

/// A path for the shell, which replaces `~/` only outside quotes.
fn path_word(path: &str) -> String {
    match path.strip_prefix("~/") {
        Some(below) if !below.is_empty() => format!("~/{}", shell_word(below)),
        _ if path == "~" || path == "~/" => path.to_owned(),
        _ => shell_word(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::screens::train::fields::Field;
    use mammoscope_domain::training::config_keys::KEYS;

    fn command(form: &TrainForm) -> String {
        words(form).unwrap().join(" ")
    }

    #[test]
    fn a_plain_form_is_a_short_command() {
        let form = TrainForm { data: "/data/set".to_owned(), ..TrainForm::default() };
        assert_eq!(command(&form), "mammoscope train --data /data/set --view all --preset seed");
    }

    #[test]
    fn every_field_is_stated_and_quoted() {
        let mut form = TrainForm {
            data: "~/my data".to_owned(),
            views: [true, false, true, false],
            splits: SplitChoice::AllAsTrain,
            bits: "white 4095".to_owned(),
            name: "it's".to_owned(),
            device: "cpu".to_owned(),
            ..TrainForm::default()
        };
        let key = |name: &str| Field::Key(KEYS.iter().position(|key| key.name == name).unwrap());
        form.put(key("epochs"), "7").unwrap();
        form.put(key("size"), "64").unwrap();
        for (field, text) in [
            (Field::Folds, "3"),
            (Field::Seeds, "2"),
            (Field::Sweep, "batch_size=4,8  dropout=0,0.1"),
            (Field::Jobs, "1"),
        ] {
            form.put(field, text).unwrap();
        }
        assert_eq!(
            command(&form),
            "mammoscope train --data ~/'my data' --view CC_R,MLO_R --preset seed --set epochs=7,size=64 --device cpu \
             --name 'it'\\''s' --jobs 1 --white 4095 --folds 3 --seeds 2 --sweep batch_size=4,8 --sweep dropout=0,0.1 \
             --all-as-train"
        );
        form.bits = "12".to_owned();
        assert!(command(&form).contains("--bits 12"));
    }
}
