//! The messages between host and worker: a four-byte little-endian length, then that many bytes of JSON.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::fetch::{FetchError, FetchRequest, FetchResponse};
use crate::job::{CacheView, Limits};
use crate::outcome::{Failure, Outcome};
use crate::post_login::Secrets;

/// Bytes of one message. Ours: several times the largest Action and event together.
pub(crate) const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The first message to a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    /// Bytes of address space that it may have.
    pub memory_bytes_max: u64,
}

/// What the host sends a worker that has started. Written by reference, read as a whole.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Call<Job = Request> {
    /// A job. A worker has one at a time.
    Job(Job),
    /// To an [`Ask`] of the job under way. One that arrives after the job's end is skipped.
    Answer(Answer),
}

/// A script's request, for the host to carry out.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ask {
    /// Counts within the job, from 1.
    pub id: u32,
    /// What to fetch.
    pub request: FetchRequest,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The request's.
    pub id: u32,
    /// The response, or why there is none.
    pub result: Result<FetchResponse, FetchError>,
}

/// What the host asks of a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// What to do with the code.
    pub task: Task,
    /// The Action's source.
    pub code: String,
    /// The Action's name.
    pub action_name: String,
    /// The exported function to call.
    pub handler: String,
    /// Limits of the run.
    pub limits: Limits,
    /// The event as JSON: the worker hands it to the script unread.
    pub event: Box<RawValue>,
    /// The session's metadata; absent where there is no session.
    pub session_metadata: Option<BTreeMap<String, String>>,
    /// Where the run's clock stands, in milliseconds since 1970; absent: it goes.
    pub now_ms: Option<i64>,
    /// What the script finds in `api.cache`.
    pub cache: CacheView,
    /// What the Action may require.
    pub modules: Vec<Module>,
}

/// Code that Actions share.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Module {
    /// Its name.
    pub name: String,
    /// Its source.
    pub code: String,
    /// Its secrets.
    pub secrets: Secrets,
}

/// What to do with the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Run it.
    Run,
    /// Only parse it, as JavaScript or as TypeScript.
    Build,
}

/// What a worker answers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// Sent once, at start: rights are given up, jobs are welcome.
    Ready,
    /// Sent once, at start, in place of `Ready`.
    Refused(String),
    /// In mid-job, any number of times up to the limit.
    Fetch(Ask),
    /// To [`Task::Run`].
    Ran(Outcome),
    /// To [`Task::Build`]: the JavaScript to run, where that isn't the code as it stands.
    Built(Result<Option<String>, Failure>),
}

/// Turns a message into the bytes that go over the socket.
///
/// # Errors
/// When it is longer than [`MESSAGE_BYTES_MAX`].
pub(crate) fn frame<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = bytes.len() - 4;
    if length > MESSAGE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "message too long"));
    }
    bytes[..4].copy_from_slice(&u32::try_from(length).map_err(io::Error::other)?.to_le_bytes());
    Ok(bytes)
}

fn length_of(prefix: [u8; 4]) -> io::Result<usize> {
    match usize::try_from(u32::from_le_bytes(prefix)) {
        Ok(length) if length <= MESSAGE_BYTES_MAX => Ok(length),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "message too long")),
    }
}

/// Reads one message in the host.
pub(crate) async fn receive<T: DeserializeOwned>(socket: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    let mut prefix = [0; 4];
    socket.read_exact(&mut prefix).await?;
    let mut bytes = vec![0; length_of(prefix)?];
    socket.read_exact(&mut bytes).await?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Writes one framed message in the host.
pub(crate) async fn send(socket: &mut (impl AsyncWrite + Unpin), framed: &[u8]) -> io::Result<()> {
    socket.write_all(framed).await
}

/// Reads one message in the worker; `None` when the host closed the socket.
pub(crate) fn receive_blocking<T: DeserializeOwned>(socket: &mut impl Read) -> io::Result<Option<T>> {
    let mut prefix = [0; 4];
    match socket.read_exact(&mut prefix) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let mut bytes = vec![0; length_of(prefix)?];
    socket.read_exact(&mut bytes)?;
    Ok(Some(serde_json::from_slice(&bytes)?))
}

/// Writes one message in the worker.
pub(crate) fn send_blocking<T: Serialize>(socket: &mut impl Write, message: &T) -> io::Result<()> {
    socket.write_all(&frame(message)?)
}

#[cfg(test)]
mod tests {
    use super::{MESSAGE_BYTES_MAX, Reply, frame, receive_blocking};

    #[test]
    fn a_message_survives_the_wire() {
        let bytes = frame(&Reply::Refused("no".to_owned())).unwrap();
        let got: Option<Reply> = receive_blocking(&mut bytes.as_slice()).unwrap();
        assert!(matches!(got, Some(Reply::Refused(reason)) if reason == "no"));
    }

    #[test]
    fn a_closed_socket_is_no_message() {
        let got: Option<Reply> = receive_blocking(&mut [].as_slice()).unwrap();
        assert!(got.is_none());
    }

    #[test]
    fn a_length_above_the_cap_is_refused_before_anything_is_allocated() {
        let prefix = u32::try_from(MESSAGE_BYTES_MAX + 1).unwrap().to_le_bytes();
        assert!(receive_blocking::<Reply>(&mut prefix.as_slice()).is_err());
        assert!(frame(&"x".repeat(MESSAGE_BYTES_MAX)).is_err());
    }
}
