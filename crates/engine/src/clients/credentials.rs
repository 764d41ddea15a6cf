//! Clients' credentials: listed, made, given another end, deleted; and which of them a client's properties name.
//!
//! Auth0: applications › application credentials. They are part of the client's record, so whatever changes them also
//! conflicts with whatever else changes the client.

use domain::client::Client;
use domain::client_credential::{ClientCredential, CredentialAuthentication, CredentialKind, NewCredential};
use domain::id::{ClientCredentialId, ClientId, alphanumeric};
use domain::limits::{CLIENT_CREDENTIALS_ENABLED_MAX, CLIENT_CREDENTIALS_MAX};
use domain::time::Timestamp;
use serde_json::{Map, Value, json};
use store::Key;

use super::client_in;
use crate::{ApiCall, Engine, Error, Resource};

/// The property of a client that says how it proves itself with credentials.
pub const AUTHENTICATION_PROPERTY: &str = "client_authentication_methods";
/// Other properties of a client that name credentials. They are kept without effect.
pub const CREDENTIAL_PROPERTIES: [&str; 2] = ["signed_request_object", "token_vault_privileged_access"];
/// Their member that names them.
const CREDENTIALS: &str = "credentials";

/// The credentials that a property is to name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialChoice {
    /// These, which the client has.
    Known(Vec<ClientCredentialId>),
    /// These, which are made with it.
    New(Vec<NewCredential>),
}

/// A property without effect that may name credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct CredentialProperty {
    /// Which ones; `None`: those that it names now.
    pub credentials: Option<CredentialChoice>,
    /// Its other members: those that are absent stay.
    pub rest: Map<String, Value>,
}

impl Engine {
    /// The credentials of a client, in the order of their keys' names.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn client_credentials_of(&self, id: &ClientId) -> Result<Vec<ClientCredential>, Error> {
        let mut credentials = self.client(id).await?.credentials;
        credentials.sort_by(|left, right| listed_by(left).cmp(listed_by(right)));
        Ok(credentials)
    }

    /// One credential of a client.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn client_credential(
        &self,
        id: &ClientId,
        credential_id: &ClientCredentialId,
    ) -> Result<ClientCredential, Error> {
        let client = self.client(id).await?;
        client.credential(credential_id).cloned().ok_or(Error::NotFound(Resource::ClientCredential))
    }

    /// Gives a client a credential. It counts for nothing until a property of the client names it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] where there is one too many, or the client has it already.
    pub async fn create_client_credential(
        &self,
        call: &ApiCall,
        id: &ClientId,
        new: NewCredential,
    ) -> Result<ClientCredential, Error> {
        self.store()
            .transact(async |tx| {
                let mut client = client_in(tx, id).await?;
                let made = self.add_credential(&mut client, &new)?;
                tx.put(client);
                self.record_api(tx, call, "Create a Client Credential", 201);
                Ok(made)
            })
            .await
    }

    /// Gives a credential another end, or none.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn update_client_credential(
        &self,
        call: &ApiCall,
        id: &ClientId,
        credential_id: &ClientCredentialId,
        expires_at: Option<Timestamp>,
    ) -> Result<ClientCredential, Error> {
        self.store()
            .transact(async |tx| {
                let mut client = client_in(tx, id).await?;
                let found = client.credentials.iter_mut().find(|credential| credential.id == *credential_id);
                let credential = found.ok_or(Error::NotFound(Resource::ClientCredential))?;
                credential.expires_at = expires_at;
                credential.updated_at = self.now();
                let changed = credential.clone();
                tx.put(client);
                self.record_api(tx, call, "Update a Client Credential", 200);
                Ok(changed)
            })
            .await
    }

    /// Deletes a credential. One that is not there, of a client that is not there, is not missed.
    ///
    /// # Errors
    /// [`Error::Invalid`] while a property of the client names it.
    pub async fn delete_client_credential(
        &self,
        call: &ApiCall,
        id: &ClientId,
        credential_id: &ClientCredentialId,
    ) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let found = tx.get::<Client>(&Key::of(id)).await?.filter(|client| !client.is_dashboard());
                let Some(mut client) = found else { return Ok(()) };
                if let Some(property) = property_naming(&client, credential_id) {
                    let message = format!("The credential is in use: remove it from {property} first.");
                    return Err(Error::Invalid { message, code: None });
                }
                if client.credential(credential_id).is_some() {
                    client.credentials.retain(|credential| credential.id != *credential_id);
                    tx.put(client);
                }
                self.record_api(tx, call, "Delete a Client Credential", 204);
                Ok(())
            })
            .await
    }

    /// Makes a credential of a client that is about to be stored.
    fn add_credential(&self, client: &mut Client, new: &NewCredential) -> Result<ClientCredential, Error> {
        let refuse = |message: String| Error::Invalid { message, code: Some("invalid_body") };
        if client.credentials.len() >= CLIENT_CREDENTIALS_MAX {
            return Err(refuse(format!(
                "A client can have a maximum of {CLIENT_CREDENTIALS_MAX} credentials."
            )));
        }
        if client.credentials.iter().any(|own| own.kind.collides_with(&new.kind)) {
            // Auth0's own words, which its deploy tools know.
            return Err(refuse("credentials contains public keys that already exist in client".to_owned()));
        }
        let now = self.now();
        let made = ClientCredential {
            id: ClientCredentialId::new(format!("cred_{}", alphanumeric(&self.random::<22>()))),
            name: new.name.clone(),
            kind: new.kind.clone(),
            expires_at: new.expires_at,
            created_at: now,
            updated_at: now,
        };
        client.credentials.push(made.clone());
        Ok(made)
    }

    /// The identifiers of credentials that a property at `path` is to name; new ones are made. `fits` says which kinds do
    /// for it.
    pub(super) fn choose_credentials(
        &self,
        client: &mut Client,
        choice: &CredentialChoice,
        path: &str,
        fits: impl Fn(&CredentialKind) -> bool,
    ) -> Result<Vec<ClientCredentialId>, Error> {
        let ids = match choice {
            CredentialChoice::New(new) => {
                check_count(new.len(), path)?;
                let made = new.iter().map(|new| Ok(self.add_credential(client, new)?.id));
                made.collect::<Result<Vec<_>, Error>>()?
            }
            CredentialChoice::Known(ids) => {
                check_count(ids.len(), path)?;
                ids.clone()
            }
        };
        for (at, id) in ids.iter().enumerate() {
            if let Some(first) = ids[..at].iter().position(|earlier| earlier == id) {
                let reason = format!("Array items are not unique (indexes {first} and {at})");
                return Err(Error::property(&reason, path));
            }
            let place = format!("{path}[{at}].id");
            match client.credential(id) {
                None => return Err(Error::property("the client has no such credential", &place)),
                Some(found) if !fits(&found.kind) => {
                    let reason = format!("a credential of type {} does not do here", found.kind.as_str());
                    return Err(Error::property(&reason, &place));
                }
                Some(_) => {}
            }
        }
        Ok(ids)
    }

    /// Applies a property without effect that may name credentials; `None` removes it.
    pub(super) fn apply_credential_property(
        &self,
        client: &mut Client,
        name: &str,
        property: Option<&CredentialProperty>,
    ) -> Result<(), Error> {
        let Some(property) = property else {
            client.kept.remove(name);
            return Ok(());
        };
        let mut members = match client.kept.get(name) {
            Some(Value::Object(members)) => members.clone(),
            _ => Map::new(),
        };
        members.extend(property.rest.clone());
        if let Some(choice) = &property.credentials {
            let is_key = |kind: &CredentialKind| matches!(kind, CredentialKind::PublicKey { .. });
            let ids = self.choose_credentials(client, choice, &format!("{name}.{CREDENTIALS}"), is_key)?;
            members.insert(CREDENTIALS.to_owned(), references(&ids));
        }
        client.kept.insert(name.to_owned(), Value::Object(members));
        Ok(())
    }
}

/// Credentials as a property names them.
pub fn references(ids: &[ClientCredentialId]) -> Value {
    json!(ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>())
}

fn check_count(count: usize, path: &str) -> Result<(), Error> {
    if count > CLIENT_CREDENTIALS_ENABLED_MAX {
        let reason = format!("Array is too long ({count}), maximum {CLIENT_CREDENTIALS_ENABLED_MAX}");
        return Err(Error::property(&reason, path));
    }
    Ok(())
}

/// What a list is sorted by; a client has but a few.
fn listed_by(credential: &ClientCredential) -> &str {
    match &credential.kind {
        CredentialKind::PublicKey { kid, .. } => kid,
        CredentialKind::CertSubjectDn { subject_dn } => subject_dn,
        CredentialKind::X509Cert { thumbprint_sha256 } => thumbprint_sha256,
    }
}

/// The property of a client that names a credential, if one does.
fn property_naming(client: &Client, id: &ClientCredentialId) -> Option<&'static str> {
    let authentication = client.authentication.as_ref();
    if authentication.is_some_and(|CredentialAuthentication { credentials, .. }| credentials.contains(id)) {
        return Some(AUTHENTICATION_PROPERTY);
    }
    let names = |property: &&str| {
        let named = client.kept.get(*property).and_then(|value| value[CREDENTIALS].as_array());
        named.is_some_and(|named| named.iter().any(|one| one["id"] == id.as_str()))
    };
    CREDENTIAL_PROPERTIES.into_iter().find(names)
}
