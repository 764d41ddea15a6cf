//! The OpenID provider, as the specifications demand it.

mod authorize;
mod client_credentials;
mod code;
mod discovery;
mod logout;
mod refresh;
mod signatures;
mod userinfo_and_revocation;
