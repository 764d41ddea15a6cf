//! APIs that access tokens are made for: made, read, changed, deleted.
//!
//! Auth0: APIs › API settings. The Management API itself is one of them; of it only the lifetime of tokens can be changed.

use domain::grant::ClientGrant;
use domain::id::{ResourceServerId, hexadecimal};
use domain::key::SigningAlgorithm;
use domain::limits::{ACCESS_TOKEN_SECONDS_DEFAULT, ACCESS_TOKEN_SECONDS_MAX};
use domain::resource_server::{ResourceServer, ScopeDefinition, TokenDialect};
use serde_json::{Map, Value};
use store::{Key, Order, Tx};

use crate::connections::merge_kept;
use crate::listing::{LIST_SCAN_RECORDS_MAX, Listing, Slice, Source};
use crate::{ApiCall, Engine, Error, Resource};

/// Lifetime of access tokens for browsers' scripts in seconds, when none is set. Auth0: `token_lifetime_for_web`.
const WEB_TOKEN_SECONDS_DEFAULT: i64 = 7_200;
/// Scopes of one API. Auth0: entity limits.
const SCOPES_MAX: usize = 1_000;
/// Grants looked at in one step.
const GRANTS_STEP: usize = 500;

/// Properties that are to change; absent ones stay.
#[derive(Debug, Clone, Default)]
pub struct ResourceServerChanges {
    /// What people call it.
    pub name: Option<String>,
    /// Scopes that it knows.
    pub scopes: Option<Vec<ScopeDefinition>>,
    /// Signature of its access tokens.
    pub signing_algorithm: Option<SigningAlgorithm>,
    /// Lifetime of its access tokens in seconds.
    pub token_seconds: Option<i64>,
    /// The same, when a browser's script asked for them.
    pub token_seconds_for_web: Option<i64>,
    /// Whether refresh tokens may be had for it.
    pub allow_offline_access: Option<bool>,
    /// How its access tokens are laid out.
    pub token_dialect: Option<TokenDialect>,
    /// Whether users may do only what they have permissions for.
    pub enforce_policies: Option<bool>,
    /// Properties without effect: null removes.
    pub kept: Map<String, Value>,
}

impl ResourceServerChanges {
    fn apply(&self, server: &mut ResourceServer) -> Result<(), Error> {
        if let Some(name) = &self.name {
            if name.trim().is_empty() || name.contains(['<', '>']) {
                return Err(Error::property("String does not match pattern ^[^<>]+$", "name"));
            }
            server.name = Some(name.clone());
        }
        if let Some(scopes) = &self.scopes {
            check_scopes(scopes)?;
            server.replace_scopes(scopes);
        }
        if let Some(algorithm) = self.signing_algorithm {
            server.signing_algorithm = algorithm;
        }
        let lifetimes = [
            (self.token_seconds, &mut server.token_seconds, "token_lifetime"),
            (self.token_seconds_for_web, &mut server.token_seconds_for_web, "token_lifetime_for_web"),
        ];
        for (wanted, own, property) in lifetimes {
            let Some(wanted) = wanted else { continue };
            if !(1..=ACCESS_TOKEN_SECONDS_MAX).contains(&wanted) {
                let reason = format!("Value {wanted} is not between 1 and {ACCESS_TOKEN_SECONDS_MAX}");
                return Err(Error::property(&reason, property));
            }
            *own = wanted;
        }
        if let Some(allow) = self.allow_offline_access {
            server.allow_offline_access = allow;
        }
        if let Some(dialect) = self.token_dialect {
            server.token_dialect = dialect;
        }
        if let Some(enforce) = self.enforce_policies {
            server.enforce_policies = Some(enforce);
            // Where an older release kept it.
            server.kept.remove("enforce_policies");
        }
        merge_kept(&mut server.kept, &self.kept);
        Ok(())
    }
}

fn check_scopes(scopes: &[ScopeDefinition]) -> Result<(), Error> {
    if scopes.len() > SCOPES_MAX {
        return Err(Error::property(
            &format!("Array is too long ({}), maximum {SCOPES_MAX}", scopes.len()),
            "scopes",
        ));
    }
    for (at, scope) in scopes.iter().enumerate() {
        // RFC 6749 §3.3: printable ASCII without space, quote and backslash.
        let legal = |byte: u8| (0x21..=0x7e).contains(&byte) && byte != b'"' && byte != b'\\';
        if scope.value.is_empty() || !scope.value.bytes().all(legal) {
            let reason = "a scope is printable ASCII without spaces, quotes and backslashes";
            return Err(Error::property(reason, &format!("scopes[{at}].value")));
        }
        if let Some(first) = scopes[..at].iter().position(|other| other.value == scope.value) {
            let reason = format!("Array items are not unique (indexes {first} and {at})");
            return Err(Error::property(&reason, "scopes"));
        }
    }
    Ok(())
}

impl Engine {
    /// Makes an API.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a property that is not legal, [`Error::Conflict`] for an identifier that is taken.
    pub async fn create_resource_server(
        &self,
        call: &ApiCall,
        identifier: &str,
        changes: ResourceServerChanges,
    ) -> Result<ResourceServer, Error> {
        if identifier.trim().is_empty() || identifier.contains(char::is_whitespace) {
            return Err(Error::property("it must not be empty nor contain spaces", "identifier"));
        }
        let mut server = ResourceServer {
            id: ResourceServerId::new(hexadecimal(&self.random::<12>())),
            identifier: identifier.to_owned(),
            name: None,
            scopes: Vec::new(),
            revision: 0,
            enforce_policies: None,
            signing_algorithm: SigningAlgorithm::Rs256,
            token_seconds: ACCESS_TOKEN_SECONDS_DEFAULT,
            token_seconds_for_web: WEB_TOKEN_SECONDS_DEFAULT,
            allow_offline_access: false,
            token_dialect: TokenDialect::AccessToken,
            is_system: false,
            kept: Map::new(),
            created_at: self.now(),
        };
        changes.apply(&mut server)?;
        if changes.token_seconds_for_web.is_none() {
            server.token_seconds_for_web = server.token_seconds_for_web.min(server.token_seconds);
        }
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                if tx.find::<ResourceServer>("identifier", &Key::of(identifier)).await?.is_some() {
                    let message = "A resource server with the same identifier already exists.".to_owned();
                    return Err(Error::Conflict { message });
                }
                tx.insert(server.clone());
                self.record_api(tx, call, "Create a Resource Server", 201);
                Ok(())
            })
            .await?;
        Ok(server)
    }

    /// One API, by its record's identifier or by its `audience`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn resource_server(&self, id: &str) -> Result<ResourceServer, Error> {
        let by_id = self.store().get::<ResourceServer>(&Key::of(id)).await?;
        let found = match by_id {
            Some(found) => Some(found),
            None => self.store().find::<ResourceServer>("identifier", &Key::of(id)).await?,
        };
        found.ok_or(Error::NotFound(Resource::ResourceServer))
    }

    /// Some of the APIs; where `identifiers` are given, only those.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a checkpoint that is none.
    pub async fn resource_servers(
        &self,
        slice: &Slice,
        identifiers: &[String],
    ) -> Result<Listing<ResourceServer>, Error> {
        self.list(Source::table(), slice, |server: &ResourceServer| {
            identifiers.is_empty() || identifiers.contains(&server.identifier)
        })
        .await
    }

    /// Changes an API: each property given replaces the one there.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a property that is not legal; [`Error::Refused`] for
    /// anything but the lifetime of tokens of the Management API itself.
    pub async fn update_resource_server(
        &self,
        call: &ApiCall,
        id: &str,
        changes: ResourceServerChanges,
    ) -> Result<ResourceServer, Error> {
        self.store()
            .transact(async |tx| {
                let mut server =
                    resource_server_in(tx, id).await?.ok_or(Error::NotFound(Resource::ResourceServer))?;
                let before = server.clone();
                changes.apply(&mut server)?;
                // A deploy tool that says what is so anyway is not refused.
                if before.is_system && server != may_change(&before, &server) {
                    return Err(system_refusal());
                }
                tx.put(server.clone());
                self.record_api(tx, call, "Update a Resource Server", 200);
                Ok(server)
            })
            .await
    }

    /// Deletes an API and the grants for it. One that is not there is not missed.
    ///
    /// # Errors
    /// [`Error::Refused`] for the Management API itself.
    pub async fn delete_resource_server(&self, call: &ApiCall, id: &str) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let Some(server) = resource_server_in(tx, id).await? else { return Ok(()) };
                if server.is_system {
                    return Err(system_refusal());
                }
                // A grant that is made at this very moment may stay behind: it allows nothing.
                let (mut after, mut scanned) = (None, 0);
                loop {
                    let page = tx
                        .page::<ClientGrant>(
                            None,
                            &Key::all(),
                            after.as_deref(),
                            GRANTS_STEP,
                            Order::Ascending,
                        )
                        .await?;
                    scanned += page.items.len();
                    for grant in page.items.iter().filter(|grant| grant.audience == server.identifier) {
                        tx.delete::<ClientGrant>(&Key::of(&grant.id));
                    }
                    after = page.next;
                    if after.is_none() || scanned >= LIST_SCAN_RECORDS_MAX {
                        break;
                    }
                }
                tx.delete::<ResourceServer>(&Key::of(&server.id));
                self.record_api(tx, call, "Delete a Resource Server", 204);
                Ok(())
            })
            .await
    }
}

async fn resource_server_in(tx: &mut Tx, id: &str) -> Result<Option<ResourceServer>, Error> {
    match tx.get::<ResourceServer>(&Key::of(id)).await? {
        Some(found) => Ok(Some(found)),
        None => Ok(tx.find::<ResourceServer>("identifier", &Key::of(id)).await?),
    }
}

/// What the Management API may become: one whose tokens live otherwise.
fn may_change(before: &ResourceServer, after: &ResourceServer) -> ResourceServer {
    ResourceServer {
        token_seconds: after.token_seconds,
        token_seconds_for_web: after.token_seconds_for_web,
        kept: after.kept.clone(),
        ..before.clone()
    }
}

fn system_refusal() -> Error {
    let message =
        "Of the Management API of this server only the lifetime of tokens can be changed.".to_owned();
    Error::Refused { message, code: Some("operation_not_supported") }
}

#[cfg(test)]
mod tests {
    use domain::resource_server::ScopeDefinition;

    use super::check_scopes;

    #[test]
    fn scopes_are_legal_and_unique() {
        let scope = |value: &str| ScopeDefinition { value: value.to_owned(), description: None, since: 0 };
        assert!(check_scopes(&[scope("read:x"), scope("write:x")]).is_ok());
        for bad in ["", "a b", "a\"", "ä"] {
            assert!(check_scopes(&[scope(bad)]).is_err(), "{bad}");
        }
        let error = check_scopes(&[scope("a"), scope("b"), scope("a")]).unwrap_err();
        assert!(error.to_string().contains("indexes 0 and 2"), "{error}");
    }
}
