//! The kit of the black-box tests: a server, a browser, a relying party and a caller of the Management API.
//!
//! | what | module |
//! | --- | --- |
//! | where a test's records are kept, and that each test runs on every store | [`store`] |
//! | the server, in this process, with a clock that the test moves | [`server`] |
//! | the server as a program of its own, which can be killed | [`program`] |
//! | what came back | [`reply`] |
//! | a browser: cookies, redirects, forms | [`browser`], [`form`] |
//! | an application: authorization requests and tokens | [`app`] |
//! | its other side, which hears of logouts | [`relying_party`] |
//! | another server that users come from | [`provider`] |
//! | somebody else's system, which Actions call | [`webhook`] |
//! | one that events are streamed to | [`log_receiver`] |
//! | the Management API | [`api`] |
//! | whether every event in the log is as described | [`event_schema`] |
//! | a service that Actions call | [`neighbour`] |
//! | a page that Actions send browsers to | [`tenant_page`] |
//!
//! Helpers assert; tests tell the story. Every wait here has a limit.

pub mod api;
pub mod app;
pub mod browser;
pub mod event_schema;
pub mod form;
pub mod log_receiver;
pub mod neighbour;
pub mod program;
pub mod provider;
pub mod relying_party;
pub mod reply;
pub mod server;
pub mod store;
pub mod tenant_page;
pub mod wait;
pub mod webhook;

pub use api::Api;
pub use app::{App, SignedIn};
pub use browser::{Browser, Callback};
pub use log_receiver::LogReceiver;
pub use neighbour::Neighbour;
pub use relying_party::{Behaviour, RelyingParty};
pub use reply::Reply;
pub use server::{Server, User};
pub use store::Store;
pub use tenant_page::Visit;
pub use webhook::Webhook;
