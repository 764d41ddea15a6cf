//! What a worker does before it becomes Node.js: give up its rights, for itself and for what it becomes.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::rights;
use crate::wire::{self, Reply};

/// What Node.js is started with; it reads everything else from its socket.
const BOOT: &str = include_str!("../../js/node/boot.js");
const MIB: u64 = 1024 * 1024;

/// The first message to a worker that is to become Node.js.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Become {
    /// The program.
    pub(super) node: PathBuf,
    /// The option that turns its permission model on.
    pub(super) permission_option: String,
    /// The only folder that scripts may read; absolute, without links.
    pub(super) packages: PathBuf,
    /// Bytes of JavaScript heap.
    pub(super) memory_bytes: u64,
    /// Seconds of processor time.
    pub(super) cpu_seconds: u64,
}

/// What `vestibule node-worker` runs: gives up its rights and becomes Node.js, which serves one job that comes over the
/// socket on descriptor 0. Comes back, with the exit code, only if that fails or the host hung up. Call it before
/// the process has started any thread.
pub fn node_worker_main() -> i32 {
    let stdin = io::stdin();
    let Ok(descriptor) = stdin.as_fd().try_clone_to_owned() else { return 1 };
    let mut socket = File::from(descriptor);
    let start = match wire::receive_blocking::<Become>(&mut socket) {
        Ok(Some(start)) => start,
        Ok(None) => return 0,
        Err(_) => return 1,
    };
    let reason = turn_into_node(&start);
    // The host may have hung up; there is nobody else to tell.
    let _ = wire::send_blocking(&mut socket, &Reply::Refused(reason));
    1
}

/// Answers why it could not be done.
fn turn_into_node(start: &Become) -> String {
    if let Err(error) = std::env::set_current_dir(&start.packages) {
        return format!("packages folder: {error}");
    }
    if let Err(reason) = rights::give_up(start) {
        return reason;
    }
    let mut node = Command::new(&start.node);
    node.env_clear()
        // Asked for, the kernel would refuse it, and say so only after a moment.
        .env("UV_USE_IO_URING", "0")
        .arg(&start.permission_option)
        .arg(format!("--allow-fs-read={}/*", start.packages.display()))
        .arg(format!("--max-old-space-size={}", (start.memory_bytes / MIB).max(1)))
        .args(["--preserve-symlinks", "--no-addons", "--no-warnings", "--eval", BOOT]);
    format!("{}: {}", start.node.display(), node.exec())
}
