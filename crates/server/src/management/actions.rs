//! `/api/v2/actions`: scripts, their versions, where they run, and what they did.
//!
//! Auth0: Management API v2 › actions. A draft is `built` as soon as it is stored: nothing has to be waited for.

mod modules;
mod wire;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::action::{TRIGGERS, Trigger};
use domain::id::ActionId;
use domain::secret::Secret;
use domain::time::Timestamp;
use engine::Error;
use engine::actions::{
    ActionChanges, BindingRef, ModuleChoice, NewBinding, RUNTIME_DEFAULT, SecretChange, TestInput,
};
use engine::listing::Slice;
use serde_json::{Value, json};

use super::caller::Call;
use super::fields::{Fields, Kind};
use super::paging::{Params, answer};
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

/// Properties of a new module that are taken without effect.
pub const IGNORED: &[(&str, Kind)] = &[("api_version", Kind::Text)];
/// Items on a page when none is asked for. Auth0: Management API v2 › actions.
const PAGE_DEFAULT: usize = 20;

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/actions/actions", get(list).post(create))
        .route("/api/v2/actions/actions/{id}", get(read_one).patch(update).delete(delete))
        .route("/api/v2/actions/actions/{id}/deploy", post(deploy))
        .route("/api/v2/actions/actions/{id}/test", post(test))
        .route("/api/v2/actions/actions/{id}/versions", get(versions))
        .route("/api/v2/actions/actions/{id}/versions/{version}", get(version))
        .route("/api/v2/actions/actions/{id}/versions/{version}/deploy", post(deploy_version))
        .route("/api/v2/actions/triggers", get(triggers))
        .route("/api/v2/actions/triggers/{id}/bindings", get(bindings).patch(bind))
        .route("/api/v2/actions/executions/{id}", get(execution))
        .merge(modules::routes())
}

async fn list(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(&["read:actions"])?;
    let slice = with_totals(params.slice_of(PAGE_DEFAULT)?);
    let trigger = params.get("triggerId");
    let name = params.get("actionName");
    let deployed = params.flag("deployed")?;
    let mut listing = app.engine().actions(&slice, name, trigger, deployed).await?;
    // Nothing comes from a marketplace here, so no Action is an installed one.
    if params.flag("installed")? == Some(true) {
        listing.items.clear();
        listing.total = Some(0);
    }
    let page = wire::page("actions", listing, |view| wire::action(&view));
    Ok(answer(StatusCode::OK, &page))
}

async fn create(call: Call, State(app): State<App>, ApiBody(body): ApiBody) -> Result<Response, ApiError> {
    call.require_any(&["create:actions"])?;
    let mut fields = Fields::of(&body)?;
    for name in ["name", "supported_triggers"] {
        if !fields.has(name) {
            fields.missing(name);
        }
    }
    let changes = changes_of(&mut fields);
    let triggers = triggers_of(&mut fields).unwrap_or_default();
    let at_once = fields.flag("deploy").unwrap_or(false);
    fields.finish()?;
    let [(trigger, version)] = triggers.as_slice() else {
        return Err(Error::property("exactly one trigger is supported", "supported_triggers").into());
    };
    let view = app.engine().create_action(&call.with_body(body), trigger, version, changes, at_once).await?;
    Ok(answer(StatusCode::CREATED, &wire::action(&view)))
}

async fn read_one(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["read:actions"])?;
    let view = app.engine().action(&ActionId::new(id)).await?;
    Ok(answer(StatusCode::OK, &wire::action(&view)))
}

async fn update(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:actions"])?;
    let mut fields = Fields::of_patch(&body)?;
    let changes = changes_of(&mut fields);
    let triggers = triggers_of(&mut fields);
    fields.finish()?;
    let id = ActionId::new(id);
    if let Some(triggers) = triggers {
        let view = app.engine().action(&id).await?;
        if triggers.len() != 1 || triggers[0].0 != view.action.trigger {
            return Err(
                Error::property("the trigger of an action cannot change", "supported_triggers").into()
            );
        }
    }
    let view = app.engine().update_action(&call.with_body(body), &id, changes).await?;
    Ok(answer(StatusCode::OK, &wire::action(&view)))
}

async fn delete(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(&["delete:actions"])?;
    let force = params.flag("force")?.unwrap_or(false);
    app.engine().delete_action(&call.with_body(Value::Null), &ActionId::new(id), force).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn deploy(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["create:actions"])?;
    let (version, action) =
        app.engine().deploy_action(&call.with_body(Value::Null), &ActionId::new(id)).await?;
    Ok(answer(StatusCode::OK, &wire::version(&version, &action, true)))
}

async fn deploy_version(
    call: Call,
    State(app): State<App>,
    Path((id, version)): Path<(String, String)>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["create:actions"])?;
    let mut update_draft = false;
    if !body.is_null() {
        let mut fields = Fields::of(&body)?;
        update_draft = fields.flag("update_draft").unwrap_or(false);
        fields.finish()?;
    }
    let (call, id, version) = (call.with_body(body), ActionId::new(id), ActionId::new(version));
    let (version, action) = app.engine().deploy_action_version(&call, &id, &version, update_draft).await?;
    Ok(answer(StatusCode::ACCEPTED, &wire::version(&version, &action, true)))
}

async fn versions(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(&["read:actions"])?;
    let slice = with_totals(params.slice_of(PAGE_DEFAULT)?);
    let (action, listing) = app.engine().action_versions(&ActionId::new(id), &slice).await?;
    let page = wire::page("versions", listing, |version| {
        wire::version(&version, &action, action.deployed_version.as_ref() == Some(&version.id))
    });
    Ok(answer(StatusCode::OK, &page))
}

async fn version(
    call: Call,
    State(app): State<App>,
    Path((id, version)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    call.require_any(&["read:actions"])?;
    let id = ActionId::new(id);
    let action = app.engine().action(&id).await?.action;
    let version = app.engine().action_version(&id, &ActionId::new(version)).await?;
    let deployed = action.deployed_version.as_ref() == Some(&version.id);
    Ok(answer(StatusCode::OK, &wire::version(&version, &action, deployed)))
}

async fn test(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["create:actions"])?;
    let mut fields = Fields::of(&body)?;
    if !fields.has("payload") {
        fields.missing("payload");
    }
    let event = fields.within("payload", |payload| {
        let event = payload.object("event").unwrap_or_default();
        payload.ignore_rest();
        event
    });
    // Auth0 knows none of these: which handler to call, the time at which the script's clock is to stand, and what it
    // finds in its cache.
    let handler = fields.text("handler");
    let now = fields.text("now").and_then(|text| {
        let now = Timestamp::parse(&text);
        if now.is_none() {
            fields.refuse("must be a date and time in ISO 8601", "now");
        }
        now
    });
    let mut cache = Vec::new();
    for (key, value) in fields.object("cache").unwrap_or_default() {
        match value {
            Value::String(value) => cache.push((key, value)),
            _ => fields.refuse("must hold texts", "cache"),
        }
    }
    fields.finish()?;
    let event = Value::Object(event.flatten().unwrap_or_default());
    let input = TestInput { event, handler, now, cache };
    let run = app.engine().test_action(&ActionId::new(id), input).await?;
    Ok(answer(StatusCode::OK, &wire::test_run(&run)))
}

async fn triggers(call: Call) -> Result<Response, ApiError> {
    call.require_any(&["read:actions"])?;
    let all: Vec<Value> = TRIGGERS
        .iter()
        .map(|trigger| {
            json!({
                "id": trigger.id,
                "version": trigger.version,
                "status": "CURRENT",
                "runtimes": [RUNTIME_DEFAULT],
                "default_runtime": RUNTIME_DEFAULT,
                "binding_policy": "trigger-bound",
                "compatible_triggers": [],
            })
        })
        .collect();
    Ok(answer(StatusCode::OK, &json!({ "triggers": all })))
}

async fn bindings(
    call: Call,
    State(app): State<App>,
    Path(trigger): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(&["read:actions"])?;
    let slice = with_totals(params.slice_of(PAGE_DEFAULT)?);
    let all = app.engine().bindings(&trigger).await?;
    let all: Vec<Value> = all.iter().map(|(binding, view)| wire::binding(&trigger, binding, view)).collect();
    let listing = engine::listing::Listing::of_all(all, &slice, |binding| binding["id"].to_string());
    Ok(answer(StatusCode::OK, &wire::page("bindings", listing, |binding| binding)))
}

async fn bind(
    call: Call,
    State(app): State<App>,
    Path(trigger): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:actions"])?;
    let mut fields = Fields::of(&body)?;
    if !fields.has("bindings") {
        fields.missing("bindings");
    }
    let wanted = fields.each("bindings", binding_of).unwrap_or_default();
    fields.finish()?;
    let wanted: Vec<NewBinding> = wanted.into_iter().flatten().collect();
    let all = app.engine().replace_bindings(&call.with_body(body), &trigger, &wanted).await?;
    let all: Vec<Value> = all.iter().map(|(binding, view)| wire::binding(&trigger, binding, view)).collect();
    Ok(answer(StatusCode::OK, &json!({ "bindings": all })))
}

async fn execution(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["read:actions"])?;
    let execution = app.engine().execution(&ActionId::new(id)).await?;
    Ok(answer(StatusCode::OK, &wire::execution(&execution)))
}

/// These lists always say how many there are.
fn with_totals(slice: Slice) -> Slice {
    match slice {
        Slice::Offset { start, limit, .. } => Slice::Offset { start, limit, totals: true },
        checkpoint @ Slice::Checkpoint { .. } => checkpoint,
    }
}

fn changes_of(fields: &mut Fields) -> ActionChanges {
    ActionChanges {
        name: fields.text("name"),
        code: fields.text("code"),
        runtime: fields.text("runtime"),
        dependencies: fields.list("dependencies"),
        secrets: fields.each("secrets", secret_of),
        modules: fields.each("modules", module_of),
    }
}

fn secret_of(secret: &mut Fields) -> SecretChange {
    let change = SecretChange {
        name: secret.required_text("name"),
        value: secret.text_or_null("value").flatten().map(Secret::new),
    };
    // What a GET gave may be sent back.
    secret.ignore("updated_at");
    change
}

fn module_of(module: &mut Fields) -> ModuleChoice {
    let number = module.integer_from("module_version_number", 1);
    ModuleChoice {
        module_id: module.text("module_id"),
        module_name: module.text("module_name"),
        version_id: module.text("module_version_id"),
        version_number: number.and_then(|number| u64::try_from(number).ok()),
    }
}

/// Name and version of each trigger.
fn triggers_of(fields: &mut Fields) -> Option<Vec<(String, String)>> {
    fields.each("supported_triggers", |trigger| {
        let id = trigger.required_text("id");
        // An unknown trigger is the engine's to refuse, by its name.
        let supported = Trigger::find(&id).map_or("v3", |trigger| trigger.version);
        let version = trigger.text("version").unwrap_or_else(|| supported.to_owned());
        if version != supported {
            trigger.refuse(&format!("only {supported} is supported"), "version");
        }
        // What GET /actions/triggers gave may be sent back.
        trigger.ignore_rest();
        (id, version)
    })
}

fn binding_of(binding: &mut Fields) -> Option<NewBinding> {
    if !binding.has("ref") {
        binding.missing("ref");
    }
    let names = binding.within("ref", |names| {
        let make = names.one_of("type", |kind| {
            let make: fn(String) -> BindingRef = match kind {
                "action_id" => BindingRef::ActionId,
                "action_name" => BindingRef::ActionName,
                "binding_id" => BindingRef::BindingId,
                _ => return None,
            };
            Some(make)
        });
        let value = names.required_text("value");
        make.map(|make| make(value))
    });
    let display_name = binding.text_or_null("display_name").flatten();
    // Secrets of a binding are those of its Action.
    binding.ignore("secrets");
    Some(NewBinding { names: names.flatten().flatten()?, display_name })
}
