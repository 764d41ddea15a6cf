//! `/api/v2/log-streams`: where events are sent.
//!
//! Auth0: Management API v2 › log streams. Of Auth0's types `http` is there; `file` and the view of a stream's health are
//! ours.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::id::LogStreamId;
use domain::log_stream::{Category, ContentFormat, LogStream, LogStreamStatus, PersonalData, PersonalField};
use domain::secret::Secret;
use domain::time::Timestamp;
use engine::Error;
use engine::log_streams::{LogStreamChanges, SinkChoice, StartFrom, secrets_of};
use serde_json::{Value, json};

use super::caller::Call;
use super::fields::Fields;
use super::paging::answer;
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

/// Types of Auth0 that are not there.
const ELSEWHERE: &[&str] = &["datadog", "eventbridge", "eventgrid", "mixpanel", "segment", "splunk", "sumo"];
/// The `Content-Type` where none is chosen.
const CONTENT_TYPE_DEFAULT: &str = "application/json";

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/log-streams", get(list).post(create))
        .route("/api/v2/log-streams/{id}", get(read_one).patch(update).delete(delete))
        .route("/api/v2/log-streams/{id}/health", get(health))
}

async fn list(call: Call, State(app): State<App>) -> Result<Response, ApiError> {
    call.require_any(&["read:log_streams"])?;
    let streams = app.engine().log_streams().await?;
    record_secrets(&call, &app, "Get log streams", &streams).await?;
    let body = streams.iter().map(|stream| body_of(&app, stream)).collect::<Result<Vec<_>, _>>()?;
    Ok(answer(StatusCode::OK, &body))
}

async fn create(call: Call, State(app): State<App>, ApiBody(body): ApiBody) -> Result<Response, ApiError> {
    call.require_any(&["create:log_streams"])?;
    let mut fields = Fields::of(&body)?;
    let kind = fields.required_text("type");
    if !fields.has("sink") {
        fields.missing("sink");
    }
    let mut changes = changes_of(&mut fields, &kind);
    fields.finish()?;
    changes.name.get_or_insert_with(|| format!("{kind} stream"));
    let sink = changes.sink.take().ok_or_else(|| Error::payload("Missing required property: sink"))?;
    let stream = app.engine().create_log_stream(&call.with_body(body), sink, changes).await?;
    Ok(answer(StatusCode::OK, &body_of(&app, &stream)?))
}

async fn read_one(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["read:log_streams"])?;
    let stream = app.engine().log_stream(&LogStreamId::new(id)).await?;
    record_secrets(&call, &app, "Get a log stream", std::slice::from_ref(&stream)).await?;
    Ok(answer(StatusCode::OK, &body_of(&app, &stream)?))
}

async fn update(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:log_streams"])?;
    let id = LogStreamId::new(id);
    let kind = app.engine().log_stream(&id).await?.sink.kind();
    let mut fields = Fields::of_patch(&body)?;
    let mut changes = changes_of(&mut fields, kind);
    changes.status = fields.one_of("status", LogStreamStatus::parse);
    fields.finish()?;
    let stream = app.engine().update_log_stream(&call.with_body(body), &id, &changes).await?;
    Ok(answer(StatusCode::OK, &body_of(&app, &stream)?))
}

async fn delete(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["delete:log_streams"])?;
    app.engine().delete_log_stream(&call.with_body(Value::Null), &LogStreamId::new(id)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn health(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["read:log_streams"])?;
    let id = LogStreamId::new(id);
    let stream = app.engine().log_stream(&id).await?;
    let (position, waiting_since) = app.engine().log_stream_position(&id).await?;
    let now = app.engine().now();
    let moment = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
    let body = json!({
        "id": id,
        "status": stream.status.as_str(),
        "delivered": position.delivered,
        "last_delivered_at": moment(position.last_delivered_at),
        "last_log_id": position.cursor,
        "waiting_since": moment(waiting_since),
        "lag_seconds": waiting_since.map_or(0, |since| now.millis_since(since).max(0) / 1000),
        "failures": position.failures,
        "failing_since": moment(position.failing_since),
        "next_try_at": moment(position.next_try_at),
        "last_error": position.last_error,
        "last_error_at": moment(position.last_error_at),
        "node": position.claim.map(|claim| claim.node),
    });
    Ok(answer(StatusCode::OK, &body))
}

/// Tells the log where an answer holds secrets.
async fn record_secrets(
    call: &Call,
    app: &App,
    description: &str,
    streams: &[LogStream],
) -> Result<(), Error> {
    let secrets = secrets_of(streams);
    if secrets.is_empty() {
        return Ok(());
    }
    app.engine().record_secret_read(&call.read(), description, &secrets).await
}

fn changes_of(fields: &mut Fields, kind: &str) -> LogStreamChanges {
    LogStreamChanges {
        name: fields.text("name"),
        status: None,
        is_priority: fields.flag("isPriority"),
        filters: filters_of(fields),
        personal_data: fields.within("pii_config", personal_data_of),
        start_from: start_of(fields),
        sink: sink_of(fields, kind),
    }
}

fn start_of(fields: &mut Fields) -> Option<StartFrom> {
    let text = fields.text("startFrom")?;
    let start = StartFrom::parse(&text);
    if start.is_none() {
        fields.refuse("expected a date (ISO 8601) or the identifier of a log event", "startFrom");
    }
    start
}

fn filters_of(fields: &mut Fields) -> Option<Vec<Category>> {
    let filters = fields.each("filters", |filter| {
        filter.one_of("type", |name| (name == "category").then_some(()));
        let category = filter.one_of("name", Category::parse);
        if category.is_none() {
            filter.missing("name");
        }
        category
    })?;
    Some(filters.into_iter().flatten().collect())
}

fn personal_data_of(fields: &mut Fields) -> PersonalData {
    let names = fields.texts("log_fields").unwrap_or_default();
    let known: Vec<PersonalField> = names.iter().filter_map(|name| PersonalField::parse(name)).collect();
    if names.is_empty() {
        fields.missing("log_fields");
    }
    if let Some(unknown) = names.iter().find(|name| PersonalField::parse(name).is_none()) {
        fields.refuse(&format!("No enum match for: {unknown}"), "log_fields");
    }
    if fields.peek_text("method").is_some_and(|method| method == "hash") {
        fields.refuse("hash is not supported: a hash without a key is undone by trying; use mask", "method");
    }
    fields.one_of("method", |name| matches!(name, "mask" | "hash").then_some(()));
    fields.one_of("algorithm", |name| (name == "xxhash").then_some(()));
    PersonalData { fields: known }
}

fn sink_of(fields: &mut Fields, kind: &str) -> Option<SinkChoice> {
    match kind {
        "http" => fields.within("sink", http_sink_of).flatten(),
        "file" => {
            fields.within("sink", |sink| SinkChoice::File { name: sink.required_text("fileName") }).flatten()
        }
        other => {
            let reason = match ELSEWHERE.contains(&other) {
                true => format!("the type {other} is not supported, only http and file are"),
                false => format!("No enum match for: {other}"),
            };
            fields.refuse(&reason, "type");
            None
        }
    }
}

fn http_sink_of(sink: &mut Fields) -> SinkChoice {
    SinkChoice::Http {
        endpoint: sink.required_text("httpEndpoint"),
        format: sink.one_of("httpContentFormat", ContentFormat::parse).unwrap_or(ContentFormat::Lines),
        content_type: sink.text("httpContentType").unwrap_or_else(|| CONTENT_TYPE_DEFAULT.to_owned()),
        authorization: sink.text("httpAuthorization").map(Secret::new),
        headers: sink
            .each("httpCustomHeaders", |header| {
                (header.required_text("header"), Secret::new(header.required_text("value")))
            })
            .unwrap_or_default(),
    }
}

/// A stream as the Management API writes it: like Auth0, with the secrets of its sink.
fn body_of(app: &App, stream: &LogStream) -> Result<Value, Error> {
    let filters: Vec<Value> = stream
        .filters
        .iter()
        .map(|category| json!({ "type": "category", "name": category.as_str() }))
        .collect();
    let mut body = json!({
        "id": stream.id,
        "name": stream.name,
        "type": stream.sink.kind(),
        "status": stream.status.as_str(),
        "filters": filters,
        "sink": sink_body(&app.engine().shown_sink(stream)?),
    });
    if let Some(is_priority) = stream.is_priority {
        body["isPriority"] = is_priority.into();
    }
    if let Some(personal) = &stream.personal_data {
        let fields: Vec<&str> = personal.fields.iter().map(|field| field.as_str()).collect();
        body["pii_config"] = json!({ "log_fields": fields, "method": "mask" });
    }
    Ok(body)
}

fn sink_body(sink: &SinkChoice) -> Value {
    match sink {
        SinkChoice::File { name } => json!({ "fileName": name }),
        SinkChoice::Http { endpoint, format, content_type, authorization, headers } => {
            let mut body = json!({
                "httpEndpoint": endpoint,
                "httpContentFormat": format.as_str(),
                "httpContentType": content_type,
            });
            if let Some(authorization) = authorization {
                body["httpAuthorization"] = authorization.expose().as_str().into();
            }
            if !headers.is_empty() {
                let header = |(name, value): &(String, Secret<String>)| json!({ "header": name, "value": value.expose() });
                body["httpCustomHeaders"] = headers.iter().map(header).collect();
            }
            body
        }
    }
}
