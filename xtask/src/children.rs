//! The processes that this tool starts, and how all of them end.
//!
//! Each child leads a process group of its own, so that ending it ends what it started too, and so that Ctrl-C comes
//! here first: the groups are asked to end, given a few seconds, and then killed.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How long children may take to end by themselves once asked.
const GRACE_MS: u64 = 15_000;

/// Why a command could not do its work, for a person.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    /// A failure that explains itself.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// A failure with the error behind it.
    pub(crate) fn because(what: &str, error: &dyn fmt::Display) -> Self {
        Self(format!("{what}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What can happen while children run.
#[derive(Debug)]
pub(crate) enum Event {
    /// A child has ended by itself or by us.
    Ended {
        /// The name it was started under.
        name: String,
        /// How it ended; `None` when the system could not say.
        status: Option<ExitStatus>,
    },
    /// Somebody wants all of this to end.
    Stop,
}

struct Running {
    name: String,
    group: Pid,
}

/// All running children; dropping it ends them.
pub(crate) struct Children {
    running: Vec<Running>,
    events: Receiver<Event>,
    sender: Sender<Event>,
    stopped: bool,
}

impl Children {
    /// Nobody yet; from now on Ctrl-C is ours to handle.
    pub(crate) fn new() -> Result<Self, Failure> {
        let (sender, events) = channel();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])
            .map_err(|error| Failure::because("cannot listen for Ctrl-C", &error))?;
        let stop = sender.clone();
        thread::spawn(move || {
            for _ in signals.forever() {
                if stop.send(Event::Stop).is_err() {
                    return;
                }
            }
        });
        Ok(Self { running: Vec::new(), events, sender, stopped: false })
    }

    /// Starts a child. With `prefix`, each line it prints is preceded by its name.
    pub(crate) fn start(&mut self, name: &str, mut command: Command, prefix: bool) -> Result<(), Failure> {
        command.process_group(0).stdin(Stdio::null());
        if prefix {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        let mut child = command.spawn().map_err(|error| {
            Failure::because(&format!("cannot start {}", command.get_program().display()), &error)
        })?;
        let group = Pid::from_child(&child);
        let readers = [pass_on(name, child.stdout.take()), pass_on(name, child.stderr.take())];
        let sender = self.sender.clone();
        let ended_name = name.to_owned();
        thread::spawn(move || {
            let status = wait(&mut child);
            for reader in readers.into_iter().flatten() {
                // A grandchild may hold the pipe open for longer than the child lives: do not wait for that.
                if reader.is_finished() {
                    drop(reader.join());
                }
            }
            // Nobody listens once this tool is ending.
            drop(sender.send(Event::Ended { name: ended_name, status }));
        });
        self.running.push(Running { name: name.to_owned(), group });
        Ok(())
    }

    /// Waits for something to happen; `None` when nothing did within the time.
    pub(crate) fn next_event(&mut self, limit: Duration) -> Option<Event> {
        match self.events.recv_timeout(limit) {
            Ok(event) => {
                match &event {
                    Event::Ended { name, .. } => self.forget(name),
                    Event::Stop => self.stopped = true,
                }
                Some(event)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Starts a child and waits for its end. Fails when it does, when it takes too long, when another child ends
    /// meanwhile, or on Ctrl-C.
    pub(crate) fn run(&mut self, name: &str, command: Command, limit: Duration) -> Result<(), Failure> {
        self.start(name, command, false)?;
        let begun = Instant::now();
        loop {
            let Some(left) = limit.checked_sub(begun.elapsed()) else {
                self.end_all();
                return Err(Failure::new(format!("{name} took longer than {} s", limit.as_secs())));
            };
            match self.next_event(left) {
                None => {}
                Some(Event::Stop) => {
                    self.end_all();
                    return Err(Failure::new("stopped".to_owned()));
                }
                Some(Event::Ended { name: ended, status }) if ended == name => {
                    return match status {
                        Some(status) if status.success() => Ok(()),
                        Some(status) => Err(Failure::new(format!("{name} failed ({status})"))),
                        None => Err(Failure::new(format!("{name} was lost"))),
                    };
                }
                Some(Event::Ended { name: ended, .. }) => {
                    self.end_all();
                    return Err(Failure::new(format!("{ended} ended while {name} was running")));
                }
            }
        }
    }

    /// Whether Ctrl-C was pressed.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Asks every child to end, and kills those that do not within [`GRACE_MS`].
    pub(crate) fn end_all(&mut self) {
        self.signal_all(Signal::TERM);
        let begun = Instant::now();
        let grace = Duration::from_millis(GRACE_MS);
        while !self.running.is_empty() {
            let Some(left) = grace.checked_sub(begun.elapsed()) else { break };
            if let Some(Event::Stop) = self.next_event(left) {
                break;
            }
        }
        self.signal_all(Signal::KILL);
        self.running.clear();
    }

    /// Forgets a child that ended, and ends whatever of its group it left behind.
    fn forget(&mut self, name: &str) {
        self.running.retain(|child| {
            if child.name == name {
                let _ = kill_process_group(child.group, Signal::KILL);
            }
            child.name != name
        });
    }

    fn signal_all(&self, signal: Signal) {
        for child in &self.running {
            // A group that is already gone needs no signal.
            let _ = kill_process_group(child.group, signal);
        }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.end_all();
    }
}

fn wait(child: &mut Child) -> Option<ExitStatus> {
    child.wait().ok()
}

fn pass_on(name: &str, source: Option<impl Read + Send + 'static>) -> Option<thread::JoinHandle<()>> {
    let source = source?;
    let name = name.to_owned();
    Some(thread::spawn(move || {
        for line in BufReader::new(source).split(b'\n').map_while(Result::ok) {
            println!("{name:>15} │ {}", String::from_utf8_lossy(&line));
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(line: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        command
    }

    #[test]
    fn a_child_that_ends_well_is_no_failure_and_another_is() {
        let mut children = Children::new().unwrap();
        children.run("good", shell("exit 0"), Duration::from_secs(20)).unwrap();
        assert!(children.run("bad", shell("exit 3"), Duration::from_secs(20)).is_err());
        assert!(children.run("absent", Command::new("/no/such/program"), Duration::from_secs(20)).is_err());
    }

    #[test]
    fn a_child_that_takes_too_long_is_ended_with_what_it_started() {
        let begun = Instant::now();
        let mut children = Children::new().unwrap();
        let failure =
            children.run("slow", shell("sleep 600 & sleep 600"), Duration::from_millis(200)).unwrap_err();
        assert!(failure.to_string().contains("took longer"), "{failure}");
        assert!(begun.elapsed() < Duration::from_secs(60));
        assert!(children.running.is_empty());
    }

    #[test]
    fn a_run_fails_when_something_that_it_needs_ends() {
        let mut children = Children::new().unwrap();
        children.start("needed", shell("exit 0"), false).unwrap();
        let failure = children.run("slow", shell("sleep 600"), Duration::from_secs(60)).unwrap_err();
        assert!(failure.to_string().contains("needed ended"), "{failure}");
    }
}
