//! Sources of users: database connections and other OpenID providers, made, read, changed, deleted.
//!
//! Auth0: authenticate › database connections, enterprise connections › OpenID Connect. Other strategies do not exist
//! yet and are refused. What belongs to providers alone is in `upstream`.

use domain::connection::{Connection, STRATEGY_DATABASE, STRATEGY_OIDC};
use domain::id::{ConnectionId, alphanumeric};
use domain::limits::CLIENT_METADATA_VALUE_CHARACTERS_MAX;
use domain::organization::OrganizationConnection;
use domain::user::User;
use serde_json::{Map, Value};
use store::{Key, Order, Tx};

use crate::listing::{Listing, Slice, Source};
use crate::upstream::options::OidcChange;
use crate::{ApiCall, Engine, Error, Resource};

/// Characters of a connection's name. Auth0: connection `name`.
const NAME_CHARACTERS_MAX: usize = 128;
/// Entries in a connection's metadata. Auth0: connection `metadata`.
const METADATA_ENTRIES_MAX: usize = 10;

/// A connection to be made, or properties that are to change; absent ones stay.
#[derive(Debug, Clone, Default)]
pub struct ConnectionChanges {
    /// Small strings for Actions; replaces what is there.
    pub metadata: Option<Map<String, Value>>,
    /// Whether people may sign themselves up.
    pub signup_enabled: Option<bool>,
    /// Properties without effect: null removes.
    pub kept: Map<String, Value>,
}

impl ConnectionChanges {
    fn apply(&self, connection: &mut Connection) -> Result<(), Error> {
        if let Some(metadata) = &self.metadata {
            check_strings("metadata", metadata, METADATA_ENTRIES_MAX)?;
            connection.metadata.clone_from(metadata);
        }
        if let Some(enabled) = self.signup_enabled {
            connection.signup_enabled = enabled;
        }
        merge_kept(&mut connection.kept, &self.kept);
        Ok(())
    }
}

impl Engine {
    /// Makes a connection.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name or a strategy that is not legal, [`Error::Conflict`] for a name that is taken.
    pub async fn create_connection(
        &self,
        call: &ApiCall,
        name: &str,
        strategy: &str,
        changes: ConnectionChanges,
    ) -> Result<Connection, Error> {
        if !is_connection_name(name) {
            let reason = "String does not match pattern ^[a-zA-Z0-9](-[a-zA-Z0-9]|[a-zA-Z0-9])*$";
            return Err(Error::property(reason, "name"));
        }
        let oidc = match strategy {
            STRATEGY_DATABASE => None,
            STRATEGY_OIDC => Some(
                self.oidc_change(&changes.kept)
                    .await?
                    .ok_or_else(|| Error::payload("Missing required property: options"))?,
            ),
            _ => {
                let reason = format!(
                    "the strategy {strategy} is not supported, only {STRATEGY_DATABASE} and {STRATEGY_OIDC} are"
                );
                return Err(Error::property(&reason, "strategy"));
            }
        };
        let mut connection = Connection {
            id: ConnectionId::new(format!("con_{}", alphanumeric(&self.random::<16>()))),
            name: name.to_owned(),
            strategy: strategy.to_owned(),
            metadata: Map::new(),
            signup_enabled: true,
            oidc: None,
            kept: Map::new(),
            created_at: self.now(),
        };
        changes.apply(&mut connection)?;
        if let Some(oidc) = &oidc {
            oidc.apply(&mut connection)?;
        }
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                if tx.find::<Connection>("name", &Key::of(name)).await?.is_some() {
                    let message = "A connection with the same name already exists".to_owned();
                    return Err(Error::Conflict { message });
                }
                tx.insert(connection.clone());
                self.record_api(tx, call, "Create a Connection", 201);
                Ok(())
            })
            .await?;
        Ok(connection)
    }

    /// One connection.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn connection(&self, id: &ConnectionId) -> Result<Connection, Error> {
        self.store().get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::Connection))
    }

    /// Some of the connections; `name` and `strategies`, where given, must fit.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a checkpoint that is none.
    pub async fn connections(
        &self,
        slice: &Slice,
        name: Option<&str>,
        strategies: &[String],
    ) -> Result<Listing<Connection>, Error> {
        self.list(Source::table(), slice, |connection: &Connection| {
            name.is_none_or(|name| connection.name == name)
                && (strategies.is_empty() || strategies.contains(&connection.strategy))
        })
        .await
    }

    /// Changes a connection: each property given replaces the one there.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`].
    pub async fn update_connection(
        &self,
        call: &ApiCall,
        id: &ConnectionId,
        changes: ConnectionChanges,
    ) -> Result<Connection, Error> {
        let oidc = match self.connection(id).await?.strategy.as_str() {
            STRATEGY_OIDC => self.oidc_change(&changes.kept).await?,
            _ => None,
        };
        let connection = self
            .store()
            .transact(async |tx| -> Result<Connection, Error> {
                let mut connection = connection_in(tx, id).await?;
                changes.apply(&mut connection)?;
                if let Some(oidc) = &oidc {
                    oidc.apply(&mut connection)?;
                }
                tx.put(connection.clone());
                self.record_api(tx, call, "Update a Connection", 200);
                Ok(connection)
            })
            .await?;
        self.inner.provider_keys.forget(id);
        Ok(connection)
    }

    /// What the options of a provider's connection say, where there are any: they replace those before as a whole.
    async fn oidc_change(&self, kept: &Map<String, Value>) -> Result<Option<OidcChange>, Error> {
        match kept.get("options") {
            None => Ok(None),
            Some(Value::Object(options)) => Ok(Some(self.read_oidc_options(options).await?)),
            Some(_) => Err(Error::property("Expected type object", "options")),
        }
    }

    /// Says which clients may use a connection. It counts for other providers; our own accounts are for every client.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn update_connection_clients(
        &self,
        call: &ApiCall,
        id: &ConnectionId,
        changes: &[(String, bool)],
    ) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let mut connection = connection_in(tx, id).await?;
                let mut clients = enabled_clients(&connection);
                for (client_id, enabled) in changes {
                    clients.retain(|own| own != client_id);
                    if *enabled {
                        clients.push(client_id.clone());
                    }
                }
                connection.kept.insert("enabled_clients".to_owned(), clients.into());
                tx.put(connection);
                self.record_api(tx, call, "Update Enabled Clients of a Connection", 204);
                Ok(())
            })
            .await
    }

    /// Deletes a connection, and then takes it from the organizations. One that is not there is not missed.
    ///
    /// # Errors
    /// [`Error::Invalid`] while it has users: they are to be deleted first, so that each one's sessions end.
    pub async fn delete_connection(&self, call: &ApiCall, id: &ConnectionId) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let Some(connection) = tx.get::<Connection>(&Key::of(id)).await? else { return Ok(()) };
                if has_users(tx, &connection.id).await? {
                    let message = "The connection has users. Delete them first.".to_owned();
                    return Err(Error::Invalid { message, code: Some("operation_not_supported") });
                }
                tx.delete::<Connection>(&Key::of(id));
                self.record_api(tx, call, "Delete a Connection", 202);
                Ok(())
            })
            .await?;
        // By then it is none of theirs to anybody who reads on from there.
        self.leave_organizations::<OrganizationConnection>("connection", &Key::of(id)).await
    }
}

/// The clients that may use a connection, as they were set.
pub fn enabled_clients(connection: &Connection) -> Vec<String> {
    let kept = connection.kept.get("enabled_clients").and_then(Value::as_array);
    kept.into_iter().flatten().filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

/// Takes over properties without effect: null removes.
pub(crate) fn merge_kept(own: &mut Map<String, Value>, changes: &Map<String, Value>) {
    domain::user::merge_metadata(own, changes.clone());
}

/// The same where the members of one property are set one by one, as at Auth0.
pub(crate) fn merge_kept_within(own: &mut Map<String, Value>, changes: &Map<String, Value>, property: &str) {
    let mut changes = changes.clone();
    if let Some(Value::Object(told)) = changes.get_mut(property) {
        let mut members = own.get(property).and_then(Value::as_object).cloned().unwrap_or_default();
        domain::user::merge_metadata(&mut members, std::mem::take(told));
        *told = members;
    }
    merge_kept(own, &changes);
}

/// Refuses metadata that is not small strings.
pub(crate) fn check_strings(
    property: &str,
    metadata: &Map<String, Value>,
    entries_max: usize,
) -> Result<(), Error> {
    if metadata.len() > entries_max {
        let reason = format!("Too many properties defined ({}), maximum {entries_max}", metadata.len());
        return Err(Error::property(&reason, property));
    }
    for (key, value) in metadata {
        let Some(text) = value.as_str() else {
            return Err(Error::property("Expected type string", &format!("{property}.{key}")));
        };
        if key.chars().count().max(text.chars().count()) > CLIENT_METADATA_VALUE_CHARACTERS_MAX {
            let reason = format!("String is too long, maximum {CLIENT_METADATA_VALUE_CHARACTERS_MAX}");
            return Err(Error::property(&reason, &format!("{property}.{key}")));
        }
    }
    Ok(())
}

async fn connection_in(tx: &mut Tx, id: &ConnectionId) -> Result<Connection, Error> {
    tx.get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::Connection))
}

/// Whether any user has an entry with this connection. Whoever makes a user reads the connection.
async fn has_users(tx: &mut Tx, id: &ConnectionId) -> Result<bool, Error> {
    for index in ["email", "username", "connection"] {
        let page = tx.page::<User>(Some(index), &Key::of(id), None, 1, Order::Ascending).await?;
        if !page.items.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_connection_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    name.len() <= NAME_CHARACTERS_MAX
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(inner)
        && !name.contains("--")
}

#[cfg(test)]
mod tests {
    use super::is_connection_name;

    #[test]
    fn names_are_alphanumerics_with_single_hyphens_between() {
        for good in ["a", "Username-Password-Authentication", "db1"] {
            assert!(is_connection_name(good), "{good}");
        }
        for bad in ["", "-a", "a-", "a--b", "a b", "a_b", "ä"] {
            assert!(!is_connection_name(bad), "{bad}");
        }
    }
}
