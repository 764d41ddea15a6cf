//! Reads the properties of a client that name its credentials: known ones, or ones that are made with the client.

use domain::client_credential::CredentialMethod;
use domain::id::ClientCredentialId;
use engine::clients::ClientChanges;
use engine::clients::credentials::{
    AUTHENTICATION_PROPERTY, CREDENTIAL_PROPERTIES, CredentialChoice, CredentialProperty,
};

use super::credentials::new_credential;
use crate::management::fields::Fields;

const CREDENTIALS: &str = "credentials";

/// Which credentials a body can name. Auth0: those of a new client are defined in full, later ones exist already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// `{"id": …}`.
    Known,
    /// With their keys.
    New,
}

/// Whether a body wants to change something about credentials, for which there are scopes of their own.
pub(super) fn concerns_credentials(fields: &Fields, naming: Naming) -> bool {
    let makes = |name: &&str| fields.peek_object(name).is_some_and(|inner| inner.contains_key(CREDENTIALS));
    match naming {
        Naming::Known => fields.holds(AUTHENTICATION_PROPERTY),
        Naming::New => fields.has(AUTHENTICATION_PROPERTY) || CREDENTIAL_PROPERTIES.iter().any(makes),
    }
}

/// Takes the properties.
pub(super) fn authentication(fields: &mut Fields, naming: Naming, changes: &mut ClientChanges) {
    let methods = fields.within(AUTHENTICATION_PROPERTY, |inner| {
        let read = |method: CredentialMethod| {
            let chosen = inner.within(method.as_str(), |inner| {
                if !inner.has(CREDENTIALS) {
                    inner.missing(CREDENTIALS);
                }
                choice(inner, naming, kind_for(method))
            });
            chosen.flatten().flatten().map(|chosen| (method, chosen))
        };
        CredentialMethod::ALL.into_iter().filter_map(read).collect::<Vec<_>>()
    });
    changes.authentication = match methods {
        None => None,
        Some(None) => Some(None),
        Some(Some(mut methods)) => {
            if methods.len() != 1 {
                let count = methods.len();
                let reason = format!("exactly one method must be there, and there are {count}");
                fields.refuse(&reason, AUTHENTICATION_PROPERTY);
            }
            methods.pop().map(Some)
        }
    };
    for name in CREDENTIAL_PROPERTIES {
        let property = fields.within(name, |inner| {
            let credentials = choice(inner, naming, "public_key");
            CredentialProperty { credentials, rest: inner.take_rest() }
        });
        changes.credential_properties.extend(property.map(|property| (name, property)));
    }
}

/// The type of the credentials that do for a method.
const fn kind_for(method: CredentialMethod) -> &'static str {
    match method {
        CredentialMethod::PrivateKeyJwt => "public_key",
        CredentialMethod::TlsClientAuth => "cert_subject_dn",
        CredentialMethod::SelfSignedTlsClientAuth => "x509_cert",
    }
}

fn choice(inner: &mut Fields, naming: Naming, kind: &'static str) -> Option<CredentialChoice> {
    if !inner.has(CREDENTIALS) {
        return None;
    }
    match naming {
        Naming::Known => {
            let id = |item: &mut Fields| ClientCredentialId::new(item.required_text("id"));
            inner.each(CREDENTIALS, id).map(CredentialChoice::Known)
        }
        Naming::New => {
            let new = inner.each(CREDENTIALS, |item| new_credential(item, &[kind]))?;
            // One that was not read has been refused.
            Some(CredentialChoice::New(new.into_iter().flatten().collect()))
        }
    }
}
