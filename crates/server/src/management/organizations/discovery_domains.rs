//! `/api/v2/organizations/{id}/discovery-domains`: its domains.
//!
//! Auth0: Management API v2 › organizations.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::discovery_domain::DiscoveryDomain;
use domain::id::{DiscoveryDomainId, OrganizationId};
use engine::organizations::discovery_domains::DomainSettings;
use serde_json::{Value, json};

use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;
use crate::management::caller::Call;
use crate::management::fields::Fields;
use crate::management::paging::{Params, answer, list_body};

const READ: &[&str] = &["read:organization_discovery_domains"];

/// The routes of this resource.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/organizations/{id}/discovery-domains", get(list).post(create))
        .route("/api/v2/organizations/{id}/discovery-domains/name/{domain}", get(by_name))
        .route(
            "/api/v2/organizations/{id}/discovery-domains/{domain_id}",
            get(read_one).patch(update).delete(delete),
        )
}

async fn list(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let slice = params.checkpoint()?;
    let listing = app.engine().discovery_domains(&OrganizationId::new(id), &slice).await?;
    let body = list_body("domains", &slice, listing, |own| body_of(&own));
    Ok(answer(StatusCode::OK, &body))
}

async fn create(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["create:organization_discovery_domains"])?;
    let mut fields = Fields::of(&body)?;
    let domain = fields.required_text("domain");
    let settings = settings_of(&mut fields);
    fields.finish()?;
    let (call, id) = (call.with_body(body), OrganizationId::new(id));
    let own = app.engine().create_discovery_domain(&call, &id, &domain, settings).await?;
    Ok(answer(StatusCode::CREATED, &body_of(&own)))
}

async fn read_one(
    call: Call,
    State(app): State<App>,
    Path((id, domain_id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let (id, domain_id) = (OrganizationId::new(id), DiscoveryDomainId::new(domain_id));
    Ok(answer(StatusCode::OK, &body_of(&app.engine().discovery_domain(&id, &domain_id).await?)))
}

async fn by_name(
    call: Call,
    State(app): State<App>,
    Path((id, domain)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let own = app.engine().discovery_domain_by_name(&OrganizationId::new(id), &domain).await?;
    Ok(answer(StatusCode::OK, &body_of(&own)))
}

async fn update(
    call: Call,
    State(app): State<App>,
    Path((id, domain_id)): Path<(String, String)>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:organization_discovery_domains"])?;
    let mut fields = Fields::of_patch(&body)?;
    let settings = settings_of(&mut fields);
    fields.finish()?;
    let (id, domain_id) = (OrganizationId::new(id), DiscoveryDomainId::new(domain_id));
    let own = app.engine().update_discovery_domain(&call.with_body(body), &id, &domain_id, settings).await?;
    Ok(answer(StatusCode::OK, &body_of(&own)))
}

async fn delete(
    call: Call,
    State(app): State<App>,
    Path((id, domain_id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    call.require_any(&["delete:organization_discovery_domains"])?;
    let (id, domain_id) = (OrganizationId::new(id), DiscoveryDomainId::new(domain_id));
    app.engine().delete_discovery_domain(&call.with_body(Value::Null), &id, &domain_id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn settings_of(fields: &mut Fields) -> DomainSettings {
    DomainSettings {
        is_verified: fields.one_of("status", |name| match name {
            "pending" => Some(false),
            "verified" => Some(true),
            _ => None,
        }),
        use_for_organization_discovery: fields.flag("use_for_organization_discovery"),
    }
}

fn body_of(own: &DiscoveryDomain) -> Value {
    json!({
        "id": own.id,
        "domain": own.domain,
        "status": if own.is_verified { "verified" } else { "pending" },
        "use_for_organization_discovery": own.use_for_organization_discovery,
        "verification_host": own.verification_host(),
        "verification_txt": own.verification_txt,
    })
}
