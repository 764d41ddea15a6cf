//! The data folder: made for its owner only, with the master key in it.
//!
//! Nothing here ever overwrites a key: a lost master key makes every sealed secret unreadable.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use domain::secret::Secret;
use engine::ports::Entropy;

/// Bytes of the master key.
const MASTER_KEY_BYTES: usize = 32;

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// The system refused.
    #[error("{path}: {error}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The master key is not 64 hexadecimal digits.
    #[error("{from}: a master key is 64 hexadecimal digits")]
    MasterKey {
        /// The file or the variable.
        from: String,
    },
}

/// An open data folder.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
}

impl DataFolder {
    /// Opens the folder; makes it (0700) if it is missing.
    ///
    /// # Errors
    /// [`DataFolderError::Io`].
    pub fn open(path: &Path) -> Result<Self, DataFolderError> {
        let io = |error| DataFolderError::Io { path: path.to_owned(), error };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io)?;
        Ok(Self { path: path.canonicalize().map_err(io)? })
    }

    /// A file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder itself, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The text of a file, if it is there.
    ///
    /// # Errors
    /// [`DataFolderError::Io`].
    pub fn read(&self, name: &str) -> Result<Option<String>, DataFolderError> {
        let path = self.file(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DataFolderError::Io { path, error }),
        }
    }

    /// Makes a file that its owner alone may read. Answers false, and leaves it as it is, if it exists.
    ///
    /// # Errors
    /// [`DataFolderError::Io`].
    pub fn create_private(&self, name: &str, text: &str) -> Result<bool, DataFolderError> {
        let path = self.file(name);
        let draft = self.file(&format!(".{name}.{}", std::process::id()));
        let io = |error| DataFolderError::Io { path: path.clone(), error };
        write_private(&draft, text).map_err(io)?;
        // A link fails if the name is taken, so of two processes that start at once one wins, and nobody ever sees
        // half a file.
        let linked = std::fs::hard_link(&draft, &path);
        std::fs::remove_file(&draft).map_err(io)?;
        match linked {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(io(error)),
        }
    }

    /// Writes a file whole, in place of the one before: readers see the old one or the new one. `private` lets its
    /// owner alone read it.
    ///
    /// # Errors
    /// [`DataFolderError::Io`].
    pub fn replace(&self, name: &str, text: &str, private: bool) -> Result<(), DataFolderError> {
        replace_file(&self.file(name), text, private)
    }

    /// The master key: from the environment (`VESTIBULE_MASTER_KEY`), else from `master.key`, which is made on the
    /// first start.
    ///
    /// # Errors
    /// [`DataFolderError`]: the key is malformed or unreadable.
    pub fn master_key(
        &self,
        environment: Option<&str>,
        entropy: &dyn Entropy,
    ) -> Result<Secret<[u8; MASTER_KEY_BYTES]>, DataFolderError> {
        if let Some(text) = environment {
            return parse_key(text, "VESTIBULE_MASTER_KEY");
        }
        let name = "master.key";
        let text = match self.read(name)? {
            Some(text) => text,
            None => {
                let mut key = [0; MASTER_KEY_BYTES];
                entropy.fill(&mut key);
                self.create_private(name, &format!("{}\n", domain::id::hexadecimal(&key)))?;
                self.read(name)?.unwrap_or_default()
            }
        };
        parse_key(&text, &self.file(name).display().to_string())
    }
}

/// Writes a file whole beside its place and moves it there.
///
/// # Errors
/// [`DataFolderError::Io`].
pub fn replace_file(path: &Path, text: &str, private: bool) -> Result<(), DataFolderError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let io = |error| DataFolderError::Io { path: path.to_owned(), error };
    if private {
        write_private(&draft, text).map_err(io)?;
    } else {
        std::fs::write(&draft, text).map_err(io)?;
    }
    std::fs::rename(&draft, path).map_err(io)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn parse_key(text: &str, from: &str) -> Result<Secret<[u8; MASTER_KEY_BYTES]>, DataFolderError> {
    let bad = || DataFolderError::MasterKey { from: from.to_owned() };
    let text = text.trim();
    if text.len() != 2 * MASTER_KEY_BYTES || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(bad());
    }
    let mut key = [0; MASTER_KEY_BYTES];
    for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).map_err(|_| bad())?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| bad())?;
    }
    Ok(Secret::new(key))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use engine::ports::SystemEntropy;

    use super::{DataFolder, parse_key};

    fn folder(name: &str) -> DataFolder {
        let path = std::env::temp_dir().join(format!("vestibule-data-{}-{name}", std::process::id()));
        DataFolder::open(&path).unwrap()
    }

    #[test]
    fn the_master_key_is_made_once_for_its_owner_only() {
        let folder = folder("master");
        let first = folder.master_key(None, &SystemEntropy).unwrap();
        let second = folder.master_key(None, &SystemEntropy).unwrap();
        assert_eq!(first.expose(), second.expose());
        assert_ne!(first.expose(), &[0; 32]);
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.file("master.key")), 0o600);
        assert_eq!(mode(folder.path().to_owned()), 0o700);
        std::fs::remove_dir_all(folder.path()).unwrap();
    }

    #[test]
    fn a_key_from_the_environment_wins_and_is_not_written_down() {
        let folder = folder("environment");
        let key = folder.master_key(Some(&"ab".repeat(32)), &SystemEntropy).unwrap();
        assert_eq!(key.expose(), &[0xab; 32]);
        assert_eq!(folder.read("master.key").unwrap(), None);
        std::fs::remove_dir_all(folder.path()).unwrap();
    }

    #[test]
    fn an_existing_private_file_is_not_overwritten() {
        let folder = folder("private");
        assert!(folder.create_private("a.key", "first").unwrap());
        assert!(!folder.create_private("a.key", "second").unwrap());
        assert_eq!(folder.read("a.key").unwrap().as_deref(), Some("first"));
        std::fs::remove_dir_all(folder.path()).unwrap();
    }

    #[test]
    fn a_malformed_master_key_is_refused() {
        for text in ["", "00", &"zz".repeat(32), &"00".repeat(33), &"é".repeat(32), &"+1".repeat(32)] {
            assert!(parse_key(text, "test").is_err(), "{text}");
        }
    }
}
