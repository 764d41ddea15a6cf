//! Log streams: made, changed, read, deleted. How they are carried to their receivers is in `carry`.
//!
//! Auth0: Management API v2 › log streams.

mod batch;
mod carry;
mod file;
mod post;

use domain::id::{LogId, LogStreamId, alphanumeric};
use domain::limits::{
    LOG_STREAM_HEADER_BYTES_MAX, LOG_STREAM_HEADERS_MAX, LOG_STREAM_NAME_CHARACTERS_MAX, LOG_STREAMS_MAX,
};
use domain::log_stream::{
    Category, ContentFormat, FileSink, HttpSink, LogStream, LogStreamPosition, LogStreamStatus, PersonalData,
    SealedHeader, Sink, is_file_name,
};
use domain::secret::{Sealed, Secret};
use domain::time::Timestamp;
use reqwest::header::{HeaderName, HeaderValue};
use store::{Key, Order, Tx};

use crate::clients::check_post_url;
use crate::{ApiCall, Engine, Error, Resource};

pub use self::carry::WriteEvent;
pub(crate) use self::post::StreamHttp;

/// The stream that the configuration asks for; its identifier is not one that the API gives.
const CONFIGURED: &str = "lst_configured";
/// What secrets of streams are sealed for.
const PURPOSE: &str = "log_stream.sink";
/// Streams read at once: more than there can be.
const PAGE: usize = 2 * LOG_STREAMS_MAX;
/// Headers that belong to the connection (RFC 9110 §7.6.1) or that the stream sets by itself.
const HEADERS_REFUSED: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Properties of a stream that are to be set; absent ones stay as they are.
#[derive(Debug, Clone, Default)]
pub struct LogStreamChanges {
    /// For people.
    pub name: Option<String>,
    /// Whether it sends.
    pub status: Option<LogStreamStatus>,
    /// Kept and given back.
    pub is_priority: Option<bool>,
    /// Which events.
    pub filters: Option<Vec<Category>>,
    /// Which personal data is left out; the inner `None` leaves nothing out.
    pub personal_data: Option<Option<PersonalData>>,
    /// Where to: takes the place of the whole sink, but for an `httpAuthorization` that it does not name.
    pub sink: Option<SinkChoice>,
    /// Where to go on.
    pub start_from: Option<StartFrom>,
}

/// Where events are to go, with secrets in the open: as it comes from an administrator and is shown to one.
#[derive(Debug, Clone, PartialEq)]
pub enum SinkChoice {
    /// To a URL.
    Http {
        /// Where to post.
        endpoint: String,
        /// How the body is put together.
        format: ContentFormat,
        /// The `Content-Type`.
        content_type: String,
        /// The `Authorization`.
        authorization: Option<Secret<String>>,
        /// Further headers: names and values.
        headers: Vec<(String, Secret<String>)>,
    },
    /// To a file below the operator's folder.
    File {
        /// Its name without folder and ending.
        name: String,
    },
}

/// Where a stream begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartFrom {
    /// With the first event of this moment or later.
    Moment(Timestamp),
    /// After this event.
    Event(LogId),
}

impl StartFrom {
    /// Reads a date (RFC 3339) or the identifier of an event.
    pub fn parse(text: &str) -> Option<Self> {
        let is_event = text.len() > 20 && text.bytes().all(|byte| byte.is_ascii_digit());
        match is_event {
            true => Some(Self::Event(LogId::new(text))),
            false => Timestamp::parse(text).map(Self::Moment),
        }
    }

    /// What a stream that begins here has behind it.
    pub fn cursor(self) -> LogId {
        match self {
            Self::Event(id) => id,
            Self::Moment(moment) => before(moment),
        }
    }
}

/// An identifier below those of all events of a moment, and above those of all before (`Engine::log_id` makes them).
fn before(moment: Timestamp) -> LogId {
    let digits: String = moment.to_string().chars().filter(char::is_ascii_digit).collect();
    LogId::new(format!("900{digits}{:036}", 0))
}

impl LogStreamChanges {
    fn apply(&self, engine: &Engine, stream: &mut LogStream) -> Result<(), Error> {
        if let Some(name) = &self.name {
            if name.chars().count() > LOG_STREAM_NAME_CHARACTERS_MAX {
                let reason = format!("String is too long, maximum {LOG_STREAM_NAME_CHARACTERS_MAX}");
                return Err(Error::property(&reason, "name"));
            }
            stream.name.clone_from(name);
        }
        if let Some(status) = self.status {
            if status == LogStreamStatus::Suspended && stream.status != status {
                return Err(Error::property("a stream is suspended by the server only", "status"));
            }
            stream.status = status;
        }
        if self.is_priority.is_some() {
            stream.is_priority = self.is_priority;
        }
        if let Some(filters) = &self.filters {
            stream.filters.clear();
            for category in filters {
                if !stream.filters.contains(category) {
                    stream.filters.push(*category);
                }
            }
        }
        if let Some(personal_data) = &self.personal_data {
            stream.personal_data.clone_from(personal_data);
        }
        if let Some(sink) = &self.sink {
            let before = std::mem::replace(&mut stream.sink, engine.seal_sink(sink)?);
            keep_authorization(&before, &mut stream.sink, sink);
        }
        Ok(())
    }

    /// What the position must forget: a change that may mend what failed is tried at once.
    fn apply_to_position(&self, position: &mut LogStreamPosition) {
        if self.sink.is_some() || self.start_from.is_some() || self.status == Some(LogStreamStatus::Active) {
            position.forgive();
        }
        if let Some(start) = &self.start_from {
            // What a node sends at this moment must not move the cursor back to where it was.
            position.claim = None;
            position.cursor = Some(start.clone().cursor());
        }
    }
}

impl Engine {
    /// Makes a stream, which begins with the next event unless `start_from` says otherwise.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is not legal, [`Error::Conflict`] when there are too many or the file has a stream.
    pub async fn create_log_stream(
        &self,
        call: &ApiCall,
        sink: SinkChoice,
        changes: LogStreamChanges,
    ) -> Result<LogStream, Error> {
        let mut stream = LogStream {
            id: LogStreamId::new(format!("lst_{}", alphanumeric(&self.random::<16>()))),
            name: String::new(),
            status: LogStreamStatus::Active,
            sink: self.seal_sink(&sink)?,
            filters: Vec::new(),
            is_priority: None,
            personal_data: None,
            created_at: self.now(),
        };
        changes.apply(self, &mut stream)?;
        let start = changes.start_from.unwrap_or(StartFrom::Moment(stream.created_at));
        let position = LogStreamPosition::after(stream.id.clone(), Some(start.cursor()));
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                // Two that are made at once may both be the last one: the bound keeps order, it is no fence.
                let others =
                    tx.page::<LogStream>(None, &Key::all(), None, LOG_STREAMS_MAX, Order::Ascending).await?;
                if others.items.len() >= LOG_STREAMS_MAX {
                    let message = "You have reached the maximum number of log streams for your account.";
                    return Err(Error::Conflict { message: message.to_owned() });
                }
                refuse_taken_file(tx, &stream).await?;
                tx.insert(stream.clone());
                tx.insert(position.clone());
                let secrets = secrets_of(std::slice::from_ref(&stream));
                self.record_api_with_secrets(tx, call, "Create a Log Stream", 200, &secrets);
                Ok(())
            })
            .await?;
        Ok(stream)
    }

    /// All streams, oldest first.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn log_streams(&self) -> Result<Vec<LogStream>, Error> {
        let page = self.store().page::<LogStream>(None, &Key::all(), None, PAGE, Order::Ascending).await?;
        let mut streams = page.items;
        streams.sort_by_key(|stream| stream.created_at);
        Ok(streams)
    }

    /// One stream.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn log_stream(&self, id: &LogStreamId) -> Result<LogStream, Error> {
        self.store().get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::LogStream))
    }

    /// How far a stream has come, and when the oldest event was that it has not looked at.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn log_stream_position(
        &self,
        id: &LogStreamId,
    ) -> Result<(LogStreamPosition, Option<Timestamp>), Error> {
        let position = self.store().get::<LogStreamPosition>(&Key::of(id)).await?;
        let position = position.ok_or(Error::NotFound(Resource::LogStream))?;
        let waiting = self.logs_after(position.cursor.as_ref(), 1).await?;
        Ok((position, waiting.first().map(|event| event.date)))
    }

    /// Changes a stream. One that becomes active goes on after the last event that its receiver has.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::Conflict`] when the file has another stream.
    pub async fn update_log_stream(
        &self,
        call: &ApiCall,
        id: &LogStreamId,
        changes: &LogStreamChanges,
    ) -> Result<LogStream, Error> {
        self.store()
            .transact(async |tx| {
                let mut stream = log_stream_in(tx, id).await?;
                let kind = stream.sink.kind();
                changes.apply(self, &mut stream)?;
                if stream.sink.kind() != kind {
                    return Err(Error::property("the type of a stream cannot change", "sink"));
                }
                refuse_taken_file(tx, &stream).await?;
                if let Some(mut position) = tx.get::<LogStreamPosition>(&Key::of(id)).await? {
                    changes.apply_to_position(&mut position);
                    tx.put(position);
                }
                tx.put(stream.clone());
                let secrets = secrets_of(std::slice::from_ref(&stream));
                self.record_api_with_secrets(tx, call, "Update a Log Stream", 200, &secrets);
                Ok(stream)
            })
            .await
    }

    /// Deletes a stream. What it has not sent it will not send.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_log_stream(&self, call: &ApiCall, id: &LogStreamId) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                log_stream_in(tx, id).await?;
                tx.delete::<LogStream>(&Key::of(id));
                tx.delete::<LogStreamPosition>(&Key::of(id));
                self.record_api(tx, call, "Delete a Log Stream", 204);
                Ok(())
            })
            .await
    }

    /// Makes the file stream that the configuration asks for, beginning with the oldest event, or gives it the name
    /// that the configuration says now.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another stream has the file.
    pub async fn ensure_configured_log_stream(&self) -> Result<(), Error> {
        let Some(name) = &self.settings().log_streams.file else { return Ok(()) };
        let id = LogStreamId::new(CONFIGURED);
        let sink = Sink::File(FileSink { name: name.clone() });
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let known = tx.get::<LogStream>(&Key::of(&id)).await?;
                let stream = match known {
                    Some(stream) if stream.sink == sink => return Ok(()),
                    Some(stream) => LogStream { sink: sink.clone(), ..stream },
                    None => {
                        tx.insert(LogStreamPosition::after(id.clone(), None));
                        LogStream {
                            id: id.clone(),
                            name: "File of the configuration".to_owned(),
                            status: LogStreamStatus::Active,
                            sink: sink.clone(),
                            filters: Vec::new(),
                            is_priority: None,
                            personal_data: None,
                            created_at: self.now(),
                        }
                    }
                };
                refuse_taken_file(tx, &stream).await?;
                tx.put(stream);
                Ok(())
            })
            .await
    }

    /// Where a stream's events go, with secrets in the open.
    ///
    /// # Errors
    /// [`Error::Bug`] when a secret was sealed under another master key.
    pub fn shown_sink(&self, stream: &LogStream) -> Result<SinkChoice, Error> {
        Ok(match &stream.sink {
            Sink::File(file) => SinkChoice::File { name: file.name.clone() },
            Sink::Http(http) => SinkChoice::Http {
                endpoint: http.endpoint.clone(),
                format: http.format,
                content_type: http.content_type.clone(),
                authorization: http.authorization.as_ref().map(|sealed| self.unseal(sealed)).transpose()?,
                headers: http
                    .headers
                    .iter()
                    .map(|header| Ok((header.name.clone(), self.unseal(&header.value)?)))
                    .collect::<Result<_, Error>>()?,
            },
        })
    }

    fn seal_sink(&self, choice: &SinkChoice) -> Result<Sink, Error> {
        let seal = |secret: &Secret<String>| self.store().seal(PURPOSE, secret.expose().as_bytes());
        match choice {
            SinkChoice::File { name } => {
                if self.settings().log_streams.folder.is_none() {
                    let reason = "files are not written here: log_streams.folder names no folder";
                    return Err(Error::property(reason, "type"));
                }
                if !is_file_name(name) {
                    let reason = "String does not match pattern ^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$";
                    return Err(Error::property(reason, "sink.fileName"));
                }
                Ok(Sink::File(FileSink { name: name.clone() }))
            }
            SinkChoice::Http { endpoint, format, content_type, authorization, headers } => {
                check_post_url(endpoint, "sink.httpEndpoint", &self.settings().log_streams.egress)?;
                if url::Url::parse(endpoint).is_ok_and(|url| !url.username().is_empty()) {
                    let reason = "credentials belong into httpAuthorization";
                    return Err(Error::property(reason, "sink.httpEndpoint"));
                }
                check_header_value(content_type, "sink.httpContentType")?;
                let authorization = authorization.as_ref().filter(|told| !told.expose().is_empty());
                if let Some(authorization) = authorization {
                    check_header_value(authorization.expose(), "sink.httpAuthorization")?;
                }
                check_headers(headers)?;
                Ok(Sink::Http(HttpSink {
                    endpoint: endpoint.clone(),
                    format: *format,
                    content_type: content_type.clone(),
                    authorization: authorization.map(seal),
                    headers: headers
                        .iter()
                        .map(|(name, value)| SealedHeader { name: name.clone(), value: seal(value) })
                        .collect(),
                }))
            }
        }
    }

    fn unseal(&self, sealed: &Sealed) -> Result<Secret<String>, Error> {
        let plain = self.store().unseal(PURPOSE, sealed)?;
        String::from_utf8(plain).map(Secret::new).map_err(|error| Error::Bug(error.to_string()))
    }
}

/// A change of a sink that says nothing of `httpAuthorization` keeps it, since deploy tools leave secrets out; but never for
/// another receiver, who must not be told it. An empty one removes it.
fn keep_authorization(before: &Sink, after: &mut Sink, told: &SinkChoice) {
    let says_nothing = matches!(told, SinkChoice::Http { authorization: None, .. });
    let (Sink::Http(before), Sink::Http(after)) = (before, after) else { return };
    let origin = |endpoint: &str| url::Url::parse(endpoint).ok().map(|url| url.origin());
    if says_nothing && origin(&before.endpoint) == origin(&after.endpoint) {
        after.authorization.clone_from(&before.authorization);
    }
}

/// The properties of sinks that an answer with these streams shows in the clear (see [`Engine::shown_sink`]).
pub fn secrets_of(streams: &[LogStream]) -> Vec<&'static str> {
    let sinks = || {
        streams.iter().filter_map(|stream| match &stream.sink {
            Sink::Http(http) => Some(http),
            Sink::File(_) => None,
        })
    };
    let authorization = sinks().any(|sink| sink.authorization.is_some()).then_some("httpAuthorization");
    let headers = sinks().any(|sink| !sink.headers.is_empty()).then_some("httpCustomHeaders");
    authorization.into_iter().chain(headers).collect()
}

fn check_headers(headers: &[(String, Secret<String>)]) -> Result<(), Error> {
    if headers.len() > LOG_STREAM_HEADERS_MAX {
        let reason = format!("Array is too long ({}), maximum {LOG_STREAM_HEADERS_MAX}", headers.len());
        return Err(Error::property(&reason, "sink.httpCustomHeaders"));
    }
    for (at, (name, value)) in headers.iter().enumerate() {
        let path = format!("sink.httpCustomHeaders[{at}]");
        let Ok(known) = HeaderName::from_bytes(name.as_bytes()) else {
            return Err(Error::property("not the name of a header", &format!("{path}.header")));
        };
        if HEADERS_REFUSED.contains(&known.as_str()) {
            let reason = format!("the header {known} cannot be set here");
            return Err(Error::property(&reason, &format!("{path}.header")));
        }
        check_header_value(value.expose(), &format!("{path}.value"))?;
    }
    Ok(())
}

fn check_header_value(value: &str, property: &str) -> Result<(), Error> {
    if value.len() > LOG_STREAM_HEADER_BYTES_MAX {
        let reason = format!("String is too long, maximum {LOG_STREAM_HEADER_BYTES_MAX} bytes");
        return Err(Error::property(&reason, property));
    }
    match HeaderValue::from_str(value) {
        Ok(_) if !value.is_empty() => Ok(()),
        _ => Err(Error::property("not the value of a header", property)),
    }
}

async fn log_stream_in(tx: &mut Tx, id: &LogStreamId) -> Result<LogStream, Error> {
    tx.get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::LogStream))
}

/// Two streams must not write one file.
async fn refuse_taken_file(tx: &mut Tx, stream: &LogStream) -> Result<(), Error> {
    let Sink::File(file) = &stream.sink else { return Ok(()) };
    match tx.find::<LogStream>("file", &Key::of(&file.name)).await? {
        Some(other) if other.id != stream.id => {
            let message = format!("Another log stream writes the file {}.", file.name);
            Err(Error::Conflict { message })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{LogId, StartFrom, Timestamp, before};

    #[test]
    fn a_stream_starts_from_a_date_or_an_event() {
        let id = "90020260921131118200088000000000000001223372038981421504";
        assert_eq!(StartFrom::parse(id), Some(StartFrom::Event(LogId::new(id))));
        let moment = Timestamp::parse("2026-09-21T13:11:18.200Z").unwrap();
        assert_eq!(StartFrom::parse("2026-09-21T13:11:18.200Z"), Some(StartFrom::Moment(moment)));
        for bad in ["", "yesterday", "12345", "90020260921x"] {
            assert_eq!(StartFrom::parse(bad), None, "{bad}");
        }
        assert!(before(moment).as_str() < id && before(moment.plus_millis(1)).as_str() > id);
        assert_eq!(before(moment).as_str().len(), id.len());
    }
}
