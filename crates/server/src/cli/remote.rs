//! A running server, asked through its Management API.
//!
//! Credentials come from files or the environment, never from the command line, which other users of the machine can
//! read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use domain::secret::Secret;
use reqwest::{Certificate, Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CliError, JSON_BYTES_MAX, read_text};

/// What one request may take, in milliseconds.
const REQUEST_MS_MAX: u64 = 10_000;
/// Bytes of a file with credentials or certificates that are read.
const FILE_BYTES_MAX: usize = 1024 * 1024;
/// The variable that may hold a token.
const TOKEN_VARIABLE: &str = "VESTIBULE_TOKEN";

/// Which server, and how to prove the right to ask it.
#[derive(Debug, Args)]
pub(super) struct RemoteChoices {
    /// The server's address. Without it, the data folder's `admin.json` says address and credentials.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// A file with an access token for the Management API; else `VESTIBULE_TOKEN` holds one.
    #[arg(long, value_name = "FILE", requires = "url")]
    token_file: Option<PathBuf>,
}

/// `admin.json`, as far as it is needed.
#[derive(Deserialize)]
struct Admin {
    issuer: String,
    client_id: String,
    client_secret: String,
    audience: String,
}

/// A server with a token for it.
pub(super) struct Remote {
    http: Client,
    url: String,
    token: Secret<String>,
}

impl Remote {
    /// Finds the server and gets a token. The certificate in the data folder is trusted beside the system's.
    pub(super) async fn connect(choices: &RemoteChoices, data: &Path) -> Result<Self, CliError> {
        let http = client(&data.join("ca.pem"))?;
        if let Some(url) = &choices.url {
            let url = url.trim_end_matches('/').to_owned();
            return Ok(Self { http, url, token: given_token(choices)? });
        }
        let path = data.join("admin.json");
        let wrong = |error: &dyn std::fmt::Display| {
            CliError::Usage(format!(
                "{error}. Name the server's data folder with --data, or the server with --url"
            ))
        };
        let text = read_text(&path, FILE_BYTES_MAX).map_err(|error| wrong(&error))?;
        let admin: Admin = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
        let url = admin.issuer.trim_end_matches('/').to_owned();
        let body = json!({
            "grant_type": "client_credentials",
            "client_id": admin.client_id,
            "client_secret": admin.client_secret,
            "audience": admin.audience,
        });
        let (status, answer) = ask(http.post(format!("{url}/oauth/token")).json(&body)).await?;
        match answer["access_token"].as_str() {
            Some(token) => Ok(Self { http, url, token: Secret::new(token.to_owned()) }),
            None => Err(CliError::Remote(format!("{url} gave no token: {status}"))),
        }
    }

    /// Status and body of what lies below `/api/v2`; JSON null where the body is no JSON.
    pub(super) async fn get(&self, path: &str) -> Result<(StatusCode, Value), CliError> {
        ask(self.http.get(format!("{}/api/v2/{path}", self.url)).bearer_auth(self.token.expose())).await
    }

    /// What the operator is told when an answer is not the one that was hoped for.
    pub(super) fn unexpected(&self, status: StatusCode, answer: &Value) -> CliError {
        let message = answer["message"].as_str().unwrap_or_default();
        CliError::Remote(format!("{} answered {status} {message}", self.url))
    }

    /// The server's address.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

fn given_token(choices: &RemoteChoices) -> Result<Secret<String>, CliError> {
    let text = match &choices.token_file {
        Some(path) => Some(read_text(path, FILE_BYTES_MAX)?),
        None => std::env::var(TOKEN_VARIABLE).ok(),
    };
    let token = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let missing = || CliError::Usage(format!("--url needs a token: --token-file, or {TOKEN_VARIABLE}"));
    token.map(Secret::new).ok_or_else(missing)
}

fn client(authority: &Path) -> Result<Client, CliError> {
    engine::outbound::install_tls_provider();
    let mut builder = Client::builder().timeout(Duration::from_millis(REQUEST_MS_MAX));
    if authority.exists() {
        let text = read_text(authority, FILE_BYTES_MAX)?;
        let wrong = |error| CliError::Usage(format!("{}: {error}", authority.display()));
        builder = builder.tls_certs_merge([Certificate::from_pem(text.as_bytes()).map_err(wrong)?]);
    }
    builder.build().map_err(|error| CliError::Remote(error.to_string()))
}

/// Status and JSON of an answer; JSON null where it is none.
async fn ask(request: RequestBuilder) -> Result<(StatusCode, Value), CliError> {
    let failed = |error: reqwest::Error| {
        let cause = std::iter::successors(std::error::Error::source(&error), |error| error.source()).last();
        CliError::Remote(cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}")))
    };
    let mut response = request.send().await.map_err(failed)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > JSON_BYTES_MAX {
            return Err(CliError::Remote("the answer is longer than any of ours".to_owned()));
        }
    }
    Ok((response.status(), serde_json::from_slice(&bytes).unwrap_or_default()))
}
