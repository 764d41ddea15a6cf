//! Runs npm, the operator's own way, on a folder of ours.
//!
//! npm sees the operator's settings for it (registry, proxy, certificates) and nothing else of the server's
//! surroundings. No script of any package runs.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use domain::limits::ACTION_PACKAGES_INSTALL_MS_MAX;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::{PackagesError, unavailable};

/// Bytes of npm's report that are read.
const REPORT_BYTES_MAX: u64 = 1024 * 1024;
/// Characters of npm's own words that are told.
const REASON_CHARACTERS_MAX: usize = 400;
/// Options that hold whatever the operator's settings say.
const OPTIONS: &[&str] = &[
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--no-progress",
    "--no-bin-links",
    "--omit=dev",
    "--package-lock",
    "--omit-lockfile-registry-resolved",
    "--global=false",
    "--dry-run=false",
    // Packages of a registry need no such program; others are refused sooner.
    "--git=false",
    "--loglevel=error",
    "--json",
];
/// Variables that tell programs how to reach others.
const PASSED_ON: &[&str] = &[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// npm on this machine, where the operator says where it is.
#[derive(Debug)]
pub(super) struct Npm(pub(super) Option<PathBuf>);

impl Npm {
    /// Runs a command such as `install` on a folder.
    ///
    /// # Errors
    /// [`PackagesError`], with npm's own words where it gave some.
    pub(super) async fn run(
        &self,
        command: &str,
        node: &Path,
        folder: &Path,
        home: &Path,
    ) -> Result<(), PackagesError> {
        let beside = node.with_file_name("npm");
        let found = if beside.is_file() { beside } else { PathBuf::from("npm") };
        let mut npm = Command::new(self.0.as_ref().unwrap_or(&found));
        npm.arg(command).args(OPTIONS).arg("--prefix").arg(folder).current_dir(folder);
        npm.env_clear().envs(surroundings(node, home, &std::env::vars_os().collect::<Vec<_>>()));
        npm.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = npm.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => PackagesError::Refused("npm was not found on this server".to_owned()),
            _ => unavailable("npm doesn't start", &error),
        })?;
        let work = async {
            let mut report = Vec::new();
            if let Some(stdout) = child.stdout.take() {
                stdout.take(REPORT_BYTES_MAX).read_to_end(&mut report).await?;
            }
            Ok::<_, std::io::Error>((child.wait().await?, report))
        };
        match timeout(Duration::from_millis(ACTION_PACKAGES_INSTALL_MS_MAX), work).await {
            Ok(Ok((status, _))) if status.success() => Ok(()),
            Ok(Ok((_, report))) => Err(PackagesError::Refused(reason_in(&report, folder))),
            Ok(Err(error)) => Err(unavailable("npm doesn't run", &error)),
            Err(_) => {
                let seconds = ACTION_PACKAGES_INSTALL_MS_MAX / 1_000;
                Err(PackagesError::Refused(format!("npm could not install the dependencies in {seconds} s")))
            }
        }
    }
}

/// The variables that npm sees, out of the server's own. npm itself is a script for Node.js, which it finds on `PATH`.
fn surroundings(node: &Path, home: &Path, own: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
    let of = |wanted: &str| own.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let mut seen: Vec<(OsString, OsString)> = own
        .iter()
        .filter(|(name, _)| {
            let name = name.to_string_lossy();
            PASSED_ON.contains(&&*name) || name.to_lowercase().starts_with("npm_config_")
        })
        .cloned()
        .collect();
    let found = of("PATH").unwrap_or_default();
    let folders = node.parent().map(Path::to_owned).into_iter().chain(std::env::split_paths(&found));
    seen.push(("PATH".into(), std::env::join_paths(folders).unwrap_or(found.clone())));
    // Its cache and logs are for this once; the operator's settings stay where they are.
    let settings = of("HOME").map(|own| Path::new(&own).join(".npmrc")).filter(|file| file.is_file());
    let is_named = seen.iter().any(|(name, _)| name.eq_ignore_ascii_case("npm_config_userconfig"));
    if let (Some(settings), false) = (settings, is_named) {
        seen.push(("npm_config_userconfig".into(), settings.into()));
    }
    seen.push(("HOME".into(), home.into()));
    seen
}

/// What npm says of its failure, without addresses and folders.
fn reason_in(report: &[u8], folder: &Path) -> String {
    let report: Value = serde_json::from_slice(report).unwrap_or_default();
    let part = |name: &str| report["error"][name].as_str().unwrap_or_default();
    let words = format!("{} {}", part("code"), part("summary"));
    let folder = folder.to_string_lossy();
    let words = words.split_whitespace().map(|word| match word {
        word if word.contains("://") => "(address)",
        word if word.contains(&*folder) || word.starts_with('/') => "(folder)",
        word => word,
    });
    let words: Vec<&str> = words.collect();
    let words: String = words.join(" ").chars().take(REASON_CHARACTERS_MAX).collect();
    if words.is_empty() {
        return "npm could not install the dependencies".to_owned();
    }
    format!("npm could not install the dependencies: {words}")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use super::{reason_in, surroundings};

    #[test]
    fn a_reason_tells_neither_addresses_nor_folders() {
        let report = br#"{"error":{"code":"E404","summary":"404 Not Found - GET https://u:p@registry.example/nope - Not found in /data/packages/.new-1/set\nor /root","detail":"x"}}"#;
        assert_eq!(
            reason_in(report, Path::new("/data/packages/.new-1/set")),
            "npm could not install the dependencies: E404 404 Not Found - GET (address) - Not found in (folder) or (folder)"
        );
        assert_eq!(reason_in(b"broken", Path::new("/x")), "npm could not install the dependencies");
    }

    #[test]
    fn npm_sees_its_own_settings_and_nothing_else() {
        let own = [
            ("PATH", "/usr/bin"),
            ("HOME", "/srv/operator"),
            ("VESTIBULE_MASTER_KEY", "secret"),
            ("npm_config_proxy", "p"),
            ("NPM_CONFIG_CAFILE", "c"),
            ("HTTPS_PROXY", "q"),
            ("DATABASE_PASSWORD", "secret"),
        ];
        let own = own.map(|(name, value)| (OsString::from(name), OsString::from(value))).to_vec();
        let seen = surroundings(Path::new("/opt/node/bin/node"), Path::new("/tmp/home"), &own);
        let text: Vec<String> = seen
            .iter()
            .map(|(name, value)| format!("{}={}", name.to_string_lossy(), value.to_string_lossy()))
            .collect();
        assert_eq!(
            text,
            [
                "npm_config_proxy=p",
                "NPM_CONFIG_CAFILE=c",
                "HTTPS_PROXY=q",
                "PATH=/opt/node/bin:/usr/bin",
                "HOME=/tmp/home"
            ]
        );
    }
}
