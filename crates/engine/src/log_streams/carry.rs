//! Carries events to receivers: claims a stream, reads on in the log from its cursor, sends, and commits how far it came.
//!
//! In order and at least once: the cursor moves in a commit after the receiver has the events, so a node that dies in
//! between leaves a lease that runs out, and the same events are sent again. One node at a time sends for a stream; a
//! report under a claim that is not the stream's last one changes nothing
//! (docs/adr/0031-a-log-stream-reads-the-log-from-its-own-cursor.md).

use std::time::Duration;

use domain::event::{EventKind, LogEvent};
use domain::id::{LogId, LogStreamId, uuid};
use domain::limits::{
    LOG_STREAM_BATCH_EVENTS_MAX, LOG_STREAM_BATCH_MS_MAX, LOG_STREAM_FAILING_MS_MAX,
    LOG_STREAM_FAILING_TOLD_MS, LOG_STREAM_LEASE_MS, LOG_STREAM_POST_MS_MAX, LOG_STREAM_RETRY_AFTER_MS_MAX,
    LOG_STREAM_RETRY_FIRST_MS, LOG_STREAM_RETRY_MS_MAX,
};
use domain::log_stream::{
    FileSink, HttpSink, LogStream, LogStreamClaim, LogStreamPosition, LogStreamStatus, Sink,
};
use domain::time::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use store::Key;
use tokio::time::{Instant, timeout};

use super::batch::Batch;
use super::file::StreamFile;
use super::{CONFIGURED, SinkChoice};
use crate::ports::{Answer, OutboundError};
use crate::{Engine, Error, RequestFacts};

/// Batches in one turn. Ours: a backlog is worked off, a turn is not endless.
const BATCHES_MAX: usize = 1_000;
/// Characters kept of an error.
const ERROR_CHARACTERS_MAX: usize = 500;

/// Writes an event as receivers get it.
pub type WriteEvent<'a> = dyn Fn(&LogEvent) -> Value + Send + Sync + 'a;

/// A stream in this node's hands, as it was when the last batch was committed.
struct Held {
    stream: LogStream,
    claim: String,
    cursor: Option<LogId>,
    failures: u32,
}

/// What came of sending a batch.
#[derive(Debug, PartialEq)]
struct Sent {
    /// Events that the receiver has, from the front of the batch.
    taken: usize,
    /// Why it has no more, unless only the time for one batch was over.
    failed: Option<Failed>,
}

#[derive(Debug, PartialEq)]
struct Failed {
    error: String,
    /// What the receiver asks for, in milliseconds.
    retry_after_ms: i64,
}

impl Engine {
    /// Streams that this node may carry on at this moment.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn log_streams_due(&self) -> Result<Vec<LogStreamId>, Error> {
        let streams = self.log_streams().await?;
        let active: Vec<&LogStream> = streams
            .iter()
            .filter(|stream| stream.status == LogStreamStatus::Active && self.can_carry(stream))
            .collect();
        let keys: Vec<Key> = active.iter().map(|stream| Key::of(&stream.id)).collect();
        let positions = self.store().get_many::<LogStreamPosition>(&keys).await?;
        let now = self.now();
        let due = positions.into_iter().flatten().filter(|position| position.is_due(now));
        Ok(due.map(|position| position.id).collect())
    }

    /// Sends what waits for a stream, batch after batch, until nothing is left, something fails, `stop` says so, or
    /// somebody else has the stream.
    ///
    /// # Errors
    /// What the store answers. What was sent and not committed is sent again when the lease has run out.
    pub async fn carry_log_stream(
        &self,
        id: &LogStreamId,
        write: &WriteEvent<'_>,
        stop: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<(), Error> {
        let Some(position) = self.store().get::<LogStreamPosition>(&Key::of(id)).await? else {
            return Ok(());
        };
        // A look before the claim, so that a stream with nothing to do costs no commit.
        if self.logs_after(position.cursor.as_ref(), 1).await?.is_empty() {
            return Ok(());
        }
        let Some(mut held) = self.claim_log_stream(id).await? else { return Ok(()) };
        for number in 1..=BATCHES_MAX {
            let events = self.logs_after(held.cursor.as_ref(), LOG_STREAM_BATCH_EVENTS_MAX).await?;
            let batch = Batch::of(&events, &held.stream, held.failures, write);
            let sent = match &batch {
                Some(batch) => self.send(&held.stream, batch).await?,
                None => Sent { taken: 0, failed: None },
            };
            let more = batch.as_ref().is_some_and(|batch| {
                batch.left_some
                    || sent.taken < batch.items.len()
                    || events.len() == LOG_STREAM_BATCH_EVENTS_MAX
            });
            let goes_on = more && sent.failed.is_none() && number < BATCHES_MAX && !stop();
            let cursor = batch.as_ref().and_then(|batch| batch.cursor(sent.taken));
            match self.settle_batch(&held, cursor, &sent, goes_on).await? {
                Some(next) => held = next,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Whether this node has what a stream needs: files are written by nodes that have a folder for them.
    fn can_carry(&self, stream: &LogStream) -> bool {
        let settings = &self.settings().log_streams;
        match &stream.sink {
            Sink::Http(_) => true,
            Sink::File(_) => {
                settings.folder.is_some() && (stream.id.as_str() != CONFIGURED || settings.file.is_some())
            }
        }
    }

    /// Takes a stream for the time of a lease, unless another node has it.
    async fn claim_log_stream(&self, id: &LogStreamId) -> Result<Option<Held>, Error> {
        let claim = uuid(self.random());
        self.store()
            .transact(async |tx| -> Result<Option<Held>, Error> {
                let stream = tx.get::<LogStream>(&Key::of(id)).await?;
                let position = tx.get::<LogStreamPosition>(&Key::of(id)).await?;
                let (Some(stream), Some(mut position)) = (stream, position) else { return Ok(None) };
                if stream.status != LogStreamStatus::Active || !position.is_due(self.now()) {
                    return Ok(None);
                }
                position.claim = Some(self.log_stream_claim(&claim));
                let held = Held::of(stream, &claim, &position);
                tx.put(position);
                Ok(Some(held))
            })
            .await
    }

    fn log_stream_claim(&self, id: &str) -> LogStreamClaim {
        let until = self.now().plus_millis(LOG_STREAM_LEASE_MS);
        LogStreamClaim { id: id.to_owned(), node: self.settings().node.clone(), until }
    }

    async fn send(&self, stream: &LogStream, batch: &Batch) -> Result<Sent, Error> {
        if batch.items.is_empty() {
            return Ok(Sent { taken: 0, failed: None });
        }
        match &stream.sink {
            Sink::File(file) => Ok(self.append(file, batch).await),
            Sink::Http(http) => self.post_batch(stream, http, batch).await,
        }
    }

    async fn append(&self, file: &FileSink, batch: &Batch) -> Sent {
        let settings = &self.settings().log_streams;
        let Some(folder) = settings.folder.clone() else {
            return Sent::failed(0, "log_streams.folder names no folder".to_owned());
        };
        let (name, bytes_max, files_max) = (file.name.clone(), settings.file_bytes_max, settings.files_max);
        let file = StreamFile { folder, name, bytes_max, files_max };
        let lines = batch.lines();
        // A disk that hangs keeps its thread and its lock; the stream fails, and tries again.
        let limit = Duration::from_millis(LOG_STREAM_POST_MS_MAX.unsigned_abs());
        let writing = tokio::task::spawn_blocking(move || file.append(&lines));
        match timeout(limit, writing).await {
            Ok(Ok(Ok(()))) => Sent { taken: batch.items.len(), failed: None },
            Ok(Ok(Err(error))) => Sent::failed(0, format!("the file cannot be written: {error}")),
            Ok(Err(error)) => Sent::failed(0, format!("the file cannot be written: {error}")),
            Err(_) => Sent::failed(0, format!("the file was not written within {LOG_STREAM_POST_MS_MAX} ms")),
        }
    }

    async fn post_batch(&self, stream: &LogStream, http: &HttpSink, batch: &Batch) -> Result<Sent, Error> {
        let headers = self.headers(stream)?;
        let begun = Instant::now();
        let mut taken = 0;
        for (body, count) in batch.bodies(http.format) {
            if taken > 0 && begun.elapsed().as_millis() > u128::from(LOG_STREAM_BATCH_MS_MAX.unsigned_abs()) {
                break;
            }
            let answer = self.inner.stream_http.post(&http.endpoint, headers.clone(), body).await;
            match answer {
                // Any 2xx is an acknowledgement; redirects are not followed, so they are none.
                Ok(Answer { status, .. }) if (200..300).contains(&status) => taken += count,
                Ok(Answer { status, retry_after }) => {
                    let retry_after_ms = retry_after.map_or(0, |wish| wish.wait_ms(self.now()));
                    let error = format!("the receiver answered {status}");
                    return Ok(Sent { taken, failed: Some(Failed { error, retry_after_ms }) });
                }
                Err(error) => return Ok(Sent::unanswered(taken, &error)),
            }
        }
        Ok(Sent { taken, failed: None })
    }

    fn headers(&self, stream: &LogStream) -> Result<HeaderMap, Error> {
        let bug = |_| Error::Bug(format!("the headers of {} cannot be sent", stream.id));
        let value = |text: &str| {
            let mut value = HeaderValue::from_str(text).map_err(bug)?;
            value.set_sensitive(true);
            Ok::<_, Error>(value)
        };
        let mut all = HeaderMap::new();
        if let SinkChoice::Http { content_type, authorization, headers, .. } = self.shown_sink(stream)? {
            all.insert(CONTENT_TYPE, value(&content_type)?);
            if let Some(authorization) = authorization {
                all.insert(AUTHORIZATION, value(authorization.expose())?);
            }
            for (name, text) in headers {
                let name = HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| Error::Bug(format!("the headers of {} cannot be sent", stream.id)))?;
                all.append(name, value(text.expose())?);
            }
        }
        Ok(all)
    }

    /// Commits how far a stream came, with the lease's renewal or its end, and with what the log is told of a receiver
    /// that fails. Answers the stream where this node goes on.
    async fn settle_batch(
        &self,
        held: &Held,
        cursor: Option<&LogId>,
        sent: &Sent,
        goes_on: bool,
    ) -> Result<Option<Held>, Error> {
        let now = self.now();
        let jitter = f64::from(u32::from_be_bytes(self.random())) / f64::from(u32::MAX);
        let id = &held.stream.id;
        let next = self
            .store()
            .transact(async |tx| -> Result<Option<Held>, Error> {
                let stream = tx.get::<LogStream>(&Key::of(id)).await?;
                let position = tx.get::<LogStreamPosition>(&Key::of(id)).await?;
                let (Some(mut stream), Some(mut position)) = (stream, position) else { return Ok(None) };
                if position.claim.as_ref().is_none_or(|claim| claim.id != held.claim) {
                    return Ok(None);
                }
                if let Some(cursor) = cursor {
                    position.cursor = Some(cursor.clone());
                }
                if sent.taken > 0 {
                    position.delivered = position.delivered.saturating_add(sent.taken as u64);
                    position.last_delivered_at = Some(now);
                }
                if sent.taken > 0 || (sent.failed.is_none() && cursor.is_some()) {
                    position.forgive();
                }
                if let Some(failed) = &sent.failed {
                    note_failure(&mut position, failed, now, jitter);
                    if let Some(kind) = told_of(&mut position, &mut stream, now) {
                        self.event(kind, &RequestFacts::default())
                            .says(format!("{}: {}", stream.name, failed.error))
                            .details(json!({
                                "log_stream_id": id,
                                "type": stream.sink.kind(),
                                "failing_since": position.failing_since.map(|since| since.to_string()),
                                "failures": position.failures,
                                "error": failed.error,
                            }))
                            .record(tx);
                        tx.put(stream.clone());
                    }
                }
                let goes_on = goes_on && stream.status == LogStreamStatus::Active;
                position.claim = goes_on.then(|| self.log_stream_claim(&held.claim));
                let next = goes_on.then(|| Held::of(stream, &held.claim, &position));
                tx.put(position);
                Ok(next)
            })
            .await?;
        self.diagnose(held, sent);
        Ok(next)
    }

    /// Tells the operator when a stream begins to fail and when it is well again.
    fn diagnose(&self, held: &Held, sent: &Sent) {
        let id = &held.stream.id;
        match &sent.failed {
            Some(failed) if held.failures == 0 => {
                tracing::warn!(log_stream = %id, "a log stream fails, and is tried again: {}", failed.error);
            }
            None if held.failures > 0 && sent.taken > 0 => {
                tracing::info!(log_stream = %id, "a log stream is well again");
            }
            Some(_) | None => {}
        }
    }
}

impl Held {
    fn of(stream: LogStream, claim: &str, position: &LogStreamPosition) -> Self {
        let (cursor, failures) = (position.cursor.clone(), position.failures);
        Self { stream, claim: claim.to_owned(), cursor, failures }
    }
}

impl Sent {
    fn failed(taken: usize, error: String) -> Self {
        Self { taken, failed: Some(Failed { error, retry_after_ms: 0 }) }
    }

    fn unanswered(taken: usize, error: &OutboundError) -> Self {
        Self::failed(taken, error.to_string())
    }
}

fn note_failure(position: &mut LogStreamPosition, failed: &Failed, now: Timestamp, jitter: f64) {
    position.failures = position.failures.saturating_add(1);
    position.failing_since.get_or_insert(now);
    let wait = wait_ms(position.failures, failed.retry_after_ms, jitter);
    position.next_try_at = Some(now.plus_millis(wait));
    position.last_error = Some(failed.error.chars().take(ERROR_CHARACTERS_MAX).collect());
    position.last_error_at = Some(now);
}

/// What the log is to be told of a failure, if anything: once when it has lasted, once when the stream is given up. Were
/// it told of each, a stream would have news of its own to carry for ever.
fn told_of(position: &mut LogStreamPosition, stream: &mut LogStream, now: Timestamp) -> Option<EventKind> {
    let lasted_ms = now.millis_since(position.failing_since?);
    if lasted_ms >= LOG_STREAM_FAILING_MS_MAX {
        stream.status = LogStreamStatus::Suspended;
        return Some(EventKind::LogStreamSuspended);
    }
    if lasted_ms >= LOG_STREAM_FAILING_TOLD_MS && !position.failing_told {
        position.failing_told = true;
        return Some(EventKind::LogStreamFailing);
    }
    None
}

/// How long to wait after so many failures: doubling from one second to five minutes, between half and all of it by
/// chance, and never less than the receiver asked for, up to an hour.
fn wait_ms(failures: u32, asked_ms: i64, jitter: f64) -> i64 {
    let doubled = LOG_STREAM_RETRY_FIRST_MS.saturating_mul(1_i64 << failures.saturating_sub(1).min(20));
    let full = doubled.min(LOG_STREAM_RETRY_MS_MAX);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "five minutes are far below 2^52"
    )]
    let own = full / 2 + (full as f64 / 2.0 * jitter) as i64;
    own.max(asked_ms.min(LOG_STREAM_RETRY_AFTER_MS_MAX))
}

#[cfg(test)]
mod tests {
    use super::{LOG_STREAM_RETRY_AFTER_MS_MAX, LOG_STREAM_RETRY_MS_MAX, wait_ms};

    #[test]
    fn waits_double_up_to_five_minutes_and_honour_the_receiver() {
        assert_eq!((wait_ms(1, 0, 0.0), wait_ms(1, 0, 1.0)), (500, 1_000));
        assert_eq!(wait_ms(4, 0, 1.0), 8_000);
        assert_eq!(wait_ms(1_000, 0, 1.0), LOG_STREAM_RETRY_MS_MAX);
        assert_eq!(wait_ms(1, 60_000, 0.0), 60_000);
        assert_eq!(wait_ms(1, i64::MAX, 0.0), LOG_STREAM_RETRY_AFTER_MS_MAX);
    }
}
