//! The post-user-registration trigger: Actions that are told, afterwards, that someone became a user.
//!
//! Auth0: Actions › post-user-registration.

use domain::action::TRIGGER_POST_USER_REGISTRATION;
use domain::client::Client;
use domain::connection::Connection;
use domain::id::ActionId;
use domain::sign_in::{AuthorizationRequest, Prompt};
use domain::user::User;
use sandbox::post_login::Tenant;
use sandbox::post_user_registration as js;
use store::Tx;

use crate::actions::queue::Afterwards;
use crate::sign_in::event;
use crate::{Engine, Error, RequestFacts};

impl Afterwards for js::Event {
    const TRIGGER: &'static str = TRIGGER_POST_USER_REGISTRATION;
    const HANDLER: &'static str = js::HANDLER;

    fn with_secrets(self, secrets: sandbox::Secrets) -> sandbox::Event {
        sandbox::Event::PostUserRegistration(Box::new(Self { secrets, ..self }))
    }
}

/// The way by which someone signs themselves up.
#[derive(Clone, Copy)]
pub(crate) struct SignUp<'a> {
    /// The application that sent them.
    pub(crate) client: &'a Client,
    /// What it asked for.
    pub(crate) request: &'a AuthorizationRequest,
}

impl Engine {
    /// Queues what is bound, in the unit of work that makes the user. Without `sign_up` the Management API makes them.
    pub(crate) async fn queue_registered(
        &self,
        tx: &mut Tx,
        user: &User,
        connection: &Connection,
        sign_up: Option<SignUp<'_>>,
        facts: &RequestFacts,
    ) -> Result<Option<ActionId>, Error> {
        if !self.is_bound::<js::Event>(tx).await? {
            return Ok(None);
        }
        let event = js::Event {
            connection: event::connection(connection),
            request: sign_up.map(|_| event::request(facts, &[], &[])),
            secrets: sandbox::Secrets::default(),
            tenant: Tenant { id: self.inner.settings.tenant.clone() },
            transaction: sign_up.map(|sign_up| transaction(sign_up.request)),
            user: user_view(user),
        };
        self.queue_actions(tx, &event, user, sign_up.map(|sign_up| sign_up.client), facts).map(Some)
    }
}

fn transaction(request: &AuthorizationRequest) -> js::Transaction {
    js::Transaction {
        acr_values: request.acr_values.clone(),
        locale: request.ui_locales.first().cloned().unwrap_or_else(|| "en".to_owned()),
        login_hint: request.login_hint.clone(),
        prompt: request.prompts.iter().copied().map(Prompt::as_str).map(str::to_owned).collect(),
        protocol: "oidc-basic-profile".to_owned(),
        redirect_uri: Some(request.redirect_uri.clone()),
        requested_scopes: request.scopes.iter().map(str::to_owned).collect(),
        response_mode: Some(request.response_mode.as_str().to_owned()),
        response_type: vec!["code".to_owned()],
        state: request.state.clone(),
        ui_locales: request.ui_locales.clone(),
    }
}

fn user_view(user: &User) -> js::User {
    js::User {
        user_id: user.id.to_string(),
        email: user.email.clone(),
        email_verified: user.email_verified,
        username: user.username.clone(),
        phone_number: user.phone_number.clone(),
        phone_verified: user.phone_number.as_ref().map(|_| user.phone_verified),
        name: user.name.clone(),
        nickname: user.nickname.clone(),
        given_name: user.given_name.clone(),
        family_name: user.family_name.clone(),
        picture: user.picture.clone(),
        created_at: user.created_at.to_string(),
        updated_at: user.updated_at.to_string(),
        app_metadata: user.app_metadata.clone(),
        user_metadata: user.user_metadata.clone(),
    }
}
