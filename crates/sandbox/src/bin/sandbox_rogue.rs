//! Workers that do wrong, for this crate's own tests: what a script could make of ours if it broke the engine.
//!
//! The first argument says how. `probe` gives up its rights with the worker's own code, then makes the system calls
//! that it has no right to, and reports what the kernel answered; each other word is a way to break the protocol. No
//! product starts this program, and nothing of it is in the library.

#[path = "../rights.rs"]
mod rights;

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;

/// Bytes of address space of a probe: what the tests give a worker.
const MEMORY_BYTES_MAX: u64 = 256 * 1024 * 1024;

fn main() {
    let way = std::env::args().nth(1).unwrap_or_default();
    // The host may hang up at any moment, which ends this as it should.
    let _ended = if way == "probe" { probe() } else { misbehave(&way) };
}

fn socket() -> io::Result<File> {
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// A message as it goes over the socket.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&length.to_le_bytes()[..], message].concat()
}

fn send(socket: &mut File, message: &[u8]) -> io::Result<()> {
    socket.write_all(&framed(message))
}

/// Reads one message and drops it.
fn skip(socket: &mut File) -> io::Result<()> {
    let mut length = [0; 4];
    socket.read_exact(&mut length)?;
    let mut message = vec![0; u32::from_le_bytes(length) as usize];
    socket.read_exact(&mut message)
}

/// Says nothing more until the host hangs up.
fn wait(socket: &mut File) -> io::Result<()> {
    io::copy(socket, &mut io::sink()).map(drop)
}

/// An outcome with these commands, as JSON.
fn ran(commands: &str) -> String {
    format!(r#"{{"Ran":{{"commands":[{commands}],"console":[],"cpu_us":1,"wall_us":1,"failure":null}}}}"#)
}

fn denied(reason: &str) -> String {
    format!(r#"{{"command":"deny_access","reason":"{reason}"}}"#)
}

fn misbehave(way: &str) -> io::Result<()> {
    let mut socket = socket()?;
    skip(&mut socket)?;
    send(&mut socket, br#""Ready""#)?;
    for job in 1_u32.. {
        skip(&mut socket)?;
        let say = |socket: &mut File, text: &str| send(socket, text.as_bytes());
        match way {
            "garbage" => send(&mut socket, &[0xff; 64])?,
            "long length" => socket.write_all(&[0xff; 4])?,
            "half a message" => {
                socket.write_all(&[100, 0, 0, 0, b'{'])?;
                wait(&mut socket)?;
            }
            "nothing" => wait(&mut socket)?,
            "deep nesting" => say(&mut socket, &"[".repeat(1_000_000))?,
            "deep value" => {
                let value = format!("{}1{}", "[".repeat(1_000), "]".repeat(1_000));
                let claim = format!(r#"{{"command":"set_id_token_claim","name":"a","value":{value}}}"#);
                say(&mut socket, &ran(&claim))?;
            }
            // Well-behaved from the second job on: a host that keeps it would be answered.
            "ready again" if job == 1 => say(&mut socket, r#""Ready""#)?,
            "other question" if job == 1 => say(&mut socket, r#"{"Built":{"Ok":null}}"#)?,
            "ready again" | "other question" => say(&mut socket, &ran(&denied("second job")))?,
            // Both at once, so that the second is there before the next job can be.
            "answers ahead" => {
                let both = ["asked", "not asked"].map(|reason| framed(ran(&denied(reason)).as_bytes()));
                socket.write_all(&both.concat())?;
            }
            "fetches for ever" => {
                let ask = r#"{"Fetch":{"id":1,"request":{"method":"GET","url":"https://a.example/","headers":[],"has_body":false,"redirect":"follow"}}}"#;
                while say(&mut socket, ask).is_ok() {}
            }
            "long fetch" => {
                let url = "x".repeat(100_000);
                say(
                    &mut socket,
                    &format!(
                        r#"{{"Fetch":{{"id":1,"request":{{"method":"GET","url":"{url}","headers":[],"has_body":false,"redirect":"follow"}}}}}}"#
                    ),
                )?;
                skip(&mut socket)?;
                say(&mut socket, &ran(&denied("answered")))?;
            }
            "many commands" => say(&mut socket, &ran(&vec![denied("x"); 1_001].join(",")))?,
            "smuggled scope" => {
                say(&mut socket, &ran(r#"{"command":"add_scope","scope":"read:a delete:users"}"#))?;
            }
            "nameless claim" => {
                say(&mut socket, &ran(r#"{"command":"set_id_token_claim","name":"","value":1}"#))?;
            }
            "nested transaction" => {
                say(&mut socket, &ran(r#"{"command":"set_transaction_metadata","key":"a","value":[[]]}"#))?;
            }
            "long console" => {
                let line = format!(r#"{{"level":"log","text":"{}"}}"#, "x".repeat(70_000));
                say(&mut socket, &ran("").replace(r#""console":[]"#, &format!(r#""console":[{line}]"#)))?;
            }
            "long failure" => {
                let failure = format!(
                    r#"{{"kind":"script","name":"","message":"{}","stack":""}}"#,
                    "x".repeat(100_000)
                );
                say(&mut socket, &ran("").replace("null", &failure))?;
            }
            "busy" => say(&mut socket, &ran("").replace("null", r#"{"kind":"busy"}"#))?,
            "eternal times" => say(&mut socket, &ran("").replace(":1", ":18446744073709551615"))?,
            _ => return Err(io::Error::other("no such way")),
        }
    }
    Ok(())
}

/// Gives up its rights as a worker does, tries what it should not be able to, and reports a line for each call: its
/// name, and the number of the error or `done`.
fn probe() -> io::Result<()> {
    let mut socket = socket()?;
    skip(&mut socket)?;
    rights::give_up(MEMORY_BYTES_MAX).map_err(io::Error::other)?;
    let report: Vec<String> = calls::forbidden()
        .iter()
        .map(|(name, number, arguments)| format!("{name} {}", calls::make(*number, arguments)))
        .chain(
            calls::allowed()
                .iter()
                .map(|(name, number, arguments)| format!("+{name} {}", calls::make(*number, arguments))),
        )
        .chain([
            format!("tgkill of the host {}", calls::make(libc::SYS_tgkill, &calls::signal_to_the_host())),
            format!("+tgkill of itself {}", calls::make(libc::SYS_tgkill, &calls::signal_to_itself())),
        ])
        .collect();
    send(&mut socket, report.join("\n").as_bytes())?;
    wait(&mut socket)
}

/// System calls by number, with arguments that the kernel would accept from someone who may make them.
mod calls {
    use libc::c_long;

    /// A file that is there everywhere.
    const PATH: *const libc::c_char = c"/proc/self/status".as_ptr();
    const PROGRAM: *const libc::c_char = c"/bin/true".as_ptr();
    const HERE: c_long = libc::AT_FDCWD as c_long;

    pub(crate) type Call = (&'static str, c_long, [c_long; 6]);

    fn pointer(text: *const libc::c_char) -> c_long {
        text as c_long
    }

    /// What no worker may do.
    pub(crate) fn forbidden() -> Vec<Call> {
        let (path, program) = (pointer(PATH), pointer(PROGRAM));
        let ours = c_long::from(std::os::unix::process::parent_id());
        vec![
            // Files.
            #[cfg(target_arch = "x86_64")]
            ("open", libc::SYS_open, [path, 0, 0, 0, 0, 0]),
            ("openat", libc::SYS_openat, [HERE, path, 0, 0, 0, 0]),
            ("openat2", libc::SYS_openat2, [HERE, path, 0, 0, 0, 0]),
            ("open_by_handle_at", libc::SYS_open_by_handle_at, [HERE, 0, 0, 0, 0, 0]),
            ("statx", libc::SYS_statx, [HERE, path, 0, 0, 0, 0]),
            ("faccessat", libc::SYS_faccessat, [HERE, path, 0, 0, 0, 0]),
            ("readlinkat", libc::SYS_readlinkat, [HERE, path, 0, 0, 0, 0]),
            ("unlinkat", libc::SYS_unlinkat, [HERE, path, 0, 0, 0, 0]),
            ("renameat2", libc::SYS_renameat2, [HERE, path, HERE, path, 0, 0]),
            ("linkat", libc::SYS_linkat, [HERE, path, HERE, path, 0, 0]),
            ("symlinkat", libc::SYS_symlinkat, [path, HERE, path, 0, 0, 0]),
            ("mkdirat", libc::SYS_mkdirat, [HERE, path, 0, 0, 0, 0]),
            ("mknodat", libc::SYS_mknodat, [HERE, path, 0, 0, 0, 0]),
            ("fchmodat", libc::SYS_fchmodat, [HERE, path, 0, 0, 0, 0]),
            ("getcwd", libc::SYS_getcwd, [0; 6]),
            ("chdir", libc::SYS_chdir, [path, 0, 0, 0, 0, 0]),
            ("chroot", libc::SYS_chroot, [path, 0, 0, 0, 0, 0]),
            ("mount", libc::SYS_mount, [path, path, 0, 0, 0, 0]),
            ("memfd_create", libc::SYS_memfd_create, [path, 0, 0, 0, 0, 0]),
            ("dup", libc::SYS_dup, [0; 6]),
            ("fcntl", libc::SYS_fcntl, [0; 6]),
            ("ioctl", libc::SYS_ioctl, [0; 6]),
            ("inotify_init1", libc::SYS_inotify_init1, [0; 6]),
            // Sockets.
            ("socket", libc::SYS_socket, [libc::AF_INET.into(), libc::SOCK_STREAM.into(), 0, 0, 0, 0]),
            (
                "socketpair",
                libc::SYS_socketpair,
                [libc::AF_UNIX.into(), libc::SOCK_STREAM.into(), 0, 0, 0, 0],
            ),
            ("connect", libc::SYS_connect, [0; 6]),
            ("bind", libc::SYS_bind, [0; 6]),
            ("listen", libc::SYS_listen, [0; 6]),
            ("accept4", libc::SYS_accept4, [0; 6]),
            ("sendmmsg", libc::SYS_sendmmsg, [0; 6]),
            ("setsockopt", libc::SYS_setsockopt, [0; 6]),
            ("pipe2", libc::SYS_pipe2, [0; 6]),
            ("epoll_create1", libc::SYS_epoll_create1, [0; 6]),
            ("io_uring_setup", libc::SYS_io_uring_setup, [1, 0, 0, 0, 0, 0]),
            // Processes.
            #[cfg(target_arch = "x86_64")]
            ("fork", libc::SYS_fork, [0; 6]),
            #[cfg(target_arch = "x86_64")]
            ("vfork", libc::SYS_vfork, [0; 6]),
            ("clone", libc::SYS_clone, [libc::SIGCHLD.into(), 0, 0, 0, 0, 0]),
            ("clone3", libc::SYS_clone3, [0; 6]),
            ("execve", libc::SYS_execve, [program, 0, 0, 0, 0, 0]),
            ("execveat", libc::SYS_execveat, [HERE, program, 0, 0, 0, 0]),
            ("kill of the host", libc::SYS_kill, [ours, libc::SIGKILL.into(), 0, 0, 0, 0]),
            ("tkill of the host", libc::SYS_tkill, [ours, libc::SIGKILL.into(), 0, 0, 0, 0]),
            ("rt_sigqueueinfo", libc::SYS_rt_sigqueueinfo, [ours, libc::SIGKILL.into(), 0, 0, 0, 0]),
            ("pidfd_open", libc::SYS_pidfd_open, [ours, 0, 0, 0, 0, 0]),
            ("pidfd_send_signal", libc::SYS_pidfd_send_signal, [0, libc::SIGKILL.into(), 0, 0, 0, 0]),
            ("ptrace of the host", libc::SYS_ptrace, [libc::PTRACE_ATTACH.into(), ours, 0, 0, 0, 0]),
            ("process_vm_readv", libc::SYS_process_vm_readv, [ours, 0, 0, 0, 0, 0]),
            ("process_vm_writev", libc::SYS_process_vm_writev, [ours, 0, 0, 0, 0, 0]),
            ("wait4", libc::SYS_wait4, [-1, 0, 1, 0, 0, 0]),
            ("setsid", libc::SYS_setsid, [0; 6]),
            ("unshare", libc::SYS_unshare, [0; 6]),
            ("setns", libc::SYS_setns, [0; 6]),
            // The kernel itself, and rights.
            ("prctl", libc::SYS_prctl, [0; 6]),
            ("prlimit64", libc::SYS_prlimit64, [0; 6]),
            ("setuid", libc::SYS_setuid, [0; 6]),
            ("capset", libc::SYS_capset, [0; 6]),
            ("seccomp", libc::SYS_seccomp, [0; 6]),
            ("bpf", libc::SYS_bpf, [0; 6]),
            ("perf_event_open", libc::SYS_perf_event_open, [0; 6]),
            ("userfaultfd", libc::SYS_userfaultfd, [0; 6]),
            ("keyctl", libc::SYS_keyctl, [0; 6]),
            ("shmget", libc::SYS_shmget, [0, 4096, 0o1600, 0, 0, 0]),
            ("personality", libc::SYS_personality, [0; 6]),
            // Memory that could hold code.
            ("mprotect", libc::SYS_mprotect, [0; 6]),
            ("mmap of code", libc::SYS_mmap, page(libc::PROT_READ | libc::PROT_EXEC)),
        ]
    }

    /// What it needs, so that a kernel that refuses everything is no proof.
    pub(crate) fn allowed() -> Vec<Call> {
        vec![
            ("getpid", libc::SYS_getpid, [0; 6]),
            ("mmap of data", libc::SYS_mmap, page(libc::PROT_READ | libc::PROT_WRITE)),
        ]
    }

    fn page(protection: i32) -> [c_long; 6] {
        [0, 4096, protection.into(), (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS).into(), -1, 0]
    }

    /// Signal 0 only asks whether a signal could be sent.
    pub(crate) fn signal_to_the_host() -> [c_long; 6] {
        let host = c_long::from(std::os::unix::process::parent_id());
        [host, host, 0, 0, 0, 0]
    }

    pub(crate) fn signal_to_itself() -> [c_long; 6] {
        let own = c_long::from(std::process::id());
        [own, own, 0, 0, 0, 0]
    }

    pub(crate) fn make(number: c_long, arguments: &[c_long; 6]) -> String {
        let [a, b, c, d, e, f] = *arguments;
        #[expect(unsafe_code, reason = "calls that no library makes for a process without rights")]
        // SAFETY: each pointer among the arguments is a static text; a call that is refused touches nothing, and one
        // that is not has failed the test.
        let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
        if result < 0 {
            return std::io::Error::last_os_error().raw_os_error().unwrap_or_default().to_string();
        }
        "done".to_owned()
    }
}
