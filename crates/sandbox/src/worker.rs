//! The worker's side: give up all rights, then serve one job at a time until the host hangs up.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use crate::rights;
use crate::vm::Vm;
use crate::wire::{self, Call, Reply, Start, Task};

/// What `vestibule worker` runs: serves jobs that come over the socket on descriptor 0, until it closes.
///
/// Returns the exit code: 0 after the host hung up, 1 if rights couldn't be given up or the socket broke. Call it
/// before the process has started any thread.
pub fn worker_main() -> i32 {
    match serve() {
        Ok(()) => 0,
        // The host has seen the socket close; there is nowhere else to tell it.
        Err(_) => 1,
    }
}

fn serve() -> io::Result<()> {
    let stdin = io::stdin();
    let mut socket = File::from(stdin.as_fd().try_clone_to_owned()?);
    let Some(start) = wire::receive_blocking::<Start>(&mut socket)? else { return Ok(()) };
    let mut vm = match rights::give_up(start.memory_bytes_max).and_then(|()| Vm::new()) {
        Ok(vm) => vm,
        Err(reason) => {
            wire::send_blocking(&mut socket, &Reply::Refused(reason.clone()))?;
            return Err(io::Error::other(reason));
        }
    };
    wire::send_blocking(&mut socket, &Reply::Ready)?;
    while let Some(call) = wire::receive_blocking::<Call>(&mut socket)? {
        // An answer now is to a job that has ended without waiting for it.
        let Call::Job(request) = call else { continue };
        let reply = match request.task {
            Task::Run => Reply::Ran(vm.run(&request, socket.as_fd())),
            Task::Build => Reply::Built(vm.build(request)),
        };
        wire::send_blocking(&mut socket, &reply)?;
        // While nobody waits: the next job finds its realm untouched.
        vm.prepare();
    }
    Ok(())
}
