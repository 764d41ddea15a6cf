//! A stream's way out: posts over HTTPS to public addresses; to others only where the operator allows it.

use std::sync::Arc;
use std::time::Duration;

use domain::egress::Egress;
use domain::limits::LOG_STREAM_POST_MS_MAX;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, redirect};

use crate::clients::check_post_url;
use crate::outbound::{GuardedResolver, install_tls_provider, root_cause};
use crate::ports::{Answer, OutboundError, RetryAfter};

/// A client of its own, so that receivers of logs hold up nothing else.
pub(crate) struct StreamHttp {
    client: Client,
    egress: Egress,
}

impl StreamHttp {
    /// It calls where `egress` allows it.
    pub(crate) fn new(egress: Egress) -> Result<Self, OutboundError> {
        install_tls_provider();
        let limit = Duration::from_millis(LOG_STREAM_POST_MS_MAX.unsigned_abs());
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(limit)
            .connect_timeout(limit)
            .pool_max_idle_per_host(2)
            .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .dns_resolver(Arc::new(GuardedResolver { egress: egress.clone() }))
            .build()
            .map_err(|error| OutboundError::Failed(error.to_string()))?;
        Ok(Self { client, egress })
    }

    /// Posts a body. The answer's own body is dropped unread: only the status counts.
    pub(super) async fn post(
        &self,
        endpoint: &str,
        headers: HeaderMap,
        body: String,
    ) -> Result<Answer, OutboundError> {
        // Checked when it was set; but the configuration may have become stricter since.
        check_post_url(endpoint, "sink.httpEndpoint", &self.egress)
            .map_err(|error| OutboundError::Refused(error.to_string()))?;
        let request = self.client.post(endpoint).headers(headers).body(body);
        let response = request.send().await.map_err(|error| match error.is_timeout() {
            true => OutboundError::Timeout(LOG_STREAM_POST_MS_MAX),
            false => OutboundError::Failed(root_cause(&error)),
        })?;
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| RetryAfter::parse(value.to_str().ok()?));
        Ok(Answer { status: response.status().as_u16(), retry_after })
    }
}
