//! A list of passwords that are known from breaches, as a file of the operator's.
//!
//! One SHA-1 hash in hexadecimal on each line, in ascending order; what follows a colon does not count. That is the form
//! in which the largest such list is given away, so a password is looked up in the file as it is, by halving, without
//! reading it. SHA-1 protects nothing here: it is how such lists are written.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use aws_lc_rs::digest;

use crate::Error;

/// Bytes of a SHA-1 hash (FIPS 180-4).
const HASH_BYTES: usize = 20;
/// Bytes of one line. Ours: a hash, a colon and a count are less.
const LINE_BYTES_MAX: usize = 128;
/// Lines whose form and order are looked at when the file is opened. Ours: a file in another order shows itself soon.
const SAMPLES: u64 = 1_000;

type Hash = [u8; HASH_BYTES];

/// The list, open for reading.
pub struct BreachedPasswords {
    file: File,
    bytes: u64,
}

/// One line: where it and the next begin, and what it holds.
struct Line {
    begins: u64,
    ends: u64,
    hash: Hash,
}

impl BreachedPasswords {
    /// Opens the list, and looks at samples of it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it cannot be read, or is no such list.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let wrong = |error: io::Error| {
            Error::Unavailable(format!("the list of breached passwords {}: {error}", path.display()))
        };
        let file = File::open(path).map_err(wrong)?;
        let bytes = file.metadata().map_err(wrong)?.len();
        let list = Self { file, bytes };
        list.check().map_err(wrong)?;
        Ok(list)
    }

    /// Whether a password is in the list. Reads the file, so it belongs on a thread that may wait. A list that cannot be
    /// read any more is the operator's to mend and must not keep everybody out: then no password is in it.
    pub fn contains(&self, password: &str) -> bool {
        self.look_up(password).unwrap_or_else(|error| {
            tracing::error!(%error, "the list of breached passwords cannot be read");
            false
        })
    }

    fn look_up(&self, password: &str) -> io::Result<bool> {
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        let wanted = digest.as_ref();
        // Lines that begin before `low` are smaller; those that begin at `high` or later are not.
        let (mut low, mut high) = (0, self.bytes);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.line_from(middle)?.filter(|line| line.begins < high) {
                Some(line) if line.hash.as_slice() < wanted => low = line.ends,
                Some(_) | None => high = middle,
            }
        }
        Ok(self.line_from(low)?.is_some_and(|line| line.hash.as_slice() == wanted))
    }

    /// The first line that begins at this byte or later.
    fn line_from(&self, at: u64) -> io::Result<Option<Line>> {
        let mut buffer = [0; 2 * LINE_BYTES_MAX];
        // One byte earlier, to see whether a line begins right here.
        let from = at.saturating_sub(1);
        let read = self.read(&mut buffer, from)?;
        let text = &buffer[..read];
        let skipped = match at {
            0 => 0,
            _ => match text.iter().take(LINE_BYTES_MAX).position(|byte| *byte == b'\n') {
                Some(end) => end + 1,
                None if read < LINE_BYTES_MAX => return Ok(None),
                None => return Err(bad_line(from)),
            },
        };
        let rest = &text[skipped..];
        if rest.is_empty() {
            return Ok(None);
        }
        let begins = from + skipped as u64;
        let end = rest.iter().position(|byte| *byte == b'\n');
        if end.is_none() && read == buffer.len() {
            return Err(bad_line(begins));
        }
        let length = end.unwrap_or(rest.len());
        let hash = hash_of(&rest[..length]).ok_or_else(|| bad_line(begins))?;
        Ok(Some(Line { begins, ends: begins + length as u64 + 1, hash }))
    }

    fn read(&self, buffer: &mut [u8], from: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], from + filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        Ok(filled)
    }

    fn check(&self) -> io::Result<()> {
        let mut last: Option<Line> = None;
        for sample in 0..SAMPLES {
            let at = u64::try_from(u128::from(self.bytes) * u128::from(sample) / u128::from(SAMPLES))
                .unwrap_or(self.bytes);
            let Some(line) = self.line_from(at)? else { break };
            if last.as_ref().is_some_and(|last| last.begins < line.begins && last.hash > line.hash) {
                let message =
                    format!("the line at byte {} is smaller than one before; sort the file", line.begins);
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            last = Some(line);
        }
        Ok(())
    }
}

fn bad_line(at: u64) -> io::Error {
    let message = format!("the line at byte {at} does not begin with a SHA-1 hash in hexadecimal");
    io::Error::new(io::ErrorKind::InvalidData, message)
}

fn hash_of(line: &[u8]) -> Option<Hash> {
    let text = line.trim_ascii_end();
    let digits = text.split(|byte| *byte == b':').next()?;
    if digits.len() != 2 * HASH_BYTES {
        return None;
    }
    let mut hash = [0; HASH_BYTES];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use aws_lc_rs::digest;
    use domain::id::hexadecimal;

    use super::BreachedPasswords;
    use crate::Error;

    /// A file of its own for each test, gone with it.
    struct List(PathBuf);

    impl List {
        fn of(name: &str, text: &str) -> Self {
            let path = std::env::temp_dir().join(format!("breached-{}-{name}", std::process::id()));
            fs::write(&path, text).unwrap();
            Self(path)
        }

        fn open(&self) -> Result<BreachedPasswords, Error> {
            BreachedPasswords::open(&self.0)
        }
    }

    impl Drop for List {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn sha1(password: &str) -> String {
        hexadecimal(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()).as_ref())
    }

    #[test]
    fn each_password_of_a_list_is_found_and_no_other() {
        for count in [0, 1, 2, 3, 7, 100, 1_000] {
            let mut lines: Vec<String> = (0..count).map(|n| sha1(&format!("p{n}"))).collect();
            lines.sort_unstable();
            // Lines of unequal length, as with counts behind a colon; the last without an end.
            let lines: Vec<String> =
                lines.iter().enumerate().map(|(at, hash)| format!("{hash}:{}", 7_u64 << (at % 40))).collect();
            for (ending, text) in [("lf", lines.join("\n")), ("crlf", format!("{}\r\n", lines.join("\r\n")))]
            {
                let text = if count == 0 { String::new() } else { text };
                let list = List::of(&format!("{count}-{ending}"), &text);
                let list = list.open().unwrap();
                for n in 0..count {
                    assert!(list.contains(&format!("p{n}")), "p{n} of {count}, {ending}");
                }
                for n in count..count + 50 {
                    assert!(!list.contains(&format!("p{n}")), "p{n} of {count}, {ending}");
                }
            }
        }
    }

    #[test]
    fn upper_case_is_as_good() {
        let list = List::of("upper", &sha1("secret").to_uppercase());
        assert!(list.open().unwrap().contains("secret"));
    }

    #[test]
    fn what_is_no_sorted_list_of_hashes_is_refused() {
        let backwards = format!("{}\n{}\n", "f".repeat(40), "0".repeat(40));
        for (name, text) in
            [("words", "password\nletmein\n"), ("order", &*backwards), ("long", &"0".repeat(500))]
        {
            assert!(List::of(name, text).open().is_err(), "{name}");
        }
        assert!(BreachedPasswords::open("/there/is/no/such/list".as_ref()).is_err());
    }
}
