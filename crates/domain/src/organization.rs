//! An organization and who belongs to it.
//!
//! Auth0: manage users › organizations.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{OrganizationId, UserId};
use crate::time::Timestamp;

/// A business customer of the tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Organization {
    /// The `org_id` claim.
    pub id: OrganizationId,
    /// Unique short name.
    pub name: String,
    /// What people call it.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Small strings that Actions see as `event.organization.metadata`.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// Logo and colours.
    #[serde(default)]
    pub branding: Option<Value>,
    /// Accepted, given back, without effect here.
    #[serde(default)]
    pub kept: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// That a user belongs to an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The user.
    pub user_id: UserId,
    /// Since when.
    pub created_at: Timestamp,
}
