//! The Management API.

mod absent;
mod action_modules;
mod actions;
mod administrators;
mod attack_protection;
mod caller;
mod discovery_domains;
mod invitations;
mod kept_settings;
mod log_events;
mod log_secrets;
mod log_streams;
mod logout_deliveries;
mod logs;
mod logs_tail;
mod organization_connections;
mod organization_grants;
mod organizations;
mod refresh_tokens;
mod resources;
mod sessions_delete;
mod sessions_get;
mod sessions_list;
mod sessions_patch;
mod signing_keys;
mod users_search;
