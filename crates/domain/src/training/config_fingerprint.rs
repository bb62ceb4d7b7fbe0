//! A checksum of everything in a configuration that the numbers of a run depend on.

use sha2::{Digest as _, Sha256};

use super::training_config::{FullDiskPolicy, TrainingConfig};
use crate::text::hexadecimal::hexadecimal;

impl TrainingConfig {
    /// SHA-256, in hexadecimal, of the configuration that a run began with. More epochs, another number of threads and
    /// other intervals between checkpoints or kept models leave it unchanged.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let on_full = FullDiskPolicy::default();
        let essential = Self { epochs: 1, threads: 0, checkpoint_minutes: 1.0, keep_every: 0, on_full, ..self.clone() };
        let json = serde_json::to_vec(&essential).expect("a configuration is plain data");
        hexadecimal(&Sha256::digest(json))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::config_keys::{ConfigKey, KEYS};
    use crate::training::preset::Preset;

    #[test]
    fn the_keys_that_decide_the_numbers_change_the_fingerprint() {
        let seed = Preset::named("seed").unwrap().config;
        let changed = TrainingConfig { epochs: 7, threads: 3, checkpoint_minutes: 0.5, keep_every: 2, ..seed.clone() };
        assert_eq!(changed.fingerprint(), seed.fingerprint());
        let other = Preset::named("modern").unwrap().config;
        let differs = |key: &&ConfigKey| {
            let mut config = seed.clone();
            config.set(key.name, &key.value(&other).to_string()).unwrap();
            config != seed && config.fingerprint() != seed.fingerprint()
        };
        let different: Vec<_> = KEYS.iter().filter(differs).map(|key| key.name).collect();
        assert!(different.contains(&"learning_rate") && different.contains(&"optimizer"), "{different:?}");
        assert!(!different.contains(&"epochs") && !different.contains(&"threads"), "{different:?}");
    }
}
