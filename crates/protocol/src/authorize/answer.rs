//! How a failure of the later checks travels back: the response mode and `state`, read before they are checked.
//!
//! Spec: OAuth 2.0 Multiple Response Types §2.1 and §5, RFC 6749 §4.1.2.1.

use domain::limits::STATE_BYTES_MAX;
use domain::sign_in::ResponseMode;

use crate::params::Params;

/// The mode asked for; else the default of the response type: a type that carries tokens answers in the fragment,
/// and so do its errors.
pub(super) fn mode(params: &Params) -> ResponseMode {
    let asked = params.get("response_mode").and_then(ResponseMode::parse);
    asked.unwrap_or_else(|| {
        let types = params.get("response_type").unwrap_or_default();
        let carries_tokens = types.split(' ').any(|one| one == "token" || one == "id_token");
        if carries_tokens { ResponseMode::Fragment } else { ResponseMode::Query }
    })
}

/// The `state`, unless it is too long to be given back or there is more than one.
pub(super) fn state(params: &Params) -> Option<String> {
    params.get("state").filter(|state| state.len() <= STATE_BYTES_MAX).map(str::to_owned)
}
