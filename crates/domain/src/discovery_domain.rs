//! A domain by whose addresses an organization might be found.
//!
//! Auth0: manage users › organizations › discovery domains.

use serde::{Deserialize, Serialize};

use crate::id::{DiscoveryDomainId, OrganizationId};
use crate::time::Timestamp;

/// Shortest name of a domain in bytes. Auth0: discovery domain `domain`.
pub const DOMAIN_BYTES_MIN: usize = 3;
/// Longest name of a domain in bytes. Auth0: discovery domain `domain`.
pub const DOMAIN_BYTES_MAX: usize = 255;

/// A domain of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscoveryDomain {
    /// The record.
    pub id: DiscoveryDomainId,
    /// The organization.
    pub organization_id: OrganizationId,
    /// Its name, in lower case.
    pub domain: String,
    /// Whether somebody vouched that it is the organization's.
    pub is_verified: bool,
    /// Whether the organization may be found by it; without effect here.
    pub use_for_organization_discovery: bool,
    /// What a TXT record would have to hold to prove it.
    pub verification_txt: String,
    /// Since when.
    pub created_at: Timestamp,
}

impl DiscoveryDomain {
    /// The name under which that TXT record would lie.
    pub fn verification_host(&self) -> String {
        format!("_ss-verification.{}.{}", self.organization_id, self.domain)
    }
}

/// Whether a text can be the name of a domain: labels of letters, digits and inner hyphens.
pub fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    (DOMAIN_BYTES_MIN..=DOMAIN_BYTES_MAX).contains(&text.len()) && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::is_domain;

    #[test]
    fn domains_are_labels_of_letters_digits_and_inner_hyphens() {
        for good in ["acme.example", "a-1.Example", "localhost", "1.2"] {
            assert!(is_domain(good), "{good}");
        }
        for bad in [
            "",
            "ab",
            "-a.example",
            "a-.example",
            "a..example",
            ".example",
            "a_b.example",
            "a b",
            &"a".repeat(256),
        ] {
            assert!(!is_domain(bad), "{bad}");
        }
    }
}
