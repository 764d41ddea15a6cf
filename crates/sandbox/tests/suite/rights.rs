//! What the kernel says about a worker that is ready for jobs.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const MEMORY_BYTES_MAX: u64 = 256 * 1024 * 1024;

fn send(socket: &mut UnixStream, json: &str) {
    let length = u32::try_from(json.len()).unwrap().to_le_bytes();
    socket.write_all(&length).and_then(|()| socket.write_all(json.as_bytes())).unwrap();
}

fn receive(socket: &mut UnixStream) -> String {
    let mut length = [0; 4];
    socket.read_exact(&mut length).unwrap();
    let mut json = vec![0; u32::from_le_bytes(length) as usize];
    socket.read_exact(&mut json).unwrap();
    String::from_utf8(json).unwrap()
}

fn started(program: &str, arguments: &[&str]) -> (Child, UnixStream) {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let worker = Command::new(program)
        .args(arguments)
        .env_clear()
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()
        .unwrap();
    send(&mut ours, &format!("{{\"memory_bytes_max\":{MEMORY_BYTES_MAX}}}"));
    (worker, ours)
}

fn ready_worker() -> (Child, UnixStream) {
    let (worker, mut ours) = started(env!("CARGO_BIN_EXE_sandbox-worker"), &[]);
    assert_eq!(receive(&mut ours), "\"Ready\"");
    (worker, ours)
}

#[test]
fn a_ready_worker_has_given_up_its_rights() {
    let (mut worker, socket) = ready_worker();
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", worker.id())).unwrap();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let status = read("status");
    assert_eq!(field(&status, "NoNewPrivs:"), ["1"]);
    assert_eq!(field(&status, "Seccomp:"), ["2"]);
    assert_eq!(field(&status, "Threads:"), ["1"]);
    let limits = read("limits");
    assert_eq!(
        field(&limits, "Max address space")[..2],
        [MEMORY_BYTES_MAX.to_string(), MEMORY_BYTES_MAX.to_string()]
    );
    for name in ["Max open files", "Max file size", "Max core file size"] {
        let max: u64 = field(&limits, name)[1].parse().unwrap();
        assert!(max <= 1, "{name}: {max}");
    }
    drop(socket);
    assert_eq!(worker.wait().unwrap().code(), Some(0));
}

#[test]
fn a_worker_that_is_sent_nonsense_ends() {
    let (mut worker, mut socket) = ready_worker();
    send(&mut socket, "{}");
    assert_eq!(worker.wait().unwrap().code(), Some(1));
}

/// What the kernel says of the fences around a process.
fn fences(process: &Child) -> Vec<String> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let names = ["NoNewPrivs:", "Seccomp:", "Seccomp_filters:", "Threads:"];
    status.lines().filter(|line| names.iter().any(|name| line.starts_with(name))).map(str::to_owned).collect()
}

#[test]
fn from_inside_no_file_socket_or_process_can_be_had_and_the_host_not_be_signalled() {
    let (mut probe, mut socket) = started(env!("CARGO_BIN_EXE_sandbox-rogue"), &["probe"]);
    let report = receive(&mut socket);
    let (mut forbidden, mut allowed) = (0, 0);
    for line in report.lines() {
        let (call, result) = line.rsplit_once(' ').unwrap();
        if let Some(call) = call.strip_prefix('+') {
            assert_eq!(result, "done", "{call} is needed");
            allowed += 1;
        } else {
            assert_eq!(result, libc::EPERM.to_string(), "{call} is not refused by the filter");
            forbidden += 1;
        }
    }
    assert!(forbidden >= 60 && allowed == 3, "{report}");
    // What the probe gave up is what a worker has given up.
    let (mut worker, other_socket) = ready_worker();
    assert_eq!(fences(&probe), fences(&worker));
    drop((socket, other_socket));
    assert_eq!((probe.wait().unwrap().code(), worker.wait().unwrap().code()), (Some(0), Some(0)));
}
