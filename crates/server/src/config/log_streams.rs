//! `[log_streams]`: where the event log may be streamed to.

use std::path::{Path, PathBuf};

use domain::egress::{AllowedHost, Egress};

use super::section::section;
use super::value::Setting;

section! {
    /// Where the event log may be streamed to.
    "log_streams" LogStreams {
        /// Whether streams may post to `http` URLs and to addresses of this machine and of private networks. With it,
        /// whoever may make log streams can make the server call its neighbours.
        allow_insecure_urls: bool = false;
        /// Hosts of yours to which streams may post although they are private, by `http` too; see `logout.allow_hosts`.
        allow_hosts: Vec<AllowedHost> = Vec::new();
        /// The folder of streams of the type `file`; made if missing. Unset, this server writes no files, and
        /// streams of that type are carried by servers that have a folder.
        folder: Option<PathBuf> = None;
        /// A stream of all events into this file of the folder, without its ending `.jsonl`: for operators who do not
        /// use the API. It begins with the oldest event that is kept.
        file: Option<FileName> = None;
        /// A file is rotated before it becomes larger than so many MiB.
        file_mib: u32 = 64;
        /// Rotated files that are kept of each stream; then the oldest is deleted.
        files: u32 = 8;
    }
}

impl LogStreams {
    /// Tests' receivers listen on loopback.
    pub fn for_testing(data: &Path) -> Self {
        Self { allow_insecure_urls: true, folder: Some(data.join("streams")), ..Self::default() }
    }

    /// Where streams may post.
    pub fn egress(&self) -> Egress {
        Egress { everywhere: self.allow_insecure_urls, allowed: self.allow_hosts.clone() }
    }
}

/// The name of a file that stays in its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for FileName {
    fn read(text: &str) -> Result<Self, String> {
        match domain::log_stream::is_file_name(text) {
            true => Ok(Self(text.to_owned())),
            false => Err("expected a name of letters, digits, `.`, `_` and `-`, such as audit".to_owned()),
        }
    }
    fn show(&self) -> String {
        self.0.clone()
    }
}
