//! One story per file: what people do with session metadata, from the first sign-in to the last logout token.

mod concurrent_patch;
mod configure_session_metadata;
mod database_clock;
mod delivery;
mod expiry_by_connection;
mod failures;
mod initiators;
mod killed_server;
mod killed_worker;
mod local_actions;
mod logout_token;
mod organization_doors;
mod organization_information;
mod organization_invitations;
mod organization_machines;
mod revoke_on_network_change;
mod roles_in_tokens;
mod script_api;
mod two_nodes;
