//! `[passwords]`: the threads that hash passwords.

use super::section::section;

section! {
    /// Hashing of passwords, which is slow on purpose and therefore has threads and a queue of its own.
    "passwords" Passwords {
        /// Threads that hash. Zero means one per processor.
        threads: usize = 0;
        /// Sign-ins that wait for a thread at most. Further ones are asked to try again.
        queue_max: usize = 256;
        /// Memory of one hash in KiB (Argon2id, RFC 9106).
        memory_kib: u32 = 19 * 1024;
        /// Passes over that memory.
        passes: u32 = 2;
    }
}

impl Passwords {
    /// Two threads and hashes that cost nothing.
    pub fn for_testing() -> Self {
        Self { threads: 2, memory_kib: 64, passes: 1, ..Self::default() }
    }
}
