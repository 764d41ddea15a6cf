//! Gives up every right that running a script doesn't need, for good.
//!
//! Four fences, each of which holds alone: no new privileges, Landlock (no files, where the kernel has it), seccomp
//! (a short list of system calls, some with certain arguments only; all others fail), resource limits. None needs
//! root, none minds it.
//!
//! Not here: a signal when the parent dies. The kernel ties it to the thread that started us, and the host's runtime
//! may end a thread and live on. A worker without a host ends by its closed socket or its processor-time timer.

use std::collections::BTreeMap;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    Scope,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// System calls that memory, time, the one socket and the end of the process need. Everything else answers EPERM:
/// a library that tries something harmless carries on, and nothing is opened, connected, started or traced.
const CALLS: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_ppoll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_close,
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
    libc::SYS_timer_settime,
    libc::SYS_timer_create,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_sigaltstack,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Gives up the rights of this process, which must have no thread but the calling one.
///
/// # Errors
/// Says which fence couldn't be raised; the process must then not run a script. A kernel without Landlock is no error.
pub(crate) fn give_up(memory_bytes_max: u64) -> Result<(), String> {
    rustix::thread::set_no_new_privs(true).map_err(|error| format!("no_new_privs: {error}"))?;
    // Landlock needs one more descriptor for a moment, so it comes before the limit on them.
    forbid_files_and_network().map_err(|error| format!("landlock: {error}"))?;
    limit_resources(memory_bytes_max).map_err(|error| format!("resource limits: {error}"))?;
    allow_only(CALLS).map_err(|error| format!("seccomp: {error}"))
}

fn limit_resources(memory_bytes_max: u64) -> rustix::io::Result<()> {
    let limits = [
        (Resource::As, memory_bytes_max),
        // No further file, whatever the call that would open it: descriptor 0 is taken. Not 0, or poll(2) fails.
        (Resource::Nofile, 1),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
        (Resource::Core, 0),
    ];
    for (resource, max) in limits {
        setrlimit(resource, Rlimit { current: Some(max), maximum: Some(max) })?;
    }
    Ok(())
}

fn forbid_files_and_network() -> Result<(), landlock::RulesetError> {
    // Best effort: a kernel that knows less of this, or nothing, leaves the other fences.
    let abi = ABI::V6;
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        .no_new_privs(true)
        .restrict_self()
        .map(drop)
}

/// Calls that are allowed with some arguments only.
fn conditional_calls() -> Result<[(libc::c_long, SeccompCondition); 2], seccompiler::BackendError> {
    let argument = |number, op, value| SeccompCondition::new(number, SeccompCmpArgLen::Dword, op, value);
    Ok([
        // Memory, but none that could hold code: nothing here compiles to the processor's own.
        (libc::SYS_mmap, argument(2, SeccompCmpOp::MaskedEq(libc::PROT_EXEC.unsigned_abs().into()), 0)?),
        // abort(3) signals its own thread. The host has the same user, so without this a worker could kill it.
        (libc::SYS_tgkill, argument(0, SeccompCmpOp::Eq, std::process::id().into())?),
    ])
}

fn allow_only(calls: &[libc::c_long]) -> Result<(), String> {
    let mut rules: BTreeMap<i64, Vec<_>> = calls.iter().map(|&call| (call, Vec::new())).collect();
    for (call, condition) in conditional_calls().map_err(|error| error.to_string())? {
        let rule = SeccompRule::new(vec![condition]).map_err(|error| error.to_string())?;
        rules.insert(call, vec![rule]);
    }
    let arch = std::env::consts::ARCH.try_into().map_err(|error| format!("{error}"))?;
    let denied = SeccompAction::Errno(u32::try_from(libc::EPERM).map_err(|error| error.to_string())?);
    let filter =
        SeccompFilter::new(rules, denied, SeccompAction::Allow, arch).map_err(|error| error.to_string())?;
    let program: BpfProgram =
        filter.try_into().map_err(|error: seccompiler::BackendError| error.to_string())?;
    seccompiler::apply_filter(&program).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::{TcpStream, UdpSocket};
    use std::os::unix::net::UnixStream;
    use std::process::Command;

    use super::{CALLS, allow_only, forbid_files_and_network};

    /// What a thread without rights is told when it tries something. Filters are a thread's own, so the test's
    /// process keeps its rights.
    fn tried(attempt: impl FnOnce() -> std::io::Result<()> + Send + 'static) -> Option<ErrorKind> {
        let attempt = || {
            forbid_files_and_network().unwrap();
            allow_only(CALLS).unwrap();
            attempt().err().map(|error| error.kind())
        };
        std::thread::spawn(attempt).join().unwrap()
    }

    #[test]
    fn nothing_can_be_opened_connected_or_started() {
        let denied = Some(ErrorKind::PermissionDenied);
        assert_eq!(tried(|| std::fs::read("/proc/self/environ").map(drop)), denied);
        assert_eq!(tried(|| std::fs::write("/tmp/never", "x")), denied);
        assert_eq!(tried(|| std::fs::remove_file("/tmp/never")), denied);
        assert_eq!(tried(|| TcpStream::connect("127.0.0.1:1").map(drop)), denied);
        assert_eq!(tried(|| UdpSocket::bind("127.0.0.1:0").map(drop)), denied);
        assert_eq!(tried(|| UnixStream::pair().map(drop)), denied);
        assert_eq!(tried(|| Command::new("/bin/true").spawn().map(drop)), denied);
        assert_eq!(tried(|| std::thread::Builder::new().spawn(|| ()).map(drop)), denied);
        assert_eq!(tried(|| std::env::current_dir().map(drop)), denied);
    }

    #[test]
    fn memory_and_time_can_still_be_had() {
        let harmless = || {
            let bytes = vec![1_u8; 8 * 1024 * 1024];
            assert_eq!(bytes[bytes.len() - 1], 1);
            assert!(std::time::Instant::now().elapsed().as_secs() < 60);
            Ok(())
        };
        assert_eq!(tried(harmless), None);
    }
}
