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

fn ready_worker() -> (Child, UnixStream) {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let worker = Command::new(env!("CARGO_BIN_EXE_sandbox-worker"))
        .env_clear()
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()
        .unwrap();
    send(&mut ours, &format!("{{\"memory_bytes_max\":{MEMORY_BYTES_MAX}}}"));
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
