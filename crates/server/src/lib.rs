//! Hears requests: HTTP, pages, configuration, start and stop. Knows no storage.
//!
//! | question | module |
//! | --- | --- |
//! | what the operator may choose | [`config`], [`cli`] |
//! | which URL is answered where | [`routes`] |
//! | what every request meets | [`http`] |
//! | what a failure looks like | [`error`] |
//! | what people see | [`pages`] |
//! | what administrators see | [`dashboard`] |
//! | how it starts, listens and stops | [`build`], [`serve`], [`worker`], [`log_streams`] |
//!
//! Tests start it in their own process: [`build`] with [`config::Config::for_testing`] and ports of their own.

pub mod announce;
pub mod cli;
pub mod config;
pub mod dashboard;
pub mod data_folder;
pub mod error;
pub mod first_start;
pub mod http;
pub mod log_streams;
pub mod logging;
pub mod management;
#[cfg(test)]
mod manual;
pub mod oidc;
pub mod pages;
pub mod routes;
pub mod serve;
pub mod start;
pub mod tls;
pub mod worker;

use std::sync::Arc;

use engine::Engine;

use crate::config::TrustedProxy;

pub use crate::start::{Server, StartError, build};

/// What handlers share. Clones are cheap.
#[derive(Clone)]
pub struct App {
    engine: Engine,
    trusted_proxies: Arc<[TrustedProxy]>,
}

impl App {
    fn new(engine: Engine, trusted_proxies: &[TrustedProxy]) -> Self {
        Self { engine, trusted_proxies: trusted_proxies.into() }
    }

    /// The engine that carries requests out.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Proxies whose `X-Forwarded-For` is believed.
    pub fn trusted_proxies(&self) -> &[TrustedProxy] {
        &self.trusted_proxies
    }
}
