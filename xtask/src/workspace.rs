//! Where things are: the root of the clone, the target folder, programs on the path.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::children::Failure;

/// The root of the clone: the nearest folder above the current one whose Cargo.toml has a `[workspace]`.
pub(crate) fn root() -> Result<PathBuf, Failure> {
    let here = std::env::current_dir().map_err(|error| Failure::because("no current folder", &error))?;
    here.ancestors()
        .find(|folder| {
            std::fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.contains("[workspace]"))
        })
        .map(Path::to_path_buf)
        .ok_or_else(|| Failure::new("run this inside the clone".to_owned()))
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => root.join("target"),
    }
}

/// The server's binary of a profile, `debug` or `release`.
pub(crate) fn server_binary(root: &Path, profile: &str) -> PathBuf {
    target_folder(root).join(profile).join("vestibule")
}

/// Cargo itself, the same one that runs this tool.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    if let Some(folder) = std::env::var_os("CARGO_TARGET_DIR") {
        command.env("CARGO_TARGET_DIR", root.join(folder));
    }
    command
}

/// The first of some names that is a program on the path.
pub(crate) fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    names
        .iter()
        .find_map(|name| std::env::split_paths(&path).map(|dir| dir.join(name)).find(|full| full.is_file()))
}

/// What a short command prints, when it ends well.
pub(crate) fn output_of(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
