//! Tenant settings: what holds when nothing was set, and how a change is checked.
//!
//! Auth0: get started › tenant settings.

use domain::limits::CLIENT_URLS_MAX;
use domain::session::CookieMode;
use domain::tenant::Tenant;
use domain::user::is_email;
use serde_json::{Map, Value};
use store::tables::tenant_key;

use crate::clients::check_return_url;
use crate::connections::merge_kept_within;
use crate::{ApiCall, Engine, Error};

/// Settings that are to change; absent ones stay. The inner `None` clears.
#[derive(Debug, Clone, Default)]
pub struct TenantChanges {
    /// What people call it.
    pub friendly_name: Option<Option<String>>,
    /// URL of a logo.
    pub picture_url: Option<Option<String>>,
    /// Whom users may write to.
    pub support_email: Option<Option<String>>,
    /// Where users find help.
    pub support_url: Option<Option<String>>,
    /// The API of tokens that name none.
    pub default_audience: Option<Option<String>>,
    /// The connection that tokens by password use.
    pub default_directory: Option<Option<String>>,
    /// Where a page that lost its context sends the user.
    pub default_redirection_uri: Option<Option<String>>,
    /// URLs to which any client's logout may return.
    pub allowed_logout_urls: Option<Vec<String>>,
    /// Absolute session lifetime in minutes.
    pub session_minutes: Option<i64>,
    /// Idle session lifetime in minutes.
    pub idle_session_minutes: Option<i64>,
    /// Absolute lifetime with a non-persistent cookie, in minutes.
    pub ephemeral_session_minutes: Option<i64>,
    /// Idle lifetime with a non-persistent cookie, in minutes.
    pub idle_ephemeral_session_minutes: Option<i64>,
    /// Whether browsers keep the cookie; cleared means that they do.
    pub cookie_mode: Option<Option<CookieMode>>,
    /// Whether `/oidc/logout` asks the user first; cleared means that it does.
    pub logout_prompt_enabled: Option<Option<bool>>,
    /// Whether discovery names the end-session endpoint.
    pub logout_endpoint_discovery: Option<bool>,
    /// Whether logout events in the log carry the session's metadata.
    pub include_session_metadata_in_logs: Option<bool>,
    /// Whether clients can watch the session from a frame; cleared means that they cannot.
    pub session_management: Option<Option<bool>>,
    /// Settings without effect: null removes.
    pub kept: Map<String, Value>,
}

impl TenantChanges {
    fn apply(&self, tenant: &mut Tenant) -> Result<(), Error> {
        self.apply_texts(tenant)?;
        let lifetimes = [
            (self.session_minutes, &mut tenant.session_minutes, "session_lifetime"),
            (self.idle_session_minutes, &mut tenant.idle_session_minutes, "idle_session_lifetime"),
            (
                self.ephemeral_session_minutes,
                &mut tenant.ephemeral_session_minutes,
                "ephemeral_session_lifetime",
            ),
            (
                self.idle_ephemeral_session_minutes,
                &mut tenant.idle_ephemeral_session_minutes,
                "idle_ephemeral_session_lifetime",
            ),
        ];
        for (wanted, own, property) in lifetimes {
            let Some(wanted) = wanted else { continue };
            if wanted < 1 {
                return Err(Error::property(&format!("Value {wanted} is less than minimum 1"), property));
            }
            // Too long ones are capped where they are used, as Auth0 does.
            *own = wanted;
        }
        if let Some(mode) = self.cookie_mode {
            tenant.cookie_mode = mode.unwrap_or_default();
        }
        if let Some(enabled) = self.logout_prompt_enabled {
            tenant.logout_prompt_enabled = enabled.unwrap_or(true);
        }
        if let Some(discovery) = self.logout_endpoint_discovery {
            tenant.logout_endpoint_discovery = discovery;
        }
        if let Some(include) = self.include_session_metadata_in_logs {
            tenant.include_session_metadata_in_logs = include;
        }
        if let Some(enabled) = self.session_management {
            tenant.session_management = enabled.unwrap_or_default();
        }
        merge_kept_within(&mut tenant.kept, &self.kept, "flags");
        Ok(())
    }

    fn apply_texts(&self, tenant: &mut Tenant) -> Result<(), Error> {
        let texts = [
            (&self.friendly_name, &mut tenant.friendly_name),
            (&self.picture_url, &mut tenant.picture_url),
            (&self.support_email, &mut tenant.support_email),
            (&self.support_url, &mut tenant.support_url),
            (&self.default_audience, &mut tenant.default_audience),
            (&self.default_directory, &mut tenant.default_directory),
            (&self.default_redirection_uri, &mut tenant.default_redirection_uri),
        ];
        for (wanted, own) in texts {
            if let Some(wanted) = wanted {
                *own = wanted.clone().filter(|text| !text.is_empty());
            }
        }
        if let Some(email) = &tenant.support_email
            && !is_email(email)
        {
            let reason = format!("Object didn't pass validation for format email-or-empty: {email}");
            return Err(Error::property(&reason, "support_email"));
        }
        let urls = [
            (&tenant.picture_url, "picture_url"),
            (&tenant.support_url, "support_url"),
            (&tenant.default_redirection_uri, "default_redirection_uri"),
        ];
        for (url, property) in urls {
            if let Some(url) = url {
                check_return_url(url, property)?;
            }
        }
        if let Some(wanted) = &self.allowed_logout_urls {
            if wanted.len() > CLIENT_URLS_MAX {
                let reason = format!("Array is too long ({}), maximum {CLIENT_URLS_MAX}", wanted.len());
                return Err(Error::property(&reason, "allowed_logout_urls"));
            }
            for (at, url) in wanted.iter().enumerate() {
                check_return_url(url, &format!("allowed_logout_urls[{at}]"))?;
            }
            tenant.allowed_logout_urls.clone_from(wanted);
        }
        Ok(())
    }
}

impl Engine {
    /// The settings in force; the defaults until something is set.
    pub(crate) async fn tenant(&self) -> Result<Tenant, Error> {
        Ok(self.store().get::<Tenant>(&tenant_key()).await?.unwrap_or_default())
    }

    /// The settings in force, for whoever may read them.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn tenant_settings(&self) -> Result<Tenant, Error> {
        self.tenant().await
    }

    /// Changes settings: each one given replaces the one there.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a setting that is not legal, and then nothing is changed.
    pub async fn update_tenant_settings(
        &self,
        call: &ApiCall,
        changes: TenantChanges,
    ) -> Result<Tenant, Error> {
        let tenant = self
            .store()
            .transact(async |tx| {
                let mut tenant = tx.get::<Tenant>(&tenant_key()).await?.unwrap_or_default();
                changes.apply(&mut tenant)?;
                tx.put(tenant.clone());
                self.record_api(tx, call, "Update Tenant Settings", 200);
                Ok::<_, Error>(tenant)
            })
            .await?;
        // Discovery tells of one of the settings.
        self.reload_published().await?;
        Ok(tenant)
    }
}

#[cfg(test)]
mod tests {
    use domain::tenant::Tenant;

    use super::TenantChanges;

    #[test]
    fn an_empty_text_clears_and_a_bad_value_is_refused() {
        let mut tenant = Tenant { friendly_name: Some("A".into()), ..Tenant::default() };
        let text = |text: &str| Some(Some(text.to_owned()));
        TenantChanges { friendly_name: text(""), ..Default::default() }.apply(&mut tenant).unwrap();
        assert_eq!(tenant.friendly_name, None);
        for bad in [
            TenantChanges { session_minutes: Some(0), ..Default::default() },
            TenantChanges { support_email: text("nobody"), ..Default::default() },
            TenantChanges { support_url: text("help"), ..Default::default() },
            TenantChanges { allowed_logout_urls: Some(vec!["x".into()]), ..Default::default() },
        ] {
            assert!(bad.apply(&mut Tenant::default()).is_err(), "{bad:?}");
        }
    }
}
