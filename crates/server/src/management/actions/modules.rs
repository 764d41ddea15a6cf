//! `/api/v2/actions/modules`: code that Actions share, and its versions.
//!
//! Auth0: Management API v2 › actions › modules.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::action_module::{Module, ModuleSource, ModuleVersion};
use domain::id::ModuleId;
use domain::limits::PAGE_ITEMS_MAX;
use engine::actions::{ModuleChanges, ModuleView};
use serde_json::{Value, json};

use super::{IGNORED, PAGE_DEFAULT, secret_of, wire, with_totals};
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;
use crate::management::caller::Call;
use crate::management::fields::Fields;
use crate::management::paging::{Params, answer};

/// The routes of this resource.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/actions/modules", get(list).post(create))
        .route("/api/v2/actions/modules/{id}", get(read_one).patch(update).delete(delete))
        .route("/api/v2/actions/modules/{id}/actions", get(users))
        .route("/api/v2/actions/modules/{id}/rollback", post(roll_back))
        .route("/api/v2/actions/modules/{id}/versions", get(versions).post(publish))
        .route("/api/v2/actions/modules/{id}/versions/{version}", get(version))
}

async fn list(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(&["read:actions"])?;
    // Without a size of page all are wanted; a tenant has no more of them than the largest page holds.
    let slice = with_totals(params.slice_of(PAGE_ITEMS_MAX)?);
    let listing = app.engine().modules(&slice).await?;
    Ok(answer(StatusCode::OK, &wire::page("modules", listing, |module| draft(&module))))
}

async fn create(call: Call, State(app): State<App>, ApiBody(body): ApiBody) -> Result<Response, ApiError> {
    call.require_any(&["create:actions"])?;
    let mut fields = Fields::of(&body)?;
    let name = fields.required_text("name");
    if !fields.has("code") {
        fields.missing("code");
    }
    let changes = changes_of(&mut fields);
    let publish = fields.flag("publish").unwrap_or(false);
    fields.kept(IGNORED);
    fields.finish()?;
    let view = app.engine().create_module(&call.with_body(body), &name, &changes, publish).await?;
    Ok(answer(StatusCode::CREATED, &whole(&view)))
}

async fn read_one(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["read:actions"])?;
    let view = app.engine().module(&ModuleId::new(id)).await?;
    Ok(answer(StatusCode::OK, &whole(&view)))
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
    fields.finish()?;
    let view = app.engine().update_module(&call.with_body(body), &ModuleId::new(id), &changes).await?;
    Ok(answer(StatusCode::OK, &whole(&view)))
}

async fn delete(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["delete:actions"])?;
    app.engine().delete_module(&call.with_body(Value::Null), &ModuleId::new(id)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn users(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(&["read:actions"])?;
    let slice = with_totals(params.slice_of(PAGE_DEFAULT)?);
    let listing = app.engine().module_users(&ModuleId::new(id), &slice).await?;
    let page = wire::page("actions", listing, |user| {
        json!({
            "action_id": user.action.id,
            "action_name": user.action.name,
            "module_version_id": user.uses.version_id,
            "module_version_number": user.uses.version_number,
            "supported_triggers": wire::triggers(&user.action),
        })
    });
    Ok(answer(StatusCode::OK, &page))
}

async fn roll_back(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:actions"])?;
    let mut fields = Fields::of(&body)?;
    let version = ModuleId::new(fields.required_text("module_version_id"));
    fields.finish()?;
    let view = app.engine().roll_back_module(&call.with_body(body), &ModuleId::new(id), &version).await?;
    Ok(answer(StatusCode::OK, &whole(&view)))
}

async fn versions(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(&["read:actions"])?;
    let slice = with_totals(params.slice_of(PAGE_DEFAULT)?);
    let listing = app.engine().module_versions(&ModuleId::new(id), &slice).await?;
    Ok(answer(StatusCode::OK, &wire::page("versions", listing, |version| frozen(&version))))
}

async fn publish(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["update:actions"])?;
    let version = app.engine().publish_module(&call.with_body(Value::Null), &ModuleId::new(id)).await?;
    Ok(answer(StatusCode::OK, &frozen(&version)))
}

async fn version(
    call: Call,
    State(app): State<App>,
    Path((id, version)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    call.require_any(&["read:actions"])?;
    let version = app.engine().module_version(&ModuleId::new(id), &ModuleId::new(version)).await?;
    Ok(answer(StatusCode::OK, &frozen(&version)))
}

fn changes_of(fields: &mut Fields) -> ModuleChanges {
    ModuleChanges {
        code: fields.text("code"),
        dependencies: fields.list("dependencies"),
        secrets: fields.each("secrets", secret_of),
    }
}

fn add_source(body: &mut Value, source: &ModuleSource) {
    body["code"] = source.code.as_str().into();
    body["dependencies"] = source.dependencies.as_slice().into();
    body["secrets"] = wire::secrets(&source.secrets);
}

/// A module as lists show it.
fn draft(module: &Module) -> Value {
    let mut body = json!({
        "id": module.id,
        "name": module.name,
        "actions_using_module_total": module.used_by.len(),
        "all_changes_published": module.all_changes_published,
        "created_at": module.created_at.to_string(),
        "updated_at": module.updated_at.to_string(),
    });
    if module.versions > 0 {
        body["latest_version_number"] = module.versions.into();
    }
    add_source(&mut body, &module.draft);
    body
}

/// A module with its newest version.
fn whole(view: &ModuleView) -> Value {
    let mut body = draft(&view.module);
    if let Some(latest) = &view.latest {
        let mut version = json!({
            "id": latest.id,
            "version_number": latest.number,
            "created_at": latest.created_at.to_string(),
        });
        add_source(&mut version, &latest.source);
        body["latest_version"] = version;
    }
    body
}

fn frozen(version: &ModuleVersion) -> Value {
    let mut body = json!({
        "id": version.id,
        "module_id": version.module_id,
        "version_number": version.number,
        "created_at": version.created_at.to_string(),
    });
    add_source(&mut body, &version.source);
    body
}
