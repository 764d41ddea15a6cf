//! Which claims an Action may add to a token, and adding them.
//!
//! Auth0: tokens › create custom claims. Registered names: IANA JSON Web Token Claims.
//!
//! A claim whose name is taken is dropped without an error, as Auth0 does; the names come back for the log.

use serde_json::{Map, Value};

/// Names that have a meaning of their own in tokens, sorted. An Action cannot set them.
const RESTRICTED: [&str; 66] = [
    "acr",
    "act",
    "active",
    "amr",
    "at_hash",
    "ath",
    "attest",
    "aud",
    "auth_time",
    "authorization_details",
    "azp",
    "c_hash",
    "client_id",
    "cnf",
    "cty",
    "dest",
    "entitlements",
    "events",
    "exp",
    "groups",
    "gty",
    "htm",
    "htu",
    "iat",
    "internalService",
    "iss",
    "jcard",
    "jku",
    "jti",
    "jwe",
    "jwk",
    "kid",
    "may_act",
    "mky",
    "nbf",
    "nonce",
    "object_id",
    "org_id",
    "org_name",
    "orig",
    "origid",
    "permissions",
    "roles",
    "rph",
    "s_hash",
    "scope",
    "session_metadata",
    "sid",
    "sip_callid",
    "sip_cseq_num",
    "sip_date",
    "sip_from_tag",
    "sip_via_branch",
    "sub",
    "sub_id",
    "sub_jwk",
    "toe",
    "trace_id",
    "txn",
    "typ",
    "uuid",
    "vot",
    "vtm",
    "x5c",
    "x5t",
    "x5t#S256",
];

/// Whether a name is one that only the server sets.
pub fn is_restricted(name: &str) -> bool {
    RESTRICTED.binary_search(&name).is_ok()
}

/// Whether a name is a URL, so that it cannot clash with anything.
pub fn is_namespaced(name: &str) -> bool {
    ["https://", "http://"]
        .iter()
        .any(|scheme| name.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
}

/// Adds custom claims to a token's own. Tokens for the server's own APIs take only namespaced names. Returns the
/// names that were dropped.
pub(crate) fn add(
    claims: &mut Map<String, Value>,
    custom: &Map<String, Value>,
    only_namespaced: bool,
) -> Vec<String> {
    let mut dropped = Vec::new();
    for (name, value) in custom {
        if is_restricted(name) || (only_namespaced && !is_namespaced(name)) {
            dropped.push(name.clone());
        } else {
            claims.insert(name.clone(), value.clone());
        }
    }
    dropped
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{RESTRICTED, add, is_namespaced, is_restricted};

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn the_list_is_sorted_so_that_it_can_be_searched() {
        assert!(RESTRICTED.is_sorted());
        for name in
            ["iss", "sub", "aud", "exp", "iat", "sid", "events", "roles", "permissions", "gty", "x5t#S256"]
        {
            assert!(is_restricted(name), "{name}");
        }
        assert!(!is_restricted("nickname"));
    }

    #[test]
    fn a_taken_name_is_dropped_and_told() {
        let mut claims = map(json!({"sub": "1", "nickname": "ada"}));
        let custom = map(json!({"sub": "2", "nickname": "countess", "https://x.example/a": [1]}));
        assert_eq!(add(&mut claims, &custom, false), ["sub"]);
        assert_eq!(claims, map(json!({"sub": "1", "nickname": "countess", "https://x.example/a": [1]})));
    }

    #[test]
    fn tokens_for_the_servers_own_apis_take_only_namespaced_names() {
        let mut claims = Map::new();
        let custom = map(json!({"plan": "x", "https://x.example/a": 1, "https://": 1}));
        assert_eq!(add(&mut claims, &custom, true), ["https://", "plan"]);
        assert_eq!(claims, map(json!({"https://x.example/a": 1})));
        assert!(!is_namespaced("ftp://x"));
    }
}
