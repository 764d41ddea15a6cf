//! The npm packages of Actions: sets of them, each installed once into a folder that is named by its contents.
//!
//! A set is installed by the machine's own npm, as the operator has set it up, without running any script that a
//! package brings along. The lock that comes of it is kept with the version of the Action, so that any machine can
//! install the very same bytes again.
//!
//! Not here: which set an Action needs, and how it is run (`actions::node`).

pub(crate) mod lock;
mod npm;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::action::Packages;
use domain::limits::{
    ACTION_PACKAGES_BYTES_MAX, ACTION_PACKAGES_FILES_MAX, ACTION_PACKAGES_INSTALL_MS_MAX,
    ACTION_PACKAGES_RETRY_MS,
};
use domain::time::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::npm::Npm;

/// What every name of a folder under way begins with.
const DRAFT: &str = ".new-";
/// What every name of a folder that is being deleted begins with.
const DISCARDED: &str = ".old-";

/// One package that an Action asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// Its name.
    pub(crate) name: String,
    /// A version, a range of versions, or a tag such as `latest`.
    pub(crate) version: String,
}

/// Why packages are not there; the text may be told to whoever deploys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PackagesError {
    /// npm, or a bound of ours, refuses them.
    #[error("{0}")]
    Refused(String),
    /// Too many installations are waiting.
    #[error("packages are being installed for others: try again in a moment")]
    Busy,
    /// This machine can't do it; the text is for the operator.
    #[error("npm packages can't be installed at the moment")]
    Unavailable(String),
}

/// The folder of sets.
pub(crate) struct PackagesFolder {
    path: PathBuf,
    npm: Npm,
    /// One installation at a time: npm is large.
    turn: Semaphore,
    held: Arc<Mutex<Held>>,
    failed: Mutex<BTreeMap<String, (Timestamp, PackagesError)>>,
}

/// Which names are in use by this process.
#[derive(Default)]
struct Held {
    count: BTreeMap<String, usize>,
    /// What was held at some time since the sweep under way began.
    since_sweep: BTreeSet<String>,
}

/// As long as it lives, its folder is not swept away.
pub(crate) struct Hold {
    name: String,
    held: Arc<Mutex<Held>>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut held = lock_of(&self.held);
        if let Some(count) = held.count.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                held.count.remove(&self.name);
            }
        }
    }
}

/// A panic elsewhere leaves these maps whole.
fn lock_of<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PackagesFolder {
    /// A folder, made when first needed. Unless `npm` says where npm is, it is looked for beside Node.js, then on `PATH`.
    pub(crate) fn new(path: PathBuf, npm: Option<PathBuf>) -> Self {
        Self { path, npm: Npm(npm), turn: Semaphore::new(1), held: Arc::default(), failed: Mutex::default() }
    }

    /// Where a set is, or will be.
    pub(crate) fn path_of(&self, id: &str) -> PathBuf {
        self.path.join(id)
    }

    /// Keeps a set from being swept away.
    pub(crate) fn hold(&self, name: &str) -> Hold {
        let mut held = lock_of(&self.held);
        *held.count.entry(name.to_owned()).or_default() += 1;
        held.since_sweep.insert(name.to_owned());
        Hold { name: name.to_owned(), held: Arc::clone(&self.held) }
    }

    /// Finds out which versions there are, and installs them with npm for a Node.js. `token` names this attempt and no
    /// other.
    ///
    /// # Errors
    /// [`PackagesError`]; nothing is left behind.
    pub(crate) async fn install(
        &self,
        dependencies: &[Dependency],
        node: &Path,
        token: &str,
    ) -> Result<(Packages, Hold), PackagesError> {
        let wanted: BTreeMap<&str, &str> =
            dependencies.iter().map(|one| (one.name.as_str(), one.version.as_str())).collect();
        let draft = self.draft(token).await?;
        draft.write("package.json", &lock::manifest(&wanted)).await?;
        let turn = self.turn().await?;
        self.run_npm(&draft, "install", node).await?;
        drop(turn);
        let text = tokio::fs::read_to_string(draft.set().join("package-lock.json")).await;
        let text = text.map_err(|error| unavailable("npm wrote no lock", &error))?;
        let packages = lock::packages_of(&text, dependencies).map_err(PackagesError::Refused)?;
        let hold = self.hold(&packages.id);
        self.put_in_place(draft, &packages.id).await?;
        Ok((packages, hold))
    }

    /// The folder of a set; one that is missing here is installed again, to the byte. A failure is remembered for a
    /// while.
    ///
    /// # Errors
    /// [`PackagesError`].
    pub(crate) async fn ensure(
        &self,
        packages: &Packages,
        node: &Path,
        token: &str,
        now: Timestamp,
    ) -> Result<PathBuf, PackagesError> {
        let path = self.path_of(&packages.id);
        if is_folder(&path).await {
            return Ok(path);
        }
        if let Some((at, error)) = lock_of(&self.failed).get(&packages.id)
            && now < at.plus_millis(ACTION_PACKAGES_RETRY_MS)
        {
            return Err(error.clone());
        }
        match self.restore(packages, node, token).await {
            Ok(()) => {
                lock_of(&self.failed).remove(&packages.id);
                Ok(path)
            }
            Err(error) => {
                let mut failed = lock_of(&self.failed);
                failed.retain(|_, (at, _)| now < at.plus_millis(ACTION_PACKAGES_RETRY_MS));
                failed.insert(packages.id.clone(), (now, error.clone()));
                Err(error)
            }
        }
    }

    async fn restore(&self, packages: &Packages, node: &Path, token: &str) -> Result<(), PackagesError> {
        let draft = self.draft(token).await?;
        let exact: BTreeMap<&str, &str> =
            packages.versions.iter().map(|(name, version)| (name.as_str(), version.as_str())).collect();
        draft.write("package.json", &lock::manifest(&exact)).await?;
        draft.write("package-lock.json", &packages.lock).await?;
        let _turn = self.turn().await?;
        // Someone else's turn may have brought it.
        if is_folder(&self.path_of(&packages.id)).await {
            return Ok(());
        }
        self.run_npm(&draft, "ci", node).await?;
        self.put_in_place(draft, &packages.id).await
    }

    /// Removes the sets that nobody names, and what interrupted installations left. `named` is asked for the sets that
    /// are named, after the candidates were found.
    ///
    /// # Errors
    /// Those of `named`. What can't be removed is left for another time.
    pub(crate) async fn sweep<E>(
        &self,
        named: impl AsyncFnOnce() -> Result<BTreeSet<String>, E>,
    ) -> Result<(), E> {
        lock_of(&self.held).since_sweep.clear();
        let mut candidates = Vec::new();
        if let Ok(mut entries) = tokio::fs::read_dir(&self.path).await {
            while let Ok(Some(entry)) = entries.next_entry().await {
                candidates.extend(entry.file_name().into_string());
            }
        }
        if candidates.is_empty() {
            return Ok(());
        }
        let named = named().await?;
        for name in candidates.into_iter().filter(|name| !named.contains(name)) {
            if let Some(discarded) = self.discard(&name) {
                // One that stays is tried again by the next sweep.
                let _ = tokio::fs::remove_dir_all(discarded).await;
            }
        }
        Ok(())
    }

    /// Takes a set out of sight, unless it is held or was since the sweep began.
    fn discard(&self, name: &str) -> Option<PathBuf> {
        let path = self.path.join(name);
        if name.starts_with(DISCARDED) {
            return Some(path);
        }
        let held = lock_of(&self.held);
        if held.count.contains_key(name) || held.since_sweep.contains(name) {
            return None;
        }
        let discarded = self.path.join(format!("{DISCARDED}{name}"));
        std::fs::rename(path, &discarded).ok().map(|()| discarded)
    }

    async fn draft(&self, token: &str) -> Result<Draft, PackagesError> {
        let name = format!("{DRAFT}{token}");
        let draft = Draft { path: self.path.join(&name), _hold: self.hold(&name) };
        for folder in [draft.set(), draft.home()] {
            tokio::fs::create_dir_all(&folder)
                .await
                .map_err(|error| unavailable("no folder for packages", &error))?;
        }
        Ok(draft)
    }

    async fn turn(&self) -> Result<tokio::sync::SemaphorePermit<'_>, PackagesError> {
        match timeout(Duration::from_millis(ACTION_PACKAGES_INSTALL_MS_MAX), self.turn.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(PackagesError::Busy),
        }
    }

    /// Runs npm and judges what came of it; the caller has the turn.
    async fn run_npm(&self, draft: &Draft, command: &str, node: &Path) -> Result<(), PackagesError> {
        self.npm.run(command, node, &draft.set(), &draft.home()).await?;
        let set = draft.set();
        let measured = tokio::task::spawn_blocking(move || measure(&set)).await;
        let (bytes, files) = match measured {
            Ok(Ok(measured)) => measured,
            Ok(Err(error)) => return Err(unavailable("installed packages can't be read", &error)),
            Err(error) => return Err(unavailable("installed packages can't be read", &error)),
        };
        if bytes > ACTION_PACKAGES_BYTES_MAX || files > ACTION_PACKAGES_FILES_MAX {
            return Err(PackagesError::Refused(format!(
                "the dependencies come to {bytes} bytes in {files} files; at most {ACTION_PACKAGES_BYTES_MAX} bytes in \
                 {ACTION_PACKAGES_FILES_MAX} files are allowed"
            )));
        }
        Ok(())
    }

    /// Gives an installed draft the name of its contents. One that is there already is as good.
    async fn put_in_place(&self, draft: Draft, id: &str) -> Result<(), PackagesError> {
        let path = self.path_of(id);
        match tokio::fs::rename(draft.set(), &path).await {
            Ok(()) => Ok(()),
            Err(_) if is_folder(&path).await => Ok(()),
            Err(error) => Err(unavailable("installed packages can't be kept", &error)),
        }
    }
}

fn unavailable(what: &str, error: &dyn std::error::Error) -> PackagesError {
    PackagesError::Unavailable(format!("{what}: {error}"))
}

async fn is_folder(path: &Path) -> bool {
    tokio::fs::metadata(path).await.is_ok_and(|found| found.is_dir())
}

/// Bytes and number of the files below a folder; stops counting above the bounds.
fn measure(folder: &Path) -> std::io::Result<(u64, usize)> {
    let (mut bytes, mut files) = (0, 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let found = entry.metadata()?;
            if found.is_dir() {
                folders.push(entry.path());
            }
            bytes += found.len();
            files += 1;
            if bytes > ACTION_PACKAGES_BYTES_MAX || files > ACTION_PACKAGES_FILES_MAX {
                return Ok((bytes, files));
            }
        }
    }
    Ok((bytes, files))
}

/// A folder in which packages are being installed; gone when dropped.
struct Draft {
    path: PathBuf,
    _hold: Hold,
}

impl Draft {
    /// What will be the set.
    fn set(&self) -> PathBuf {
        self.path.join("set")
    }

    /// npm's home for this once.
    fn home(&self) -> PathBuf {
        self.path.join("home")
    }

    async fn write(&self, name: &str, text: &str) -> Result<(), PackagesError> {
        let written = tokio::fs::write(self.set().join(name), text).await;
        written.map_err(|error| unavailable("the folder for packages can't be written to", &error))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let path = std::mem::take(&mut self.path);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // What stays is swept later.
            runtime.spawn_blocking(move || std::fs::remove_dir_all(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BTreeSet, PackagesFolder, is_folder};

    fn folder(name: &str) -> PackagesFolder {
        let path = std::env::temp_dir().join(format!("vestibule-sets-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        PackagesFolder::new(path, None)
    }

    fn make(folder: &PackagesFolder, names: &[&str]) {
        names
            .iter()
            .for_each(|name| std::fs::create_dir_all(folder.path_of(name).join("node_modules")).unwrap());
    }

    #[tokio::test]
    async fn a_sweep_removes_what_nobody_names_or_holds() {
        let folder = folder("sweep");
        make(&folder, &["named", "held", "forgotten", ".new-left", ".old-left"]);
        let hold = folder.hold("held");
        let named = BTreeSet::from(["named".to_owned()]);
        folder.sweep(async || Ok::<_, ()>(named.clone())).await.unwrap();
        let mut left: Vec<_> =
            std::fs::read_dir(&folder.path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["held", "named"]);
        drop(hold);
        // What is held in mid-sweep stays, even if it is let go before its turn.
        folder
            .sweep(async || {
                drop(folder.hold("held"));
                Ok::<_, ()>(named.clone())
            })
            .await
            .unwrap();
        assert!(is_folder(&folder.path_of("held")).await);
        folder.sweep(async || Ok::<_, ()>(named)).await.unwrap();
        assert!(!is_folder(&folder.path_of("held")).await);
        std::fs::remove_dir_all(&folder.path).unwrap();
    }
}
