//! Finds the programs that the checks need, and installs those that are missing.
//!
//! On Debian and its kin, as root or with a passwordless sudo, `apt-get` does it; elsewhere the failure names the
//! program to install by hand.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::children::{Children, Failure};
use crate::workspace::{find_program, output_of};

const INSTALL_LIMIT: Duration = Duration::from_secs(15 * 60);
const POSTGRES_MAJOR_MIN: u32 = 14;
const NODE_MAJOR_MIN: u32 = 20;
const CHROMIUM_NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// `cargo xtask prepare`: installs what is missing and says what there is.
pub(crate) fn run() -> Result<(), Failure> {
    let root = crate::workspace::root()?;
    let mut children = Children::new()?;
    println!("Node.js:    {}", node()?.display());
    println!("PostgreSQL: {}", postgres(&mut children)?.display());
    println!("Chromium:   {}", chromium(&mut children)?.display());
    println!("Apache:     {}", apache(&mut children)?.program.display());
    npm_packages(&mut children, &root.join("tests/node"))?;
    println!("npm:        tests/node/node_modules");
    Ok(())
}

/// The folder of PostgreSQL's programs, version 14 or newer.
pub(crate) fn postgres(children: &mut Children) -> Result<PathBuf, Failure> {
    find_or_install(children, "PostgreSQL 14 or newer", &["postgresql"], find_postgres)
}

/// A Chromium that can run without a display.
pub(crate) fn chromium(children: &mut Children) -> Result<PathBuf, Failure> {
    find_or_install(children, "Chromium (or set CHROMIUM to one)", &["chromium"], find_chromium)
}

/// An Apache that the tests start themselves.
#[derive(Debug, Clone)]
pub(crate) struct Apache {
    /// The program.
    pub(crate) program: PathBuf,
    /// The folder of its modules, `mod_auth_openidc.so` among them.
    pub(crate) modules: PathBuf,
}

/// Apache with the module `auth_openidc`. The packages hold programs only: neither brings a service or a site.
pub(crate) fn apache(children: &mut Children) -> Result<Apache, Failure> {
    let packages = ["apache2-bin", "libapache2-mod-auth-openidc"];
    find_or_install(children, "Apache with mod_auth_openidc", &packages, find_apache)
}

/// Node.js, version 20 or newer.
pub(crate) fn node() -> Result<PathBuf, Failure> {
    let program = find_program(&["node"])
        .ok_or_else(|| Failure::new("please install Node.js 20 or newer".to_owned()))?;
    let version = output_of(&program, &["--version"]).unwrap_or_default();
    match first_number(&version) {
        Some(major) if major >= NODE_MAJOR_MIN => Ok(program),
        _ => Err(Failure::new(format!("Node.js 20 or newer is needed; {} is {version}", program.display()))),
    }
}

/// Puts the packages of a `package-lock.json` beside it, unless they are there already.
pub(crate) fn npm_packages(children: &mut Children, folder: &Path) -> Result<(), Failure> {
    let lock = folder.join("package-lock.json");
    let installed = folder.join("node_modules/.package-lock.json");
    let changed = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified()).ok();
    if changed(&installed).is_some_and(|done| changed(&lock).is_some_and(|wanted| done >= wanted)) {
        return Ok(());
    }
    let npm = find_program(&["npm"]).ok_or_else(|| Failure::new("please install npm".to_owned()))?;
    let mut command = Command::new(npm);
    command.args(["ci", "--no-audit", "--no-fund"]).current_dir(folder);
    children.run("npm ci", command, INSTALL_LIMIT)
}

fn find_or_install<T>(
    children: &mut Children,
    what: &str,
    packages: &[&str],
    find: fn() -> Option<T>,
) -> Result<T, Failure> {
    if let Some(found) = find() {
        return Ok(found);
    }
    let names = packages.join(", ");
    println!("{what} is missing: installing {names}");
    apt_install(children, packages)
        .map_err(|failure| Failure::because(&format!("please install {what} by hand"), &failure))?;
    find().ok_or_else(|| Failure::new(format!("{what} is still missing after installing {names}")))
}

fn apt_install(children: &mut Children, packages: &[&str]) -> Result<(), Failure> {
    let apt =
        find_program(&["apt-get"]).ok_or_else(|| Failure::new("there is no apt-get here".to_owned()))?;
    let prefix: &[&str] = if rustix::process::geteuid().is_root() {
        &[]
    } else if output_of(Path::new("sudo"), &["-n", "true"]).is_some() {
        &["sudo", "-n", "--preserve-env=DEBIAN_FRONTEND"]
    } else {
        return Err(Failure::new("neither root nor a passwordless sudo".to_owned()));
    };
    let apt = apt.to_string_lossy();
    let apt_get = |arguments: &[&str]| {
        let mut words = prefix.iter().copied().chain([&*apt]).chain(arguments.iter().copied());
        let mut command = Command::new(words.next().unwrap_or("apt-get"));
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    children.run("apt-get update", apt_get(&["update", "-qq"]), INSTALL_LIMIT)?;
    let mut install = apt_get(&["install", "-y", "-qq", "--no-install-recommends"]);
    install.args(packages);
    children.run("apt-get install", install, INSTALL_LIMIT)
}

fn find_chromium() -> Option<PathBuf> {
    match std::env::var_os("CHROMIUM") {
        Some(named) => Some(PathBuf::from(named)).filter(|program| program.is_file()),
        None => find_program(&CHROMIUM_NAMES),
    }
}

/// Debian keeps the program where only root's path looks, others name it otherwise.
fn find_apache() -> Option<Apache> {
    let beside = ["/usr/sbin/apache2", "/usr/sbin/httpd"].map(PathBuf::from);
    let program = find_program(&["apache2", "httpd"])
        .or_else(|| beside.into_iter().find(|program| program.is_file()))?;
    let folders = ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules"];
    let has_module = |folder: &PathBuf| folder.join("mod_auth_openidc.so").is_file();
    let modules = folders.map(PathBuf::from).into_iter().find(has_module)?;
    Some(Apache { program, modules })
}

/// The newest one: Debian keeps each version in a folder of its own, off the path.
fn find_postgres() -> Option<PathBuf> {
    let from_path = find_program(&["initdb"]).and_then(|program| program.parent().map(Path::to_path_buf));
    let kept = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = from_path.into_iter().chain(kept.map(|entry| entry.path().join("bin")));
    folders
        .filter(|folder| ["initdb", "postgres", "pg_isready"].iter().all(|name| folder.join(name).is_file()))
        .filter_map(|folder| {
            let major = first_number(&output_of(&folder.join("postgres"), &["--version"])?)?;
            (major >= POSTGRES_MAJOR_MIN).then_some((major, folder))
        })
        .max()
        .map(|(_, folder)| folder)
}

/// The first whole number in a text: the major version in what `--version` prints.
fn first_number(text: &str) -> Option<u32> {
    text.split(|character: char| !character.is_ascii_digit()).find(|part| !part.is_empty())?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::first_number;

    #[test]
    fn the_major_version_is_the_first_number() {
        for (text, expected) in [
            ("v20.20.2", Some(20)),
            ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", Some(15)),
            ("postgres (PostgreSQL) 18beta1", Some(18)),
            ("none", None),
        ] {
            assert_eq!(first_number(text), expected, "{text}");
        }
    }
}
