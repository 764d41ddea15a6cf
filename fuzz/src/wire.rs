//! What must hold for any bytes between host and worker: one function per fuzz target, each panicking where it does not.
//!
//! The fuzzer calls them with bytes of its own; the sandbox's tests call them with the committed corpora. The first byte
//! of an input chooses the circumstances, the rest is the message; each is also read as a stream that claims a length
//! of its own. Beside `lib.rs`, not in it: that is also compiled where the sandbox is not known.

use sandbox::fuzzing::{Verdict, call, ran, reply};
use sandbox::{Command, Failure, Limits, Outcome};

/// What the run that is answered might use.
const LIMITS: Limits =
    Limits { cpu_ms: 1_000, wall_ms: 10_000, memory_bytes: 32 * 1024 * 1024, console_bytes_max: 64 * 1024 };
/// How long the host waited for the answer, in microseconds.
const WAITED_US: u64 = 5_000;
/// Commands of one run, as the sandbox has it.
const COMMANDS_MAX: usize = 1_000;

/// A message as it goes over the socket.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("inputs are short");
    [&length.to_le_bytes()[..], message].concat()
}

/// A worker's reply: whatever it says, what gets past the host is something that a script could have asked for.
pub(crate) fn wire_reply(data: &[u8]) {
    let Some((&circumstances, message)) = data.split_first() else { return };
    let building = circumstances & 1 == 1;
    judge(reply(message, building, LIMITS, WAITED_US), building);
    judge(reply(&framed(message), building, LIMITS, WAITED_US), building);
}

fn judge(verdict: Verdict, building: bool) {
    match verdict {
        Verdict::Broken => {}
        Verdict::Fetch { request, carried_out } => {
            let header_bytes: usize =
                request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
            let fits = request.url.len() <= sandbox::fetch::URL_BYTES_MAX
                && request.body.len() <= sandbox::fetch::REQUEST_BYTES_MAX
                && request.headers.len() <= sandbox::fetch::HEADERS_MAX
                && header_bytes <= sandbox::fetch::HEADER_BYTES_MAX;
            assert_eq!(carried_out, fits);
        }
        Verdict::Built(built) => {
            assert!(building, "a run is answered with an outcome");
            match built {
                Ok(code) => assert!(code.is_none_or(|code| code.len() <= 1024 * 1024)),
                Err(failure) => assert!(failure.to_string().len() <= 32 * 1024),
            }
        }
        Verdict::Ran(outcome) => {
            assert!(!building, "a build is answered with code or a failure");
            keeps_its_promises(&outcome);
            // What is accepted is accepted again when it is sent as it was understood.
            let again = ran(&outcome).expect("what was short enough stays so");
            assert!(matches!(reply(&again, false, LIMITS, WAITED_US), Verdict::Ran(_)));
        }
    }
}

fn keeps_its_promises(outcome: &Outcome) {
    assert!(outcome.commands.len() <= COMMANDS_MAX);
    assert!(outcome.cpu_us <= WAITED_US && outcome.wall_us <= WAITED_US);
    let console: usize = outcome.console.iter().map(|line| line.text.len()).sum();
    assert!(console <= LIMITS.console_bytes_max + 256 && outcome.console.len() <= 5_000);
    assert!(!matches!(outcome.failure, Some(Failure::Busy)));
    assert!(outcome.failure.as_ref().is_none_or(|failure| failure.to_string().len() <= 32 * 1024));
    for command in &outcome.commands {
        match command {
            Command::AddScope { scope } | Command::RemoveScope { scope } => {
                assert!(!scope.is_empty() && !scope.contains([' ', '\t', '\n', '\r']));
            }
            Command::SetTransactionMetadata { value, .. } => assert!(!value.is_array() && !value.is_object()),
            _ => {}
        }
    }
}

/// A call to a worker: read or refused, and what is read is written as it was understood.
pub(crate) fn wire_call(data: &[u8]) {
    let _ = call(data);
    let Some(written) = call(&framed(data)) else { return };
    assert_eq!(call(&written).as_ref(), Some(&written));
}
