//! The Management API.

mod action_modules;
mod actions;
mod caller;
mod logout_deliveries;
mod logs;
mod refresh_tokens;
mod resources;
mod sessions_delete;
mod sessions_get;
mod sessions_list;
mod sessions_patch;
