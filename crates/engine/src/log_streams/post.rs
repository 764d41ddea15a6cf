//! A stream's way out: posts over HTTPS to public addresses; to others only where the operator allows it.

use domain::egress::Egress;
use domain::limits::LOG_STREAM_POST_MS_MAX;
use reqwest::Client;
use reqwest::header::HeaderMap;

use crate::outbound::{callable, guarded_client, status_of};
use crate::ports::{Answer, OutboundError};

/// A client of its own, so that receivers of logs hold up nothing else.
pub(crate) struct StreamHttp {
    client: Client,
    egress: Egress,
}

impl StreamHttp {
    /// It calls where `egress` allows it.
    pub(crate) fn new(egress: Egress) -> Result<Self, OutboundError> {
        Ok(Self { client: guarded_client(&egress, LOG_STREAM_POST_MS_MAX)?, egress })
    }

    /// Posts a body. The answer's own body is dropped unread: only the status counts.
    pub(super) async fn post(
        &self,
        endpoint: &str,
        headers: HeaderMap,
        body: String,
    ) -> Result<Answer, OutboundError> {
        // Checked when it was set; but the configuration may have become stricter since.
        let endpoint = callable(endpoint, &self.egress).map_err(OutboundError::Refused)?;
        status_of(self.client.post(endpoint).headers(headers).body(body), LOG_STREAM_POST_MS_MAX).await
    }
}
