//! A processor-time limit that the kernel enforces, for code that never returns to the interpreter.
//!
//! The interpreter asks our deadline only between its own instructions; one long built-in call never asks. So each
//! run also arms a timer whose expiry ends the whole process, and the host reads the signal from its exit status.

use std::io;
use std::time::Duration;

/// What kills a worker that used up its processor time (setitimer(2), `ITIMER_PROF`).
pub(crate) const SIGNAL: i32 = libc::SIGPROF;

/// Ends this process once it has used that much more processor time; `None` disarms.
pub(crate) fn arm(after: Option<Duration>) -> io::Result<()> {
    let after = after.unwrap_or(Duration::ZERO);
    let value = libc::timeval {
        tv_sec: libc::time_t::try_from(after.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_usec: libc::suseconds_t::from(after.subsec_micros()),
    };
    let never = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let timer = libc::itimerval { it_interval: never, it_value: value };
    #[expect(unsafe_code, reason = "no safe wrapper of setitimer is among our dependencies")]
    // SAFETY: `timer` lives through the call, and a null old value is allowed.
    let result = unsafe { libc::setitimer(libc::ITIMER_PROF, &raw const timer, std::ptr::null_mut()) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
