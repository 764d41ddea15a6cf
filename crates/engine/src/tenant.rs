//! Tenant settings: what holds when nothing was set, and how a change is checked.
//!
//! Auth0: get started › tenant settings.

use domain::tenant::Tenant;
use store::tables::tenant_key;

use crate::{Engine, Error};

impl Engine {
    /// The settings in force; the defaults until something is set.
    pub(crate) async fn tenant(&self) -> Result<Tenant, Error> {
        Ok(self.store().get::<Tenant>(&tenant_key()).await?.unwrap_or_default())
    }
}
