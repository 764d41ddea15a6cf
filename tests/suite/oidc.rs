//! The OpenID provider, as the specifications demand it.

mod authorize;
mod client_credentials;
mod code;
mod discovery;
mod front_channel_logout;
mod logout;
mod private_key_jwt;
mod refresh;
mod session_management;
mod signatures;
mod userinfo_and_revocation;
