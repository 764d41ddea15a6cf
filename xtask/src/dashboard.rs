//! `cargo xtask dashboard`: builds the dashboard into `dashboard/dist`, from where the server's build takes it.
//!
//! Nothing is done where its sources are those of the last build: a stamp remembers what they were.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::children::{Children, Failure};
use crate::install;
use crate::workspace::{self, find_program};

const BUILD_LIMIT: Duration = Duration::from_secs(10 * 60);
/// Folders in `dashboard` that hold nothing of ours.
const SKIPPED: [&str; 3] = ["node_modules", "dist", ".build"];

/// Builds it if it is out of date.
pub(crate) fn run() -> Result<(), Failure> {
    let mut children = Children::new()?;
    build(&mut children, &workspace::root()?)
}

/// The same as a part of another command.
pub(crate) fn build(children: &mut Children, root: &Path) -> Result<(), Failure> {
    let folder = root.join("dashboard");
    let sources = fingerprint(&folder).map_err(|error| Failure::because("cannot read dashboard", &error))?;
    let stamp = folder.join("node_modules/.vestibule-built");
    let is_built = folder.join("dist/index.html").is_file();
    if is_built && std::fs::read_to_string(&stamp).is_ok_and(|known| known == sources) {
        return Ok(());
    }
    install::node()?;
    install::npm_packages(children, &folder)?;
    let npm = find_program(&["npm"]).ok_or_else(|| Failure::new("please install npm".to_owned()))?;
    let mut command = Command::new(npm);
    command.args(["run", "--silent", "build"]).current_dir(&folder);
    children.run("npm run build", command, BUILD_LIMIT)?;
    std::fs::write(&stamp, sources).map_err(|error| Failure::because("cannot write the stamp", &error))
}

/// For `serve`: without Node.js the server runs all the same, without its dashboard.
pub(crate) fn build_where_possible(children: &mut Children, root: &Path) -> Result<(), Failure> {
    match install::node() {
        Ok(_) => build(children, root),
        Err(missing) => {
            println!("The dashboard is left out: {missing}");
            Ok(())
        }
    }
}

/// A text that differs when a source differs.
fn fingerprint(folder: &Path) -> std::io::Result<String> {
    let mut paths = Vec::new();
    collect(folder, &mut paths)?;
    paths.sort();
    let mut hasher = DefaultHasher::new();
    for path in paths {
        path.strip_prefix(folder).unwrap_or(&path).hash(&mut hasher);
        std::fs::read(&path)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !SKIPPED.contains(&&*name) {
                collect(&path, paths)?;
            }
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn a_changed_source_is_noticed_and_what_was_built_is_none() {
        let folder = std::env::temp_dir().join(format!("vestibule-dashboard-{}", std::process::id()));
        for name in ["src", "dist"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
            std::fs::write(folder.join(name).join("a.ts"), "one").unwrap();
        }
        let first = fingerprint(&folder).unwrap();
        std::fs::write(folder.join("dist/a.ts"), "two").unwrap();
        assert_eq!(fingerprint(&folder).unwrap(), first);
        std::fs::write(folder.join("src/a.ts"), "two").unwrap();
        assert_ne!(fingerprint(&folder).unwrap(), first);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
