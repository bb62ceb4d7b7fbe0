//! The search for fields by name, abbreviation or another word for the same thing.

use super::fields::Field;

/// Other names of fields, as papers and other programs use them.
const SYNONYMS: &[(&str, &[&str])] = &[
    ("data", &["dataset", "folder", "images", "path", "root"]),
    ("views", &["cc", "mlo"]),
    ("splits", &["validation", "test"]),
    ("bits", &["depth", "gray", "grey", "white"]),
    ("preset", &["base", "config"]),
    ("name", &["label", "tag", "title"]),
    ("device", &["cpu", "cuda", "gpu"]),
    ("folds", &["cross_validation", "cv", "kfold"]),
    ("seeds", &["repetitions", "repeats"]),
    ("sweep", &["grid", "search", "tuning"]),
    ("jobs", &["parallel", "side_by_side"]),
    ("epochs", &["ep", "length"]),
    ("size", &["image_size", "input", "pixels", "resolution"]),
    ("width", &["channels", "filters"]),
    ("seed", &["random"]),
    ("batch_size", &["bs", "batch", "minibatch"]),
    ("accumulate", &["grad_accum", "gradient_accumulation"]),
    ("optimizer", &["optimiser", "adam", "adamw", "nesterov", "rmsprop", "sgd"]),
    ("learning_rate", &["lr", "eta", "step_size"]),
    ("momentum", &["beta1", "mu"]),
    ("weight_decay", &["wd", "l2"]),
    ("schedule", &["lr_schedule", "annealing", "constant", "cosine"]),
    ("plateau_factor", &["lrd", "lr_decay", "lr_drop", "gamma"]),
    ("plateau_min", &["lr_min", "min_lr"]),
    ("precision", &["amp", "bf16", "f32", "fp16", "tf32"]),
    ("bn_momentum", &["batch_norm", "batchnorm"]),
    ("bn_warmup", &["batch_norm", "batchnorm"]),
    ("augment", &["augmentation"]),
    ("rotation", &["angle", "degrees"]),
    ("shift", &["translation"]),
    ("zoom", &["scale"]),
    ("class_weights", &["balanced", "imbalance"]),
    ("ema", &["averaging", "moving_average"]),
    ("grad_clip", &["gradient_clipping", "max_norm"]),
    ("keep_best", &["checkpoints", "top_k"]),
    ("keep_every", &["checkpoints", "filmstrip", "save_freq"]),
    ("monitor", &["kappa", "metric"]),
    ("early_stop", &["early_stopping", "es"]),
    ("nonfinite", &["inf", "nan"]),
    ("threads", &["cores", "workers"]),
];

/// How well a field matches a text, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    /// The text is the field's name or one of its synonyms.
    Whole,
    /// The name or a synonym begins with the text.
    Start,
    /// A word of the name begins with the text, or the text consists of the first letters of its words.
    Word,
    /// The name contains the text.
    Inside,
    /// The letters of the text appear in this order in the name, the first at the beginning of a word.
    Scattered,
}

/// The fields that match a text, the best match first; scattered letters count only if nothing matches better.
pub(super) fn matching(fields: impl Iterator<Item = Field>, text: &str) -> Vec<Field> {
    let text = text.trim().to_lowercase().replace([' ', '-'], "_");
    let mut found: Vec<(Match, Field)> =
        fields.filter_map(|field| Some((how_well(field.name(), &text)?, field))).collect();
    found.sort_by_key(|(how, _)| *how);
    let best = found.first().map(|(how, _)| *how);
    found.retain(|(how, _)| *how < Match::Scattered || best == Some(Match::Scattered));
    found.into_iter().map(|(_, field)| field).collect()
}

fn how_well(name: &str, text: &str) -> Option<Match> {
    let synonyms = SYNONYMS.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, synonyms)| synonyms);
    let mut names = std::iter::once(name).chain(synonyms.iter().copied());
    let words = || name.split('_');
    let initials: String = words().filter_map(|word| word.chars().next()).collect();
    if names.clone().any(|name| name == text) {
        Some(Match::Whole)
    } else if names.any(|name| name.starts_with(text)) {
        Some(Match::Start)
    } else if words().any(|word| word.starts_with(text)) || initials == text {
        Some(Match::Word)
    } else if name.contains(text) {
        Some(Match::Inside)
    } else {
        let starts = name.char_indices().filter(|(at, _)| *at == 0 || name[..*at].ends_with('_')).map(|(at, _)| at);
        starts.into_iter().any(|at| has_in_order(&name[at..], text)).then_some(Match::Scattered)
    }
}

/// True if a name begins with the first letter of a text and contains the others after it in the same order.
fn has_in_order(name: &str, text: &str) -> bool {
    let mut letters = name.chars();
    let is_first = text.chars().next().is_some_and(|first| name.starts_with(first));
    is_first && text.chars().all(|wanted| letters.any(|letter| letter == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::training::config_keys::KEYS;

    fn found(text: &str) -> Vec<&'static str> {
        let fields = [Field::Data, Field::Views, Field::Device, Field::Bits];
        matching(fields.into_iter().chain((0..KEYS.len()).map(Field::Key)), text).into_iter().map(Field::name).collect()
    }

    #[test]
    fn abbreviations_and_synonyms_find_their_field_first() {
        for (text, name) in [
            ("lr", "learning_rate"),
            ("learning rate", "learning_rate"),
            ("rate", "learning_rate"),
            ("bs", "batch_size"),
            ("wd", "weight_decay"),
            ("ls", "label_smoothing"),
            ("cw", "class_weights"),
            ("bn", "bn_momentum"),
            ("lrd", "plateau_factor"),
            ("optimiser", "optimizer"),
            ("GPU", "device"),
            ("batch-norm", "bn_momentum"),
            ("aug", "augment"),
            ("clip", "grad_clip"),
            ("lrt", "learning_rate"),
        ] {
            assert_eq!(found(text).first(), Some(&name), "{text}: {:?}", found(text));
        }
        assert_eq!(found("bn"), ["bn_momentum", "bn_warmup"]);
        assert_eq!(found("plateau").len(), 3);
        assert!(found("no such key").is_empty());
    }

    #[test]
    fn scattered_letters_do_not_dilute_better_matches() {
        assert!(!found("lr").contains(&"label_smoothing"), "{:?}", found("lr"));
    }

    #[test]
    fn every_synonym_belongs_to_a_field() {
        for (name, synonyms) in SYNONYMS {
            let basics =
                ["data", "views", "splits", "bits", "preset", "name", "device", "folds", "seeds", "sweep", "jobs"];
            let is_basic = basics.contains(name);
            assert!(is_basic || KEYS.iter().any(|key| key.name == *name), "{name}");
            assert!(synonyms.iter().all(|synonym| found_exactly(synonym)), "{name}");
        }
    }

    /// True if a synonym is written as a search text is after its normalisation.
    fn found_exactly(synonym: &str) -> bool {
        synonym == synonym.trim().to_lowercase().replace([' ', '-'], "_")
    }
}
