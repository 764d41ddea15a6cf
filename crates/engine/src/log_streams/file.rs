//! A stream's file: JSON lines, whole ones only, on the disk before anybody says that they are, rotated by size.
//!
//! `NAME.jsonl` grows until it would be too large, becomes `NAME.jsonl.1`, and so on. Everything here blocks.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Bytes looked at in one step back for the end of the last whole line.
const STEP: u64 = 64 * 1024;

/// Where a stream's file lies, and how large it may become.
#[derive(Debug, Clone)]
pub(super) struct StreamFile {
    /// The operator's folder.
    pub(super) folder: PathBuf,
    /// Its name without ending.
    pub(super) name: String,
    /// Bytes of one file.
    pub(super) bytes_max: u64,
    /// Rotated files that are kept.
    pub(super) files_max: u32,
}

impl StreamFile {
    /// Appends whole lines. When it answers well, they outlive the machine's power; when not, perhaps some of them are
    /// there, and whoever appends next takes away what is torn.
    pub(super) fn append(&self, lines: &str) -> Result<()> {
        DirBuilder::new().recursive(true).mode(0o750).create(&self.folder)?;
        let _lock = self.lock()?;
        let path = self.path(0);
        let mut file = open(&path)?;
        let mut length = mend(&mut file)?;
        if length > 0 && length + lines.len() as u64 > self.bytes_max {
            drop(file);
            self.rotate()?;
            file = open(&path)?;
            length = 0;
        }
        let written = file.write_all(lines.as_bytes()).and_then(|()| file.sync_all());
        if let Err(error) = written {
            // A full disk: what is half written would only be in the way.
            let _ = file.set_len(length);
            return Err(error);
        }
        match length {
            // The file may be new: its name must outlive too.
            0 => File::open(&self.folder)?.sync_all(),
            _ => Ok(()),
        }
    }

    /// One writer at a time, of all processes that share the folder.
    fn lock(&self) -> Result<File> {
        let lock = open(&self.folder.join(format!(".{}.lock", self.name)))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => Err(Error::other("the file is being written by somebody else")),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The file itself, or the so-manieth rotated one.
    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(match number {
            0 => format!("{}.jsonl", self.name),
            number => format!("{}.jsonl.{number}", self.name),
        })
    }

    /// Moves each file one number up, as far as the first number that is free: what a rotation that was cut short has
    /// moved already stays where it is. Where none is free the oldest file goes.
    fn rotate(&self) -> Result<()> {
        let free = (1..=self.files_max).find(|number| !self.path(*number).exists());
        let last = free.unwrap_or(self.files_max);
        for number in (0..last).rev() {
            match std::fs::rename(self.path(number), self.path(number + 1)) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                other => other?,
            }
        }
        if self.files_max == 0 {
            std::fs::remove_file(self.path(0))?;
        }
        File::open(&self.folder)?.sync_all()
    }
}

/// Opens for appending. Events hold personal data, so not everybody may read them.
fn open(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o640).open(path)
}

/// Takes a torn last line away, which nobody was told of as written; answers how long the file is then.
fn mend(file: &mut File) -> Result<u64> {
    let length = file.metadata()?.len();
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(STEP);
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or_default()];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut bytes)?;
        if let Some(at) = bytes.iter().rposition(|byte| *byte == b'\n') {
            end = start + at as u64 + 1;
            break;
        }
        end = start;
    }
    if end < length {
        file.set_len(end)?;
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::StreamFile;

    fn file(test: &str, bytes_max: u64, files_max: u32) -> StreamFile {
        let folder =
            std::env::temp_dir().join(format!("vestibule-stream-file-{}-{test}", std::process::id()));
        let _absent = std::fs::remove_dir_all(&folder);
        StreamFile { folder, name: "audit".into(), bytes_max, files_max }
    }

    fn read(file: &StreamFile, number: u32) -> Option<String> {
        std::fs::read_to_string(file.path(number)).ok()
    }

    fn clear(file: &StreamFile) {
        std::fs::remove_dir_all(&file.folder).unwrap();
    }

    #[test]
    fn lines_are_appended_for_few_eyes() {
        let file = file("append", 1000, 2);
        file.append("1\n2\n").unwrap();
        file.append("3\n").unwrap();
        assert_eq!(read(&file, 0).as_deref(), Some("1\n2\n3\n"));
        let mode = std::fs::metadata(file.path(0)).unwrap().permissions().mode();
        assert_eq!(mode & 0o007, 0, "{mode:o}");
        clear(&file);
    }

    #[test]
    fn a_torn_line_is_taken_away_however_long_it_is() {
        let file = file("torn", 1_000_000, 2);
        for (before, kept) in [
            ("1\n2\n{\"half".to_owned(), "1\n2\n"),
            ("half of the first".to_owned(), ""),
            (format!("1\n{}", "x".repeat(200_000)), "1\n"),
            ("1\n".to_owned(), "1\n"),
        ] {
            std::fs::create_dir_all(&file.folder).unwrap();
            std::fs::write(file.path(0), before).unwrap();
            file.append("new\n").unwrap();
            assert_eq!(read(&file, 0), Some(format!("{kept}new\n")));
        }
        clear(&file);
    }

    #[test]
    fn files_are_rotated_by_size_and_the_oldest_goes() {
        let file = file("rotate", 4, 2);
        for line in ["1\n", "2\n", "3\n", "4\n", "5\n", "6\n", "7\n"] {
            file.append(line).unwrap();
        }
        let all = [0, 1, 2, 3].map(|number| read(&file, number));
        assert_eq!(all, [Some("7\n".into()), Some("5\n6\n".into()), Some("3\n4\n".into()), None]);
        file.append("a line longer than any file may be\n").unwrap();
        assert_eq!(read(&file, 0).as_deref(), Some("a line longer than any file may be\n"));
        clear(&file);
    }

    #[test]
    fn a_rotation_that_was_cut_short_loses_nothing() {
        let file = file("cut", 4, 3);
        for line in ["1\n2\n", "3\n4\n", "5\n6\n"] {
            file.append(line).unwrap();
        }
        // As if the process had died after the first of three moves.
        std::fs::rename(file.path(2), file.path(3)).unwrap();
        file.append("7\n8\n").unwrap();
        let all = [0, 1, 2, 3].map(|number| read(&file, number).unwrap());
        assert_eq!(all, ["7\n8\n", "5\n6\n", "3\n4\n", "1\n2\n"]);
        clear(&file);
    }

    #[test]
    fn of_two_writers_one_waits() {
        let file = file("lock", 1000, 1);
        file.append("1\n").unwrap();
        let held = file.lock().unwrap();
        assert!(file.append("2\n").is_err());
        drop(held);
        file.append("2\n").unwrap();
        assert_eq!(read(&file, 0).as_deref(), Some("1\n2\n"));
        clear(&file);
    }
}
