//! The Management API, `/api/v2`: one file per resource, its routes at its top.
//!
//! A handler reads: who calls ([`caller`]), what they want ([`fields`], [`paging`]), do it (the engine), answer.

pub mod absent;
pub mod actions;
pub mod attack_protection;
pub mod branding;
pub mod caller;
pub mod client_grants;
pub mod clients;
pub mod connections;
pub mod emails;
pub mod fields;
mod kept;
pub mod keys;
pub mod log_streams;
pub mod logout_deliveries;
pub mod logs;
pub mod organizations;
pub mod paging;
pub mod prompts;
pub mod refresh_tokens;
pub mod resource_servers;
pub mod roles;
pub mod sessions;
pub mod shape;
pub mod tenants;
pub mod user_blocks;
pub mod users;

use axum::Router;

use crate::App;

/// Every route of the Management API.
pub fn routes() -> Router<App> {
    Router::new()
        .merge(absent::routes())
        .merge(actions::routes())
        .merge(attack_protection::routes())
        .merge(branding::routes())
        .merge(client_grants::routes())
        .merge(clients::routes())
        .merge(connections::routes())
        .merge(emails::routes())
        .merge(keys::routes())
        .merge(log_streams::routes())
        .merge(logout_deliveries::routes())
        .merge(logs::routes())
        .merge(organizations::routes())
        .merge(prompts::routes())
        .merge(refresh_tokens::routes())
        .merge(resource_servers::routes())
        .merge(roles::routes())
        .merge(sessions::routes())
        .merge(tenants::routes())
        .merge(user_blocks::routes())
        .merge(users::routes())
}

#[cfg(test)]
mod tests {
    use super::{
        actions, client_grants, clients, connections, organizations, resource_servers, tenants, users,
    };

    #[test]
    fn every_property_without_effect_is_in_the_operators_book() {
        let book = include_str!("../../../docs/compatibility.md");
        let lists = [
            clients::KEPT,
            connections::KEPT,
            resource_servers::KEPT,
            client_grants::KEPT,
            organizations::KEPT,
            tenants::KEPT,
            users::IGNORED,
            actions::IGNORED,
        ];
        for (name, _) in lists.into_iter().flatten() {
            assert!(book.contains(&format!("`{name}`")), "{name}");
        }
    }
}
