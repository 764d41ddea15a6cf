//! Takes the dashboard into the program, where its build left files in `dashboard/dist`: a table for `src/dashboard.rs`.
//!
//! Without them the program builds all the same, and says at `/manage/` what to do.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Kinds of files that the dashboard is made of. Anything else in the folder is an error, so that nothing is forgotten.
const KINDS: [(&str, &str); 5] = [
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
];

fn main() {
    let variable = |name: &str| PathBuf::from(std::env::var_os(name).expect("cargo sets it"));
    let folder = variable("CARGO_MANIFEST_DIR").join("../../dashboard/dist");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut paths = Vec::new();
    collect(&folder, &mut paths);
    paths.sort();
    let mut table = "&[\n".to_owned();
    for path in paths.iter().filter(|path| !is_packed(path)) {
        let name = path.strip_prefix(&folder).expect("found in it").to_str().expect("names are ASCII");
        let kind = path.extension().unwrap_or_default();
        let (_, content_type) = KINDS
            .into_iter()
            .find(|(known, _)| kind == *known)
            .unwrap_or_else(|| panic!("{name}: there is no content type for it in build.rs"));
        let packed = |ending: &str| {
            let path = format!("{}.{ending}", path.display());
            assert!(
                Path::new(&path).is_file(),
                "{path} is missing: build the dashboard with `cargo xtask dashboard`"
            );
            path
        };
        let _ = writeln!(
            table,
            "    Asset {{ path: {name:?}, content_type: {content_type:?}, plain: include_bytes!({:?}), \
             brotli: include_bytes!({:?}), gzip: include_bytes!({:?}) }},",
            path.display().to_string(),
            packed("br"),
            packed("gz"),
        );
    }
    table.push_str("]\n");
    std::fs::write(variable("OUT_DIR").join("dashboard.rs"), table).expect("cargo's folder takes files");
}

/// Whether it is another file, compressed.
fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|kind| kind == "br" || kind == "gz")
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, paths);
        } else if path.file_name().is_some_and(|name| name != ".gitignore") {
            paths.push(path);
        }
    }
}
