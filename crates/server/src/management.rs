//! The Management API, `/api/v2`: one file per resource, its routes at its top.
//!
//! A handler reads: who calls ([`caller`]), what they want ([`fields`], [`paging`]), do it (the engine), answer.

pub mod actions;
pub mod caller;
pub mod client_grants;
pub mod clients;
pub mod connections;
pub mod fields;
pub mod logs;
pub mod organizations;
pub mod paging;
pub mod resource_servers;
pub mod sessions;
pub mod tenants;
pub mod users;

use axum::Router;

use crate::App;

/// Every route of the Management API.
pub fn routes() -> Router<App> {
    Router::new()
        .merge(actions::routes())
        .merge(client_grants::routes())
        .merge(clients::routes())
        .merge(connections::routes())
        .merge(logs::routes())
        .merge(organizations::routes())
        .merge(resource_servers::routes())
        .merge(sessions::routes())
        .merge(tenants::routes())
        .merge(users::routes())
}
