//! Builds the `event` that post-login Actions see from the working state of a sign-in.
//!
//! Auth0: Actions › post-login › event object.

use std::collections::BTreeMap;

use domain::client::Client;
use domain::connection::Connection;
use domain::organization::Organization;
use domain::session::{AuthenticationMethod, Device, Session};
use domain::sign_in::Prompt;
use domain::user::User;
use sandbox::post_login as js;
use serde_json::{Map, Value};

use super::{Origin, Working};
use crate::RequestFacts;

/// The event as the next Action is to see it. `roles` are the names of the user's;
/// `transaction_metadata` is what earlier Actions of this run set.
pub(crate) fn build(
    working: &Working,
    roles: &[String],
    tenant_id: &str,
    transaction_metadata: &Map<String, Value>,
    facts: &RequestFacts,
) -> js::Event {
    js::Event {
        authentication: js::Authentication { methods: methods(&working.session.methods) },
        authorization: js::Authorization { roles: roles.to_vec() },
        client: client(&working.client),
        configuration: Map::new(),
        connection: connection(&working.connection),
        organization: working.organization.as_ref().map(organization),
        refresh_token: None,
        request: match &working.resumed {
            None => request(facts, &working.request.query, &[]),
            Some(resumed) => request(facts, &resumed.query, &resumed.body),
        },
        resource_server: working
            .resource_server
            .as_ref()
            .map(|found| js::ResourceServer { identifier: found.identifier.clone() }),
        secrets: js::Secrets::default(),
        session: Some(js::Session {
            reused: matches!(working.origin, Origin::Reused { .. }),
            ..session(&working.session)
        }),
        stats: js::Stats { logins_count: working.user.logins_count },
        tenant: js::Tenant { id: tenant_id.to_owned() },
        transaction: transaction(working, transaction_metadata),
        user: user(&working.user),
    }
}

/// `event.client`
pub(crate) fn client(client: &Client) -> js::Client {
    js::Client {
        client_id: client.id.to_string(),
        name: client.name.clone(),
        metadata: strings(&client.metadata),
    }
}

/// `event.connection`
pub(crate) fn connection(connection: &Connection) -> js::Connection {
    js::Connection {
        id: connection.id.to_string(),
        name: connection.name.clone(),
        strategy: connection.strategy.clone(),
        metadata: Some(strings(&connection.metadata)),
    }
}

/// `event.organization`
pub(crate) fn organization(organization: &Organization) -> js::Organization {
    js::Organization {
        id: organization.id.to_string(),
        name: organization.name.clone(),
        display_name: organization.display_name.clone().unwrap_or_else(|| organization.name.clone()),
        metadata: strings(&organization.metadata),
    }
}

/// `event.authentication.methods`
pub(crate) fn methods(known: &[AuthenticationMethod]) -> Vec<js::AuthenticationMethod> {
    let method = |method: &AuthenticationMethod| js::AuthenticationMethod {
        name: method.name.clone(),
        timestamp: method.at.to_string(),
        kind: method.factor.clone(),
    };
    known.iter().map(method).collect()
}

/// `event.request`
pub(crate) fn request(
    facts: &RequestFacts,
    query: &[(String, String)],
    body: &[(String, String)],
) -> js::Request {
    let text = |(name, value): &(String, String)| (name.clone(), Value::String(value.clone()));
    js::Request {
        ip: facts.ip.clone().unwrap_or_default(),
        method: facts.method.clone(),
        query: query.iter().map(text).collect(),
        body: body.iter().map(text).collect(),
        hostname: facts.hostname.clone(),
        language: facts.language.clone(),
        user_agent: facts.user_agent.clone(),
        geoip: js::Geoip::default(),
    }
}

fn session(session: &Session) -> js::Session {
    js::Session {
        id: session.id.to_string(),
        user_id: session.user_id.to_string(),
        created_at: session.created_at.to_string(),
        updated_at: session.updated_at.to_string(),
        authenticated_at: session.authenticated_at.to_string(),
        idle_expires_at: session.idle_expires_at.to_string(),
        expires_at: session.expires_at.to_string(),
        last_interacted_at: session.last_interacted_at.to_string(),
        clients: session.clients.iter().map(|id| js::SessionClient { client_id: id.to_string() }).collect(),
        device: device(&session.device),
        cookie: js::Cookie { mode: session.cookie_mode.as_str().to_owned() },
        metadata: session.metadata.entries().clone(),
        reused: false,
    }
}

/// `event.session.device` and `event.refresh_token.device`
pub(crate) fn device(device: &Device) -> js::Device {
    js::Device {
        initial_ip: device.initial_ip.clone(),
        initial_asn: None,
        initial_user_agent: device.initial_user_agent.clone(),
        last_ip: device.last_ip.clone(),
        last_asn: None,
        last_user_agent: device.last_user_agent.clone(),
    }
}

fn transaction(working: &Working, metadata: &Map<String, Value>) -> js::Transaction {
    let request = &working.request;
    js::Transaction {
        id: Some(working.transaction_id.to_string()),
        acr_values: request.acr_values.clone(),
        locale: request.ui_locales.first().cloned().unwrap_or_else(|| "en".to_owned()),
        login_hint: request.login_hint.clone(),
        prompt: request.prompts.iter().copied().map(Prompt::as_str).map(str::to_owned).collect(),
        protocol: "oidc-basic-profile".to_owned(),
        redirect_uri: Some(request.redirect_uri.clone()),
        requested_authorization_details: Vec::new(),
        requested_scopes: request.scopes.iter().map(str::to_owned).collect(),
        response_mode: Some(request.response_mode.as_str().to_owned()),
        response_type: vec!["code".to_owned()],
        state: request.state.clone(),
        ui_locales: request.ui_locales.clone(),
        metadata: metadata.clone(),
    }
}

/// `event.user`
pub(crate) fn user(user: &User) -> js::User {
    js::User {
        user_id: user.id.to_string(),
        name: user.name.clone(),
        nickname: user.nickname.clone(),
        email: user.email.clone(),
        email_verified: user.email_verified,
        phone_number: user.phone_number.clone(),
        phone_verified: user.phone_number.as_ref().map(|_| user.phone_verified),
        username: user.username.clone(),
        given_name: user.given_name.clone(),
        family_name: user.family_name.clone(),
        picture: user.picture.clone(),
        created_at: user.created_at.to_string(),
        updated_at: user.updated_at.to_string(),
        last_password_reset: user.last_password_reset.map(|at| at.to_string()),
        app_metadata: user.app_metadata.clone(),
        user_metadata: user.user_metadata.clone(),
        identities: user
            .identities
            .iter()
            .map(|identity| js::Identity {
                connection: identity.connection.clone(),
                provider: identity.provider.clone(),
                user_id: identity.user_id.clone(),
                is_social: identity.is_social,
                profile_data: None,
            })
            .collect(),
        multifactor: Vec::new(),
        enrolled_factors: Vec::new(),
    }
}

/// Metadata whose values are strings by rule; anything else would be a record from another world, and is left out.
fn strings(metadata: &Map<String, Value>) -> BTreeMap<String, String> {
    metadata.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}
