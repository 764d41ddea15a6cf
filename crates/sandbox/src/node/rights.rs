//! Gives up every right that Node.js doesn't need to run a script with packages, for good.
//!
//! The same fences as for the other kind of worker (`crate::rights`), each a little wider: Node.js loads shared
//! libraries, reads packages and has threads. It has no network, starts no process, writes no file, and reads only its
//! libraries and its packages. Its own permission model stands inside these fences, not in place of one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, getpid, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use super::shim::Become;

/// Bytes of memory beside the script's heap: Node.js itself, its threads' stacks, and buffers.
const OTHER_MEMORY_BYTES: u64 = 256 * 1024 * 1024;
/// Open files: its own, and a few packages' at a time.
const OPEN_FILES_MAX: u64 = 128;
/// Where shared libraries are.
const LIBRARIES: &[&str] = &["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"];
/// Files beside them that it reads where they are there: the loader's list, OpenSSL's settings, Debian's own modules.
const SETTINGS: &[&str] = &["/etc/ld.so.cache", "/etc/ssl/openssl.cnf", "/usr/share/nodejs"];

/// System calls without which Node.js doesn't run. Everything else answers EPERM.
const CALLS: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_getdents64,
    libc::SYS_readlinkat,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_getcwd,
    libc::SYS_fcntl,
    libc::SYS_ioctl,
    libc::SYS_pipe2,
    libc::SYS_eventfd2,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_ppoll,
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_pkey_alloc,
    libc::SYS_pkey_free,
    libc::SYS_pkey_mprotect,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_membarrier,
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_sigaltstack,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_capget,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getrusage,
    // The next program is Node.js. Without fork(2) it can only be become, never started beside us, and whatever it
    // becomes stays behind these fences.
    libc::SYS_execve,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Calls of x86-64 that others do without.
#[cfg(target_arch = "x86_64")]
const CALLS_OF_THIS_MACHINE: &[libc::c_long] = &[
    libc::SYS_poll,
    libc::SYS_epoll_wait,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_arch_prctl,
    libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const CALLS_OF_THIS_MACHINE: &[libc::c_long] = &[];

/// Gives up the rights of this process, which must have no thread but the calling one, and of what it becomes.
///
/// # Errors
/// Says which fence couldn't be raised. A kernel without Landlock is no error.
pub(super) fn give_up(start: &Become) -> Result<(), String> {
    rustix::thread::set_no_new_privs(true).map_err(|error| format!("no_new_privs: {error}"))?;
    leave_only_files(&start.node, &start.packages).map_err(|error| format!("landlock: {error}"))?;
    limit_resources(start).map_err(|error| format!("resource limits: {error}"))?;
    filter_calls().map_err(|error| format!("seccomp: {error}"))
}

fn limit_resources(start: &Become) -> rustix::io::Result<()> {
    let memory = start.memory_bytes.saturating_add(OTHER_MEMORY_BYTES);
    let limits = [
        // The first second too many is a signal that tells why, and the second one can't be caught.
        (Resource::Cpu, start.cpu_seconds, start.cpu_seconds.saturating_add(1)),
        // Memory that can be written to. Address space would be no measure: the engine sets gigabytes of it aside.
        (Resource::Data, memory, memory),
        (Resource::Nofile, OPEN_FILES_MAX, OPEN_FILES_MAX),
        (Resource::Fsize, 0, 0),
        (Resource::Core, 0, 0),
    ];
    for (resource, current, maximum) in limits {
        setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) })?;
    }
    Ok(())
}

/// Program loaders, without which no program starts: `ld-linux-x86-64.so.2`, `ld-musl-aarch64.so.1`.
fn loaders() -> Vec<PathBuf> {
    let entries =
        ["/lib", "/lib64"].into_iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .filter(|path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"ld-")))
        .collect()
}

fn leave_only_files(node: &Path, packages: &Path) -> Result<(), landlock::RulesetError> {
    // Best effort: a kernel that knows less of this, or nothing, leaves the other fences.
    let abi = ABI::V6;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let run = BitFlags::from(AccessFs::Execute) | AccessFs::ReadFile;
    // Where Node.js was unpacked into a folder of its own, its libraries may be beside it.
    let own = node.parent().and_then(Path::parent).map(|folder| folder.join("lib"));
    let readable = LIBRARIES.iter().chain(SETTINGS).map(PathBuf::from).chain(own);
    let runnable = loaders().into_iter().chain([node.to_owned()]);
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        // Paths that aren't there are left out.
        .add_rules(path_beneath_rules(readable, read))?
        .add_rules(path_beneath_rules([packages], read))?
        .add_rules(path_beneath_rules(runnable, run))?
        .no_new_privs(true)
        .restrict_self()
        .map(drop)
}

fn filter_calls() -> Result<(), String> {
    let words = |error: seccompiler::BackendError| error.to_string();
    let only_if = |argument, operator, value: i64| {
        let value = u64::from_ne_bytes(value.to_ne_bytes()) & u64::from(u32::MAX);
        let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?;
        SeccompRule::new(vec![condition]).map(|rule| vec![rule])
    };
    let all = CALLS.iter().chain(CALLS_OF_THIS_MACHINE);
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = all.map(|&call| (call, Vec::new())).collect();
    // Files are opened for reading alone.
    let writing = libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC | libc::O_APPEND;
    let reading = |argument| {
        let mask = u64::from(writing.unsigned_abs());
        only_if(argument, SeccompCmpOp::MaskedEq(mask), 0).map_err(words)
    };
    rules.insert(libc::SYS_openat, reading(2)?);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, reading(1)?);
    // Threads, and no processes.
    let thread = i64::from(libc::CLONE_THREAD);
    let mask = u64::from(libc::CLONE_THREAD.unsigned_abs());
    rules.insert(libc::SYS_clone, only_if(0, SeccompCmpOp::MaskedEq(mask), thread).map_err(words)?);
    // Signals and limits of this process, and of no other.
    let own = i64::from(getpid().as_raw_nonzero().get());
    rules.insert(libc::SYS_tgkill, only_if(0, SeccompCmpOp::Eq, own).map_err(words)?);
    rules.insert(libc::SYS_prlimit64, only_if(0, SeccompCmpOp::Eq, 0).map_err(words)?);
    // The flags of clone3 can't be looked at. The C library takes clone where it is told that there is no clone3.
    rules.insert(libc::SYS_clone3, Vec::new());
    let unknown = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    // The stricter answer counts, and the second filter forbids a third.
    install(unknown, SeccompAction::Allow, errno(libc::ENOSYS)?)?;
    install(rules, errno(libc::EPERM)?, SeccompAction::Allow)
}

fn errno(number: i32) -> Result<SeccompAction, String> {
    Ok(SeccompAction::Errno(u32::try_from(number).map_err(|error| error.to_string())?))
}

/// Adds a filter: one answer for the calls that the rules name, another for the rest.
fn install(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    other: SeccompAction,
    named: SeccompAction,
) -> Result<(), String> {
    let arch = std::env::consts::ARCH.try_into().map_err(|error| format!("{error}"))?;
    let filter = SeccompFilter::new(rules, other, named, arch).map_err(|error| error.to_string())?;
    let program: BpfProgram =
        filter.try_into().map_err(|error: seccompiler::BackendError| error.to_string())?;
    seccompiler::apply_filter(&program).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::TcpStream;
    use std::os::unix::net::UnixStream;
    use std::path::Path;
    use std::process::Command;

    use super::{filter_calls, leave_only_files};

    /// What a thread without rights is told when it tries something, in its own `src` as its packages folder.
    fn tried(attempt: impl FnOnce() -> std::io::Result<()> + Send + 'static) -> Option<ErrorKind> {
        let attempt = || {
            let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
            leave_only_files(Path::new("/bin/true"), &packages).unwrap();
            filter_calls().unwrap();
            attempt().err().map(|error| error.kind())
        };
        std::thread::spawn(attempt).join().unwrap()
    }

    #[test]
    fn nothing_is_written_connected_or_started_and_little_is_read() {
        let denied = Some(ErrorKind::PermissionDenied);
        let own = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        assert_eq!(tried(|| std::fs::read("/etc/passwd").map(drop)), denied);
        assert_eq!(tried(|| std::fs::read("/proc/self/environ").map(drop)), denied);
        assert_eq!(tried(move || std::fs::read(own("Cargo.toml")).map(drop)), denied);
        assert_eq!(tried(move || std::fs::write(own("src/never"), "x")), denied);
        assert_eq!(tried(move || std::fs::remove_file(own("src/never"))), denied);
        assert_eq!(tried(|| TcpStream::connect("127.0.0.1:1").map(drop)), denied);
        assert_eq!(tried(|| UnixStream::pair().map(drop)), denied);
        assert_eq!(tried(|| Command::new("/bin/true").spawn().map(drop)), denied);
    }

    #[test]
    fn packages_are_read_and_threads_are_had() {
        let read = || std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).map(drop);
        assert_eq!(tried(read), None);
        assert_eq!(tried(|| std::thread::Builder::new().spawn(|| ()).map(drop)), None);
    }
}
