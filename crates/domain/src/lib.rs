//! What things are and which values are legal: the vocabulary of the whole server.
//!
//! Pure values and rules. Nothing here reads a clock, makes randomness, or does I/O; time is always an
//! argument. Types that carry `Serialize` are stored records (or parts of one); they are never sent to a
//! client as they are, because wire forms belong to the boundary that speaks them.
//!
//! | word | module |
//! | --- | --- |
//! | session, device, cookie mode | [`session`] |
//! | session metadata | [`metadata`] |
//! | user, identity | [`user`] |
//! | client (application), and what it proves itself with | [`client`], [`client_credential`] |
//! | resource server (API), client grant | [`resource_server`], [`grant`] |
//! | role, permission | [`role`] |
//! | connection, and the provider behind one | [`connection`], [`upstream`] |
//! | organization, a domain of one, an invitation to one | [`organization`], [`discovery_domain`], [`invitation`] |
//! | code, refresh token | [`token`] |
//! | sign-in transaction, and one that waits for its browser | [`sign_in`], [`paused`] |
//! | Action, version, binding | [`action`] |
//! | what Actions keep for a while | [`action_cache`] |
//! | code that Actions share | [`action_module`] |
//! | logout initiator, pending logout | [`logout`] |
//! | session that ended, delivery of a logout token | [`logout_delivery`] |
//! | log event, and what it may show of a text from outside | [`event`], [`redact`] |
//! | log stream | [`log_stream`] |
//! | log event, how events are found again | [`event`], [`log_index`] |
//! | the `q` of lists | [`query`] |
//! | tenant settings | [`tenant`] |
//! | how guessing is held | [`attack_protection`] |
//! | settings that are only kept | [`settings_document`] |
//! | signing key | [`key`] |
//! | limits | [`limits`] |

pub mod action;
pub mod action_cache;
pub mod action_module;
pub mod attack_protection;
pub mod client;
pub mod client_credential;
pub mod connection;
pub mod discovery_domain;
pub mod egress;
pub mod event;
pub mod grant;
pub mod id;
pub mod invitation;
pub mod key;
pub mod limits;
pub mod log_index;
pub mod log_stream;
pub mod logout;
pub mod logout_delivery;
pub mod metadata;
pub mod organization;
pub mod paused;
pub mod query;
pub mod redact;
pub mod resource_server;
pub mod role;
pub mod scope;
pub mod secret;
pub mod session;
pub mod settings_document;
pub mod sign_in;
pub mod tenant;
pub mod time;
pub mod token;
pub mod upstream;
pub mod user;
