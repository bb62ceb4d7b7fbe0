//! Sweeps: the configurations of a study, as a grid or drawn at random.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::random_stream::{RandomStream, StreamKey};
use crate::training::config_error::ConfigError;
use crate::training::config_keys::ConfigKey;
use crate::training::config_value::{ConfigValue, ValueRange};
use crate::training::training_config::TrainingConfig;

/// The largest number of points: more runs than a cluster finishes in a year.
const MAX_POINTS: usize = 10_000;
/// Significant digits of numbers that are drawn, so that they can be read and typed.
const DIGITS: i32 = 3;

/// A key with its values in a sweep, written `learning_rate=0.003,0.01,0.03` or `learning_rate=0.001..0.1`.
#[derive(Clone, Debug)]
pub struct SweptKey {
    key: &'static ConfigKey,
    values: SweptValues,
}

#[derive(Clone, Debug, PartialEq)]
enum SweptValues {
    Listed(Vec<ConfigValue>),
    Between { low: f64, high: f64 },
}

/// The configurations of a study, apart from the seeds.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    keys: Vec<SweptKey>,
    random: Option<usize>,
}

/// One configuration of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepPoint {
    /// The values of the swept keys, as `--set` takes them.
    pub values: BTreeMap<String, String>,
    pub config: TrainingConfig,
}

/// A sweep that cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SweepError {
    #[error("'{0}' is not a swept key; write it as key=a,b,c or, with --random, as key=low..high")]
    Form(String),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{key} cannot be swept: {reason}")]
    NotSwept { key: &'static str, reason: &'static str },
    #[error("{key} has the value {value} twice")]
    Twice { key: &'static str, value: String },
    #[error("{0} is swept twice; list all its values at once")]
    KeyTwice(&'static str),
    #[error("{key}={low}..{high} is not a range: {reason}")]
    Range { key: &'static str, low: String, high: String, reason: &'static str },
    #[error("{0} has a range, which needs --random N; a grid needs values: {0}=a,b,c")]
    RangeInGrid(&'static str),
    #[error("--random needs at least one --sweep to draw from")]
    NothingToDraw,
    #[error("the sweep has {points} points, and {MAX_POINTS} at most are accepted; draw some of them with --random")]
    TooMany { points: usize },
    #[error("{values}: {error}")]
    Inconsistent { values: String, error: ConfigError },
    #[error(
        "--random {asked}: the listed values give only {found} different points; leave --random out for all of them"
    )]
    TooFew { asked: usize, found: usize },
}

/// The purpose of the random numbers.
#[derive(Clone, Copy)]
struct SweepStream {
    key: u32,
}

impl StreamKey for SweepStream {
    fn purpose(&self) -> [u8; 20] {
        *b"mammoscope sweep\0\0\0\0"
    }

    fn item(&self) -> u32 {
        self.key
    }

    fn stream(&self) -> u64 {
        0
    }
}

impl FromStr for SweptKey {
    type Err = SweepError;

    fn from_str(text: &str) -> Result<Self, SweepError> {
        let (name, values) = text.split_once('=').ok_or_else(|| SweepError::Form(text.to_owned()))?;
        let key = ConfigKey::named(name.trim())?;
        let reason = match key.name {
            "seed" => Some("use --seeds N for repetitions with other seeds"),
            "monitor" => Some("points are ranked by it"),
            "threads" | "checkpoint_minutes" | "keep_best" | "keep_every" | "on_full" => {
                Some("it does not change what is learnt")
            }
            _ => None,
        };
        if let Some(reason) = reason {
            return Err(SweepError::NotSwept { key: key.name, reason });
        }
        let values = match values.split_once("..") {
            Some((low, high)) => range(key, low.trim(), high.trim())?,
            None => SweptValues::Listed(listed(key, values)?),
        };
        Ok(Self { key, values })
    }
}

fn listed(key: &'static ConfigKey, values: &str) -> Result<Vec<ConfigValue>, SweepError> {
    let mut parsed: Vec<ConfigValue> = Vec::new();
    for text in values.split(',').map(str::trim) {
        let value = key.parse(text)?;
        if parsed.contains(&value) {
            return Err(SweepError::Twice { key: key.name, value: value.to_string() });
        }
        parsed.push(value);
    }
    Ok(parsed)
}

fn range(key: &'static ConfigKey, low: &str, high: &str) -> Result<SweptValues, SweepError> {
    let refuse = |reason| SweepError::Range { key: key.name, low: low.to_owned(), high: high.to_owned(), reason };
    let number = |text: &str| match key.parse(text)? {
        ConfigValue::Integer(number) => Ok(number as f64),
        ConfigValue::Number(number) => Ok(number),
        ConfigValue::Switch(_) | ConfigValue::Choice(_) => Err(refuse("the key has no numbers")),
    };
    let (from, to) = (number(low)?, number(high)?);
    if from >= to {
        return Err(refuse("its end must be larger than its beginning"));
    }
    if key.is_logarithmic() && from <= 0.0 {
        return Err(refuse("the key is drawn on a logarithmic scale, so it must begin above 0"));
    }
    Ok(SweptValues::Between { low: from, high: to })
}

impl Sweep {
    /// A grid of all combinations, or `random` points drawn from the keys.
    pub fn new(keys: Vec<SweptKey>, random: Option<usize>) -> Result<Self, SweepError> {
        for (place, swept) in keys.iter().enumerate() {
            if keys[..place].iter().any(|earlier| earlier.key.name == swept.key.name) {
                return Err(SweepError::KeyTwice(swept.key.name));
            }
            if random.is_none() && matches!(swept.values, SweptValues::Between { .. }) {
                return Err(SweepError::RangeInGrid(swept.key.name));
            }
        }
        if random.is_some() && keys.is_empty() {
            return Err(SweepError::NothingToDraw);
        }
        Ok(Self { keys, random })
    }

    /// The points in order: the last key changes fastest. Without keys, the base configuration alone. Points drawn at
    /// random depend on the seed of the base configuration; each range is divided into as many parts as there are
    /// points, and each part is drawn from once (a Latin hypercube).
    pub fn points(&self, base: &TrainingConfig) -> Result<Vec<SweepPoint>, SweepError> {
        let combinations = match self.random {
            None => self.grid()?,
            Some(points) => self.drawn(points, base.seed)?,
        };
        combinations.into_iter().map(|values| self.point(base, &values)).collect()
    }

    fn grid(&self) -> Result<Vec<Vec<ConfigValue>>, SweepError> {
        let counts = self.keys.iter().map(|swept| swept.listed().len());
        let points = counts.fold(1_usize, usize::saturating_mul);
        if points > MAX_POINTS {
            return Err(SweepError::TooMany { points });
        }
        let mut combinations = vec![Vec::new()];
        for swept in &self.keys {
            combinations = combinations
                .into_iter()
                .flat_map(|values: Vec<ConfigValue>| {
                    swept.listed().iter().map(move |&value| values.iter().copied().chain([value]).collect())
                })
                .collect();
        }
        Ok(combinations)
    }

    fn drawn(&self, points: usize, seed: u64) -> Result<Vec<Vec<ConfigValue>>, SweepError> {
        if points > MAX_POINTS {
            return Err(SweepError::TooMany { points });
        }
        let is_listed = |swept: &SweptKey| matches!(swept.values, SweptValues::Listed(_));
        if self.keys.iter().all(is_listed) {
            // A sample of the grid without repetitions.
            let mut grid = self.grid()?;
            if grid.len() < points {
                return Err(SweepError::TooFew { asked: points, found: grid.len() });
            }
            shuffle(&mut grid, &mut RandomStream::new(seed, SweepStream { key: 0 }));
            grid.truncate(points);
            return Ok(grid);
        }
        let columns: Vec<Vec<ConfigValue>> = (0..)
            .zip(&self.keys)
            .map(|(key, swept)| {
                let mut stream = RandomStream::new(seed, SweepStream { key });
                let mut parts: Vec<usize> = (0..points).collect();
                shuffle(&mut parts, &mut stream);
                parts.into_iter().map(|part| swept.at((part as f64 + stream.unit()) / points as f64)).collect()
            })
            .collect();
        Ok((0..points).map(|point| columns.iter().map(|column| column[point]).collect()).collect())
    }

    fn point(&self, base: &TrainingConfig, values: &[ConfigValue]) -> Result<SweepPoint, SweepError> {
        let mut config = base.clone();
        for (swept, &value) in self.keys.iter().zip(values) {
            swept.key.put(&mut config, value);
        }
        let values = self.keys.iter().zip(values);
        let point = SweepPoint {
            values: values.map(|(swept, value)| (swept.key.name.to_owned(), value.to_string())).collect(),
            config,
        };
        match point.config.check() {
            Ok(()) => Ok(point),
            Err(error) => {
                let values = point.values.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
                Err(SweepError::Inconsistent { values: values.join(" "), error })
            }
        }
    }
}

impl SweptKey {
    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.key.name
    }

    /// The listed values; none for a range, which [`Sweep::new`] keeps out of grids.
    fn listed(&self) -> &[ConfigValue] {
        match &self.values {
            SweptValues::Listed(values) => values,
            SweptValues::Between { .. } => &[],
        }
    }

    /// The value at a share of the way through the values, from 0 to below 1.
    fn at(&self, share: f64) -> ConfigValue {
        match self.values {
            SweptValues::Listed(ref values) => values[((share * values.len() as f64) as usize).min(values.len() - 1)],
            SweptValues::Between { low, high } => {
                let number = if self.key.is_logarithmic() {
                    libm::exp(libm::log(low) + share * (libm::log(high) - libm::log(low)))
                } else {
                    low + share * (high - low)
                };
                match self.key.range {
                    ValueRange::Integer { .. } => ConfigValue::Integer(number.round() as i64),
                    _ => ConfigValue::Number(rounded(number).clamp(low, high)),
                }
            }
        }
    }
}

/// A number with [`DIGITS`] significant digits.
fn rounded(number: f64) -> f64 {
    let text = format!("{number:.*e}", usize::try_from(DIGITS - 1).unwrap_or(0));
    text.parse().unwrap_or(number)
}

fn shuffle<T>(items: &mut [T], stream: &mut RandomStream) {
    for last in (1..items.len()).rev() {
        items.swap(last, stream.below(last + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::preset::Preset;

    fn seed() -> TrainingConfig {
        TrainingConfig { plateau_min: 0.0, ..Preset::named("seed").unwrap().config }
    }

    fn sweep(keys: &[&str], random: Option<usize>) -> Result<Sweep, SweepError> {
        Sweep::new(keys.iter().map(|key| key.parse()).collect::<Result<_, _>>()?, random)
    }

    #[test]
    fn a_grid_has_every_combination_once() {
        let points =
            sweep(&["learning_rate=0.003,0.01,0.03", "batch_size=4,8"], None).unwrap().points(&seed()).unwrap();
        let found: Vec<_> = points.iter().map(|point| (point.config.learning_rate, point.config.batch_size)).collect();
        assert_eq!(found, [(0.003, 4), (0.003, 8), (0.01, 4), (0.01, 8), (0.03, 4), (0.03, 8)]);
        assert_eq!(points[1].values["batch_size"], "8");
        assert_eq!(points[1].values["learning_rate"], "0.003");
        let alone = Sweep::default().points(&seed()).unwrap();
        assert_eq!(alone, [SweepPoint { values: BTreeMap::new(), config: seed() }]);
    }

    #[test]
    fn ranges_are_drawn_evenly_on_their_scale() {
        let sweep = sweep(&["learning_rate=0.0001..0.1", "dropout=0..0.6"], Some(30)).unwrap();
        let points = sweep.points(&seed()).unwrap();
        assert_eq!(points, sweep.points(&seed()).unwrap(), "the same seed draws the same points");
        let mut rates: Vec<f64> = points.iter().map(|point| point.config.learning_rate).collect();
        rates.sort_by(f64::total_cmp);
        // Ten of thirty in every decade, give or take the rounding of a value at its edge.
        let decade = |low: f64| rates.iter().filter(|rate| (low..low * 10.0).contains(*rate)).count();
        for low in [0.0001, 0.001, 0.01] {
            assert!((9..=11).contains(&decade(low)), "{rates:?}");
        }
        let mut shares: Vec<f64> = points.iter().map(|point| point.config.dropout).collect();
        shares.sort_by(f64::total_cmp);
        assert!((shares[14] - 0.29).abs() < 0.03 && shares[29] > 0.57, "{shares:?}");
        let other = TrainingConfig { seed: 2, ..seed() };
        assert_ne!(points[0].values, sweep.points(&other).unwrap()[0].values);
    }

    #[test]
    fn drawn_integers_stay_within_their_range() {
        let points = sweep(&["batch_size=2..32"], Some(50)).unwrap().points(&seed()).unwrap();
        let sizes: Vec<usize> = points.iter().map(|point| point.config.batch_size).collect();
        assert!(sizes.iter().all(|size| (2..=32).contains(size)), "{sizes:?}");
        // Half of them below the geometric mean, 8.
        assert!((20..=30).contains(&sizes.iter().filter(|&&size| size < 8).count()), "{sizes:?}");
    }

    #[test]
    fn a_sample_of_a_grid_repeats_nothing() {
        let sweep = sweep(&["learning_rate=0.003,0.01,0.03", "batch_size=4,8"], Some(5)).unwrap();
        let points = sweep.points(&seed()).unwrap();
        let different: std::collections::BTreeSet<_> = points.iter().map(|point| point.values.clone()).collect();
        assert_eq!(different.len(), 5);
    }

    #[test]
    fn impossible_sweeps_are_refused_by_name() {
        let refused = |keys: &[&str], random| match sweep(keys, random).and_then(|sweep| sweep.points(&seed())) {
            Ok(points) => panic!("{keys:?} gave {points:?}"),
            Err(error) => error.to_string(),
        };
        let cases: [(&[&str], Option<usize>, &str); 11] = [
            (&["learning_rate"], None, "'learning_rate' is not a swept key"),
            (&["lerning_rate=1"], None, "the nearest is learning_rate"),
            (&["learning_rate=0.01,0.01"], None, "learning_rate has the value 0.01 twice"),
            (&["learning_rate=0.01,x"], None, "learning_rate"),
            (&["seed=1,2"], None, "use --seeds N"),
            (&["monitor=val_loss,val_kappa"], None, "points are ranked by it"),
            (&["learning_rate=0.01", "learning_rate=0.02"], None, "swept twice"),
            (&["learning_rate=0.01..0.1"], None, "needs --random N"),
            (&["weight_decay=0..0.1"], Some(3), "must begin above 0"),
            (&["batch_size=4,8"], Some(3), "only 2 different points"),
            (&["optimizer=sgd..adamw"], Some(3), "the key has no numbers"),
        ];
        for (keys, random, expected) in cases {
            let error = refused(keys, random);
            assert!(error.contains(expected), "{keys:?}: {error}");
        }
        assert!(refused(&[], Some(3)).contains("--random needs"));
        assert!(
            refused(&["optimizer=nesterov", "momentum=0,0.9"], None).starts_with("momentum=0 optimizer=nesterov: ")
        );
    }
}
