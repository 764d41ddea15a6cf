//! Which Node.js there is on this machine, and whether it will do.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// What `node --version` may take, in milliseconds.
const VERSION_MS_MAX: u64 = 10_000;
/// The oldest that will do: with a permission model, and with `require` of packages that are ECMAScript modules.
pub const NODE_VERSION_MIN: &str = "20.19";

/// A Node.js that was asked for its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeProgram {
    /// The program, absolute.
    pub path: PathBuf,
    /// Major and minor version.
    version: (u32, u32),
}

impl NodeProgram {
    /// Looks a program up (a path, or a name to be found on `PATH`) and asks for its version.
    ///
    /// # Errors
    /// A sentence for operators: it isn't there, doesn't answer, or is older than [`NODE_VERSION_MIN`].
    pub async fn find(program: &Path) -> Result<Self, String> {
        let named = program.display();
        let path = on_path(program).ok_or_else(|| format!("Node.js was not found ({named})"))?;
        let mut command = Command::new(&path);
        command.arg("--version").env_clear().kill_on_drop(true);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let output = match timeout(Duration::from_millis(VERSION_MS_MAX), command.output()).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => return Err(format!("Node.js doesn't start ({named}: {error})")),
            Err(_) => return Err(format!("Node.js doesn't tell its version ({named})")),
        };
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let version = version_of(&text).ok_or_else(|| format!("{named} is no Node.js"))?;
        if !will_do(version) {
            return Err(format!("Node.js {text} is too old: {NODE_VERSION_MIN}, 22.12 or newer is needed"));
        }
        Ok(Self { path, version })
    }

    /// The option that turns its permission model on.
    pub(super) fn permission_option(&self) -> &'static str {
        match self.version {
            (22, minor) if minor >= 13 => "--permission",
            (23, minor) if minor >= 5 => "--permission",
            (major, _) if major >= 24 => "--permission",
            _ => "--experimental-permission",
        }
    }
}

fn version_of(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn will_do(version: (u32, u32)) -> bool {
    match version {
        (20, minor) => minor >= 19,
        (21, _) => false,
        (22, minor) => minor >= 12,
        (major, _) => major > 22,
    }
}

/// A program as a shell would find it.
fn on_path(program: &Path) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| path.is_file();
    if program.components().count() > 1 {
        return std::path::absolute(program).ok().filter(is_program);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(is_program)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{NodeProgram, version_of, will_do};

    #[test]
    fn versions_are_read_and_judged() {
        for (text, good, option) in [
            ("v20.19.0", true, "--experimental-permission"),
            ("v20.18.3", false, "--experimental-permission"),
            ("v18.20.4", false, "--experimental-permission"),
            ("v21.7.3", false, "--experimental-permission"),
            ("v22.11.0", false, "--experimental-permission"),
            ("v22.12.0", true, "--experimental-permission"),
            ("v22.13.0", true, "--permission"),
            ("v23.4.0", true, "--experimental-permission"),
            ("v24.0.0-nightly", true, "--permission"),
        ] {
            let version = version_of(text).unwrap();
            assert_eq!(will_do(version), good, "{text}");
            assert_eq!(NodeProgram { path: "/x".into(), version }.permission_option(), option, "{text}");
        }
        assert_eq!(version_of("20.1.0"), None);
        assert_eq!(version_of(""), None);
    }

    #[tokio::test]
    async fn what_is_not_there_or_is_something_else_is_named() {
        let missing = NodeProgram::find(Path::new("no-such-node")).await.unwrap_err();
        assert_eq!(missing, "Node.js was not found (no-such-node)");
        let other = NodeProgram::find(Path::new("/bin/echo")).await.unwrap_err();
        assert_eq!(other, "/bin/echo is no Node.js");
    }
}
