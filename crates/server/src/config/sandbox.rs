//! `[sandbox]`: the worker processes that run Actions.

use std::path::PathBuf;

use super::section::section;

section! {
    /// The worker processes that run Actions, apart from the server and without its rights.
    "sandbox" Sandbox {
        /// Worker processes; each runs one Action at a time. Zero means one per processor, at least two.
        workers: usize = 0;
        /// Action runs that wait for a worker at most. Further sign-ins are refused until there is room.
        queue_max: usize = 256;
        /// Address space of one worker process in MiB: a second fence around the memory limit that each run has. The
        /// allocator sets 1024 MiB of addresses (not of memory) aside when it starts, so less than that starts nothing.
        memory_mib: usize = 2048;
        /// The program that is started with the argument `worker`. Unset, it is this very program.
        program: Option<PathBuf> = None;
    }
}

impl Sandbox {
    /// Few workers: a test runs few Actions.
    pub fn for_testing() -> Self {
        Self { workers: 1, ..Self::default() }
    }
}
