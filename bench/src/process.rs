//! The measured process: started in a folder of its own, its processor time read, ended when dropped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Result;

/// Ticks per second in `/proc/PID/stat`. Linux shows 100 to programs on every common machine (`man 5 proc`).
const TICKS_PER_SECOND: u32 = 100;
/// How long the server may take to start, in milliseconds: it makes an RSA key and a data folder.
const START_MS_MAX: u64 = 60_000;
const POLL_MS: u64 = 20;
/// Where a server listens that takes any port.
pub(crate) const ANY_PORT: &str = "127.0.0.1:0";

/// A child process, with what it started itself.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts it. Its standard output can be read from the child that is handed out first.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        Ok(Self { child: command.stdin(Stdio::null()).spawn()? })
    }

    /// What it writes, where the command asked for a pipe.
    pub(crate) fn output(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Processor time, user and system, of the process, of its children, and of those that ended.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let ticks = tree_ticks(self.child.id())?;
        Ok(Duration::from_secs(ticks) / TICKS_PER_SECOND)
    }

    /// Bytes of memory that the process alone, without its children, has in use.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: u64 =
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).ok_or("no VmRSS")?;
        Ok(kib * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tree_ticks(pid: u32) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let numbers = stat.rsplit_once(')').ok_or("a stat line names its process")?.1;
    // After the name come state, parent and eight more; then utime, stime, cutime, cstime (fields 14 to 17).
    let own: u64 =
        numbers.split_whitespace().skip(11).take(4).filter_map(|text| text.parse::<u64>().ok()).sum();
    let mut below = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let children = std::fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|text| text.parse().ok()) {
            below += tree_ticks(child).unwrap_or(0);
        }
    }
    Ok(own + below)
}

/// A folder that goes when dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A new folder in `parent`.
    pub(crate) fn new(parent: &Path, name: &str) -> Result<Self> {
        let path = parent.join(format!("vestibule-bench-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running server.
pub(crate) struct Server {
    /// The process; stands before the folder so that it ends first.
    pub(crate) process: Process,
    /// `admin.json`: how to get in.
    pub(crate) admin: Value,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    folder: Folder,
}

impl Server {
    /// Starts the server as an operator would, on a free port, without encryption: the client's share of TLS would
    /// only blur what the server itself costs.
    pub(crate) async fn start(program: &Path, parent: &Path) -> Result<Self> {
        Self::start_in(program, Folder::new(parent, "server")?, ANY_PORT, &[]).await
    }

    /// The same at an address, which its tokens name, in a folder that may hold a store already, with further settings
    /// (`section.key=value`).
    pub(crate) async fn start_in(
        program: &Path,
        folder: Folder,
        listen: &str,
        settings: &[String],
    ) -> Result<Self> {
        let (data, ready) = (folder.file("data"), folder.file("ready.json"));
        let mut command = Command::new(program);
        command.arg("serve").arg("--data").arg(&data).arg("--ready-file").arg(&ready);
        command.args(["--listen", listen, "--set", "tls.enabled=false", "--set", "log.level=warn"]);
        for setting in settings {
            command.args(["--set", setting]);
        }
        // That of an earlier start tells nothing.
        let _absent = std::fs::remove_file(&ready);
        // Every variable with this prefix is a setting to the server.
        let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("VESTIBULE_"));
        for (name, _) in ours {
            command.env_remove(name);
        }
        let mut process = Process::start(command.stdout(Stdio::null()))?;
        let until = Instant::now() + Duration::from_millis(START_MS_MAX);
        while !ready.exists() {
            if Instant::now() > until || process.child.try_wait()?.is_some() {
                return Err("the server did not start".into());
            }
            tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
        }
        let read = |path: &Path| -> Result<Value> { Ok(serde_json::from_slice(&std::fs::read(path)?)?) };
        let (url, admin) = (read(&ready)?, read(&data.join("admin.json"))?);
        let port =
            url["url"].as_str().and_then(|url| url.rsplit_once(':')).ok_or("the ready file has a URL")?.1;
        Ok(Self { process, admin, address: format!("127.0.0.1:{}", port.trim_end_matches('/')), folder })
    }

    /// Ends it; its folder stays, and its address is free.
    pub(crate) fn stop(self) -> (Folder, String) {
        let Self { process, folder, address, .. } = self;
        drop(process);
        (folder, address)
    }
}

#[cfg(test)]
mod tests {
    use super::tree_ticks;

    #[test]
    fn the_time_of_this_process_can_be_read_and_grows() {
        let before = tree_ticks(std::process::id()).unwrap();
        let mut sum = 0_u64;
        while tree_ticks(std::process::id()).unwrap() < before + 3 {
            sum = (0..100_000).fold(sum, |sum, number| std::hint::black_box(sum ^ number));
        }
        assert!(tree_ticks(std::process::id()).unwrap() >= before + 3);
    }
}
