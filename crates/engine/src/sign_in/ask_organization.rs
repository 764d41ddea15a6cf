//! Asks which organization the user comes for, where the client needs one and says that the page may ask.
//!
//! Auth0: client `organization_require_behavior`, `pre_login_prompt`. With the name, the request begins anew as if the
//! client had named the organization itself: there is no other way past the checks.

use domain::client::Client;
use domain::organization::OrganizationUsage;
use domain::sign_in::{AuthorizationRequest, Prompt, SignIn};
use serde_json::Value;
use store::Key;

use super::Browser;
use super::prove::{PageView, Proof};
use crate::{Engine, Error, RequestFacts};

/// The parameter of an authorization request.
const ORGANIZATION: &str = "organization";
/// Tells nobody whether the organization exists and for which applications it is.
const NOT_FOUND: &str = "We could not find this organization for the application.";

/// Whether the user is to be asked, instead of refusing a request that names no organization.
pub(super) fn asks_for_organization(request: &AuthorizationRequest, client: &Client) -> bool {
    let behavior = client.kept.get("organization_require_behavior").and_then(Value::as_str);
    OrganizationUsage::of(&client.kept) == OrganizationUsage::Require
        && behavior == Some("pre_login_prompt")
        && request.organization.as_deref().is_none_or(str::is_empty)
        && request.invitation.is_none()
        && !request.asks(Prompt::None)
}

impl Engine {
    /// What the page shows.
    ///
    /// # Errors
    /// [`Error::OAuth`], to be shown as a page, when the sign-in is over or belongs to another browser.
    pub async fn organization_page(&self, id: &str, browser_secret: Option<&str>) -> Result<PageView, Error> {
        let (sign_in, client) = self.waiting(id, browser_secret).await?;
        self.view_before(&sign_in, &client, None).await
    }

    /// The page's form: the name of an organization.
    ///
    /// # Errors
    /// As [`Engine::organization_page`].
    pub async fn choose_organization(
        &self,
        id: &str,
        browser: Browser<'_>,
        name: &str,
        facts: &RequestFacts,
    ) -> Result<Proof, Error> {
        let (sign_in, client) = self.waiting(id, browser.secret).await?;
        let name = name.trim();
        let organization = Some(name.to_owned()).filter(|name| !name.is_empty());
        let request = AuthorizationRequest { organization, ..sign_in.request.clone() };
        let Ok(Some(door)) = self.door(&request, &client).await? else {
            let view = self.view_before(&sign_in, &client, Some(name)).await?;
            return Ok(Proof::Again { view, message: NOT_FOUND.to_owned() });
        };
        let mut params = sign_in.request.query.clone();
        params.retain(|(known, _)| known != ORGANIZATION);
        params.push((ORGANIZATION.to_owned(), door.organization.id.to_string()));
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.delete::<SignIn>(&Key::of(&sign_in.id));
                Ok(())
            })
            .await?;
        Ok(Proof::Next(self.authorize(params, browser, facts).await?))
    }

    async fn view_before(
        &self,
        sign_in: &SignIn,
        client: &Client,
        typed: Option<&str>,
    ) -> Result<PageView, Error> {
        let tenant = self.tenant().await?;
        Ok(PageView {
            client_name: client.name.clone(),
            tenant_name: tenant.friendly_name,
            tenant_logo: tenant.picture_url,
            login_hint: typed.map(str::to_owned),
            signup_enabled: false,
            takes_password: false,
            connections: Vec::new(),
            redirect_uri: sign_in.request.redirect_uri.clone(),
            ui_locales: sign_in.request.ui_locales.clone(),
        })
    }
}
