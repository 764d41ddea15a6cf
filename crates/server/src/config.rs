//! What the operator may choose: every key, its default, and where its value came from.
//!
//! Precedence, later wins: default, file (TOML), environment (`VESTIBULE_SECTION_KEY`), flags and `--set`.
//! Each section is a file in `config/`; the doc comments there are the manual. An unknown key is an error
//! that names the nearest known one, because a misspelt setting that is silently ignored is worse than none.

mod actions;
mod attack_protection;
mod events;
mod log;
mod log_streams;
mod logout;
mod passwords;
mod sandbox;
mod section;
mod server;
mod store;
mod suggest;
mod tls;
mod upstream;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

pub use actions::Actions;
pub use attack_protection::AttackProtection;
pub use events::Events;
pub use log::{Format, Level, Log};
pub use log_streams::LogStreams;
pub use logout::Logout;
pub use passwords::Passwords;
pub use sandbox::Sandbox;
use section::{KeyDoc, Section};
pub use server::Server;
pub use store::Store;
use suggest::nearest;
pub use tls::Tls;
pub use upstream::Upstream;
pub use value::TrustedProxy;

/// Bytes of a configuration file that are read. Ours: far above any real one.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// What every environment variable of ours begins with.
const ENVIRONMENT_PREFIX: &str = "VESTIBULE_";
/// Variables with our prefix that are not keys.
///
/// The master key and a caller's token are no settings, because they must not be printed; the others are what the project's own checks say to
/// each other, and a server that they start must not stumble over them.
const ENVIRONMENT_OTHERS: &[&str] = &[
    "VESTIBULE_MASTER_KEY",
    "VESTIBULE_TOKEN",
    "VESTIBULE_BIN",
    "VESTIBULE_TEST_POSTGRES",
    "VESTIBULE_TEST_POSTGRES_OPTIONAL",
    "VESTIBULE_TEST_STORE",
    "VESTIBULE_TENANT_LOG_SCHEMA",
];

/// The whole configuration.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Where it listens and under which name.
    pub server: Server,
    /// Encryption of connections.
    pub tls: Tls,
    /// Where records are kept.
    pub store: Store,
    /// Worker processes for Actions.
    pub sandbox: Sandbox,
    /// What scripts may reach.
    pub actions: Actions,
    /// Hashing of passwords.
    pub passwords: Passwords,
    /// What guessing is held with.
    pub attack_protection: AttackProtection,
    /// Back-channel logout.
    pub logout: Logout,
    /// The tenant's event log.
    pub events: Events,
    /// Streams of the event log.
    pub log_streams: LogStreams,
    /// Other OpenID providers.
    pub upstream: Upstream,
    /// Diagnostics.
    pub log: Log,
    /// What `--demo` adds; a flag only.
    pub demo: Option<Demo>,
    sources: BTreeMap<String, Source>,
}

/// The demonstration: a user, an Action, and two relying parties on these ports of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demo {
    /// The first relying party's port.
    pub port_one: u16,
    /// The second relying party's port.
    pub port_two: u16,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// This environment variable.
    Environment(String),
    /// This flag.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is not TOML.
    #[error("{path} is not valid TOML: {reason}")]
    NotToml {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        reason: String,
    },
    /// There is no such key.
    #[error("unknown key `{key}` ({from}){}", .nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    UnknownKey {
        /// What was written.
        key: String,
        /// Where it was written.
        from: Source,
        /// The nearest key there is.
        nearest: Option<String>,
    },
    /// The value cannot be read as what the key holds.
    #[error("`{key}` ({from}): {reason}")]
    BadValue {
        /// The key.
        key: String,
        /// Where it was written.
        from: Source,
        /// What is wrong with it.
        reason: String,
    },
    /// `--set` without `=`.
    #[error("`--set {0}`: write it as section.key=value")]
    NotAPair(String),
    /// Values that contradict each other.
    #[error("{0}")]
    Contradiction(String),
}

/// One line of `explain-config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// `section.key`.
    pub key: String,
    /// The effective value; secrets as `***`.
    pub value: String,
    /// Where it came from.
    pub source: Source,
    /// What the key is for.
    pub doc: String,
}

impl Config {
    /// Reads the configuration. `flags` are (`section.key`, value, flag as written) in order; `environment` is
    /// the process environment.
    ///
    /// # Errors
    /// Every way in which an operator's input can be wrong; see [`ConfigError`].
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[(String, String, String)],
    ) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        if let Some(path) = file {
            config.apply_file(path)?;
        }
        config.apply_environment(environment)?;
        for (key, text, flag) in flags {
            config.set(key, text, Source::Flag(flag.clone()))?;
        }
        config.check()?;
        Ok(config)
    }

    /// For tests: a free port on loopback, no encryption, cheap passwords, all data below `data`.
    pub fn for_testing(data: &Path) -> Self {
        Self {
            server: Server::for_testing(data),
            tls: Tls::for_testing(),
            store: Store::for_testing(),
            sandbox: Sandbox::for_testing(),
            actions: Actions::for_testing(),
            passwords: Passwords::for_testing(),
            attack_protection: AttackProtection::default(),
            logout: Logout::for_testing(),
            events: Events::default(),
            log_streams: LogStreams::for_testing(data),
            upstream: Upstream::for_testing(),
            log: Log::for_testing(),
            demo: None,
            sources: BTreeMap::new(),
        }
    }

    /// Sets one key (`section.key`) from text.
    ///
    /// # Errors
    /// [`ConfigError::UnknownKey`] and [`ConfigError::BadValue`].
    pub fn set(&mut self, key: &str, text: &str, from: Source) -> Result<(), ConfigError> {
        let (section, name) = key.split_once('.').unwrap_or(("", key));
        let outcome = self
            .sections_mut()
            .into_iter()
            .find(|candidate| candidate.name() == section)
            .and_then(|candidate| candidate.set(name, text));
        match outcome {
            None => Err(self.unknown(key, from)),
            Some(Err(reason)) => Err(ConfigError::BadValue { key: key.to_owned(), from, reason }),
            Some(Ok(())) => {
                self.sources.insert(key.to_owned(), from);
                Ok(())
            }
        }
    }

    /// Every key with its effective value and where it came from, in the order of the manual.
    pub fn explain(&self) -> Vec<Explained> {
        self.keys()
            .into_iter()
            .map(|(key, KeyDoc { show, doc, .. })| Explained {
                source: self.sources.get(&key).cloned().unwrap_or(Source::Default),
                value: show,
                doc,
                key,
            })
            .collect()
    }

    fn keys(&self) -> Vec<(String, KeyDoc)> {
        self.sections()
            .into_iter()
            .flat_map(|section| {
                let name = section.name();
                section.keys().into_iter().map(move |key| (format!("{name}.{}", key.name), key))
            })
            .collect()
    }

    fn sections(&self) -> [&dyn Section; 12] {
        [
            &self.server,
            &self.tls,
            &self.store,
            &self.sandbox,
            &self.actions,
            &self.passwords,
            &self.attack_protection,
            &self.logout,
            &self.events,
            &self.log_streams,
            &self.upstream,
            &self.log,
        ]
    }

    fn sections_mut(&mut self) -> [&mut dyn Section; 12] {
        [
            &mut self.server,
            &mut self.tls,
            &mut self.store,
            &mut self.sandbox,
            &mut self.actions,
            &mut self.passwords,
            &mut self.attack_protection,
            &mut self.logout,
            &mut self.events,
            &mut self.log_streams,
            &mut self.upstream,
            &mut self.log,
        ]
    }

    fn unknown(&self, key: &str, from: Source) -> ConfigError {
        let known: Vec<String> = self.keys().into_iter().map(|(key, _)| key).collect();
        let nearest = nearest(key, &known).map(|near| match from {
            Source::Environment(_) => variable(near),
            Source::Default | Source::File(_) | Source::Flag(_) => near.to_owned(),
        });
        let key = match &from {
            Source::Environment(name) => name.clone(),
            Source::Default | Source::File(_) | Source::Flag(_) => key.to_owned(),
        };
        ConfigError::UnknownKey { key, from, nearest }
    }

    fn apply_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let unreadable = |reason: String| ConfigError::Unreadable { path: path.to_owned(), reason };
        let length = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
        if length > FILE_BYTES_MAX {
            return Err(unreadable(format!("longer than {FILE_BYTES_MAX} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| ConfigError::NotToml {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        for (section, value) in table {
            let from = Source::File(path.to_owned());
            let toml::Value::Table(keys) = value else {
                return Err(self.unknown(&section, from));
            };
            for (name, value) in keys {
                let key = format!("{section}.{name}");
                let text = value::text_of(&value).map_err(|reason| ConfigError::BadValue {
                    key: key.clone(),
                    from: from.clone(),
                    reason,
                })?;
                self.set(&key, &text, from.clone())?;
            }
        }
        Ok(())
    }

    fn apply_environment(
        &mut self,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        let known: BTreeMap<String, String> =
            self.keys().into_iter().map(|(key, _)| (variable(&key), key)).collect();
        let mut ours: Vec<(String, String)> = environment
            .into_iter()
            .filter(|(name, _)| {
                name.starts_with(ENVIRONMENT_PREFIX) && !ENVIRONMENT_OTHERS.contains(&name.as_str())
            })
            .collect();
        ours.sort();
        for (name, text) in ours {
            let from = Source::Environment(name.clone());
            match known.get(&name) {
                Some(key) => self.set(key, &text, from)?,
                None => {
                    let guess = name[ENVIRONMENT_PREFIX.len()..].to_lowercase().replacen('_', ".", 1);
                    return Err(self.unknown(&guess, from));
                }
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.tls.certificate_file.is_some() != self.tls.key_file.is_some() {
            return Err(ConfigError::Contradiction(
                "tls.certificate_file and tls.key_file belong together: set both or neither".to_owned(),
            ));
        }
        if self.log_streams.file.is_some() && self.log_streams.folder.is_none() {
            return Err(ConfigError::Contradiction(
                "log_streams.file needs a folder: set log_streams.folder".to_owned(),
            ));
        }
        if self.server.domain.is_some() && self.server.public_url.is_some() {
            return Err(ConfigError::Contradiction(
                "server.public_url says the domain too: set it or server.domain, not both".to_owned(),
            ));
        }
        Ok(())
    }
}

/// Splits `section.key=value` of a `--set` flag.
///
/// # Errors
/// [`ConfigError::NotAPair`] without `=`.
pub fn pair(text: &str) -> Result<(String, String, String), ConfigError> {
    let (key, value) = text.split_once('=').ok_or_else(|| ConfigError::NotAPair(text.to_owned()))?;
    Ok((key.trim().to_owned(), value.to_owned(), format!("--set {}", key.trim())))
}

/// The environment variable of a key.
fn variable(key: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{}", key.replace('.', "_").to_uppercase())
}

/// The process environment as text; variables that are not Unicode are not ours.
pub fn process_environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The master key, where the operator gives it in the environment instead of a file.
pub fn master_key_of_environment() -> Option<String> {
    std::env::var("VESTIBULE_MASTER_KEY").ok()
}

#[cfg(test)]
mod tests;
