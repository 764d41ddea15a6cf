//! A processor-time limit that the kernel enforces, for code that never returns to the interpreter.
//!
//! The interpreter asks our deadline only between its own instructions; one long built-in call never asks. So each
//! run also arms a timer on the process's own clock, whose expiry ends the whole process, and the host reads the
//! signal from its exit status. (`setitimer` counts in ticks, and was found tens of milliseconds early.)

use std::io;
use std::time::Duration;

/// What kills a worker that used up its processor time: what timer_create(2) sends when not told otherwise.
pub(crate) const SIGNAL: i32 = libc::SIGALRM;

/// A timer on this process's processor time.
#[derive(Debug)]
pub(crate) struct CpuTimer(libc::timer_t);

impl CpuTimer {
    /// Makes the timer, disarmed. It lives as long as the process.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub(crate) fn new() -> io::Result<Self> {
        let mut id: libc::timer_t = std::ptr::null_mut();
        #[expect(unsafe_code, reason = "no safe wrapper of timer_create is among our dependencies")]
        // SAFETY: a null event is allowed and means SIGALRM; `id` lives through the call.
        let result =
            unsafe { libc::timer_create(libc::CLOCK_PROCESS_CPUTIME_ID, std::ptr::null_mut(), &raw mut id) };
        if result == 0 { Ok(Self(id)) } else { Err(io::Error::last_os_error()) }
    }

    /// Ends this process once it has used that much more processor time; `None` disarms.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub(crate) fn arm(&self, after: Option<Duration>) -> io::Result<()> {
        let after = after.unwrap_or(Duration::ZERO);
        let value = libc::timespec {
            tv_sec: libc::time_t::try_from(after.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: libc::c_long::from(i32::try_from(after.subsec_nanos()).unwrap_or(0)),
        };
        let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let timer = libc::itimerspec { it_interval: never, it_value: value };
        #[expect(unsafe_code, reason = "no safe wrapper of timer_settime is among our dependencies")]
        // SAFETY: the id is our own timer's; `timer` lives through the call, and a null old value is allowed.
        let result = unsafe { libc::timer_settime(self.0, 0, &raw const timer, std::ptr::null_mut()) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}
