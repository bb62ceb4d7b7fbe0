//! `run.toml` on disk.

use std::io;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::file_seal::sealed_toml;
use crate::atomic_file::write_atomically;
use crate::regular_file::read_regular_file;
use mammoscope_domain::run::run_spec::{RUN_SCHEMA, RunSpec};
use mammoscope_domain::training::config_error::ConfigError;
use mammoscope_domain::training::config_toml::{TomlError, read_config};

/// The largest `run.toml` that is read.
const LIMIT: u64 = 1 << 20;

/// A `run.toml` that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RunSpecError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not a valid specification.
    #[error(transparent)]
    Text(#[from] TomlError),
    /// The configuration to write is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The specification cannot be expressed in TOML: a path is not UTF-8.
    #[error("cannot be written as TOML: {0}")]
    Unwritable(#[from] toml::ser::Error),
}

/// Reads a `run.toml`, and checks its configuration.
pub fn read_run_spec(path: &Path) -> Result<RunSpec, RunSpecError> {
    let bytes = read_regular_file(path, LIMIT)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| TomlError::of_the_whole("not UTF-8 text"))?;
    Ok(parse(text)?)
}

/// Writes a `run.toml` atomically; a configuration that [`read_run_spec`] would refuse is not written.
pub fn write_run_spec(path: &Path, spec: &RunSpec) -> Result<(), RunSpecError> {
    spec.config.check()?;
    let text = toml::to_string(spec)?;
    let text = sealed_toml(&format!(
        "# The specification of this run; `mammoscope resume` changes it. Keys: mammoscope preset show seed\n{text}"
    ));
    write_atomically(path, text.as_bytes())?;
    Ok(())
}

fn parse(text: &str) -> Result<RunSpec, TomlError> {
    let parser = |error: toml::de::Error| TomlError::of_parser(text, &error);
    let table = DeTable::parse(text).map_err(parser)?.into_inner();
    // Checked first: another version may have other keys.
    if let Some(schema) = table.get("schema")
        && let DeValue::Integer(number) = schema.get_ref()
        && number.as_str() != RUN_SCHEMA.to_string()
    {
        let reason = format!("schema {number} is not supported, only {RUN_SCHEMA}; use the program that wrote it");
        return Err(TomlError::at(text, schema.span(), reason));
    }
    if let Some(config) = table.get("config")
        && let DeValue::Table(keys) = config.get_ref()
    {
        // Checked before the rest: the table of keys gives better errors than serde.
        read_config(text, keys)?;
    }
    toml::from_str(text).map_err(parser)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use chrono::{DateTime, TimeZone as _, Utc};
    use proptest::prelude::*;

    use super::*;
    use mammoscope_domain::subject::view::View;
    use mammoscope_domain::training::compute_options::DeviceChoice;
    use mammoscope_domain::training::config_keys::KEYS;
    use mammoscope_domain::training::config_value::ValueRange;
    use mammoscope_domain::training::preset::Preset;
    use mammoscope_domain::training::training_config::TrainingConfig;

    fn spec() -> RunSpec {
        RunSpec {
            grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
            schema: RUN_SCHEMA,
            on_event: None,
            placement: None,
            study: None,
            created: Utc.with_ymd_and_hms(2026, 11, 23, 10, 15, 2).unwrap(),
            group: "2026-11-23T10-15-02_seed".to_owned(),
            view: View::CcR,
            preset: "seed".to_owned(),
            data: PathBuf::from("/data/mammograms"),
            device: DeviceChoice::Auto,
            config: Preset::named("seed").unwrap().config,
        }
    }

    fn written(spec: &RunSpec) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        write_run_spec(&path, spec).unwrap();
        assert_eq!(&read_run_spec(&path).unwrap(), spec);
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn the_file_is_readable() {
        let text = written(&spec());
        assert!(text.contains("\nview = \"CC_R\"\npreset = \"seed\"\ndata = \"/data/mammograms\"\n"), "{text}");
        assert!(text.contains("\n[config]\nepochs = 100\nsize = 650\nwidth = 1.0\n"), "{text}");
        assert!(text.contains("\ncreated = \"2026-11-23T10:15:02Z\"\n"), "{text}");
    }

    #[test]
    fn errors_are_one_line_with_the_location() {
        let text = written(&spec());
        let error_with = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            parse(&text.replace(from, to)).expect_err(to).to_string()
        };
        assert_eq!(
            error_with("schema = 1", "schema = 2"),
            "line 3: schema 2 is not supported, only 1; use the program that wrote it"
        );
        assert!(error_with("schema = 1\n", "").contains("missing field `schema`"));
        assert!(error_with("preset = ", "presets = ").starts_with("line 7: unknown field `presets`"));
        assert!(error_with("view = \"CC_R\"", "view = \"CC\"").starts_with("line 6: "));
        assert!(error_with("device = \"auto\"", "device = \"gpu\"").contains("'gpu' is not a device"));
        assert_eq!(
            error_with("batch_size = 4", "batch_size = 0"),
            "line 16: batch_size = 0 is out of range: 1 ≤ batch_size ≤ 4096"
        );
        assert!(error_with("zoom = ", "zooom = ").contains("there is no key 'zooom'; the nearest is zoom"));
        assert_eq!(error_with("shift = 0.2\n", ""), "shift is missing");
        assert!(error_with("[config]", "[configuration]").contains("unknown field `configuration`"));
        for change in [("schema = 1", "schema = \"1\""), ("epochs = 100", "epochs = "), ("[config]", "config = 3\n[x]")]
        {
            assert!(!error_with(change.0, change.1).contains('\n'));
        }
    }

    #[test]
    fn an_invalid_configuration_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        let mut wrong = spec();
        wrong.config.learning_rate = f64::NAN;
        assert!(matches!(write_run_spec(&path, &wrong), Err(RunSpecError::Config(_))));
        assert!(!path.exists());
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_run_spec(&path).unwrap_err().to_string(), "not UTF-8 text");
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_utf8_is_refused() {
        use std::os::unix::ffi::OsStringExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        let data = PathBuf::from(std::ffi::OsString::from_vec(b"/data/\xff".to_vec()));
        assert!(matches!(write_run_spec(&path, &RunSpec { data, ..spec() }), Err(RunSpecError::Unwritable(_))));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    /// A value in the range of each key, derived from a number between 0 and 1.
    fn any_config() -> impl Strategy<Value = TrainingConfig> {
        prop::collection::vec(0.0..1.0f64, KEYS.len()).prop_filter_map("a sensible combination", |shares| {
            let mut config = Preset::named("seed").unwrap().config;
            for (key, share) in KEYS.iter().zip(shares) {
                let value = match key.range {
                    ValueRange::Integer { min, max } => (min + ((max - min) as f64 * share) as i64).to_string(),
                    // Shares are within the range of all but the narrowest keys, which keep their values.
                    ValueRange::Number(..) => share.to_string(),
                    ValueRange::Switch => (share < 0.5).to_string(),
                    ValueRange::Choice(names) => names[(share * names.len() as f64) as usize].to_owned(),
                };
                let _ = config.set(key.name, &value);
            }
            config.check().is_ok().then_some(config)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn specifications_are_read_back(
            config in any_config(),
            (group, preset, data) in any::<(String, String, String)>(),
            nanoseconds in 0i64..4_000_000_000_000_000_000,
            view in prop::sample::select(&View::ALL[..]),
            gpu in 0usize..9,
        ) {
            let created: DateTime<Utc> = DateTime::from_timestamp_nanos(nanoseconds);
            let device = DeviceChoice::Cuda(gpu);
            written(&RunSpec { created, group, preset, data: data.into(), view, device, config, ..spec() });
        }
    }
}
