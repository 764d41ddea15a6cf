//! Documents of settings that are only kept: read, written, removed, with what is secret in them sealed.
//!
//! What may stand in one is for the boundary to check, and so is how a change joins what was there.

use domain::id::alphanumeric;
use domain::limits::SETTINGS_DOCUMENTS_MAX;
use domain::settings_document::SettingsDocument;
use serde_json::{Map, Value};
use store::tables::settings_document_key;
use store::{Key, Order};

use crate::{ApiCall, Engine, Error};

/// Where a document is: its kind, and its name among these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// What it is about.
    pub kind: &'static str,
    /// Which one; empty where there is one only.
    pub name: &'a str,
}

/// What a document holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contents {
    /// What is given back.
    pub body: Map<String, Value>,
    /// What is not.
    pub secrets: Map<String, Value>,
}

/// How the log tells of a change.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// In words.
    pub description: &'static str,
    /// With which status the call is answered.
    pub status: u16,
}

impl Engine {
    /// A name for a new document, which begins so.
    pub fn new_document_id(&self, prefix: &str) -> String {
        format!("{prefix}{}", alphanumeric(&self.random::<16>()))
    }

    /// One document, if it is there.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn settings_document(&self, place: Place<'_>) -> Result<Option<SettingsDocument>, Error> {
        Ok(self.store().get(&settings_document_key(place.kind, place.name)).await?)
    }

    /// Every document of a kind, in the order of their names.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn settings_documents(&self, kind: &'static str) -> Result<Vec<SettingsDocument>, Error> {
        let (prefix, most) = (Key::of(kind), SETTINGS_DOCUMENTS_MAX);
        Ok(self.store().page(None, &prefix, None, most, Order::Ascending).await?.items)
    }

    /// Writes a document: `change` is given what is there, and answers what is to be, or why it must not.
    ///
    /// # Errors
    /// What `change` answers, and then nothing is changed; [`Error::Conflict`] when there are too many of the kind.
    pub async fn change_settings_document(
        &self,
        call: &ApiCall,
        place: Place<'_>,
        told: Told,
        change: impl Fn(Option<Contents>) -> Result<Contents, Error> + Send + Sync,
    ) -> Result<SettingsDocument, Error> {
        self.store()
            .transact(async |tx| -> Result<SettingsDocument, Error> {
                let key = settings_document_key(place.kind, place.name);
                let found = tx.get::<SettingsDocument>(&key).await?;
                if found.is_none() && !place.name.is_empty() {
                    let most = SETTINGS_DOCUMENTS_MAX;
                    let page = tx
                        .page::<SettingsDocument>(None, &Key::of(place.kind), None, most, Order::Ascending)
                        .await?;
                    if page.items.len() >= most {
                        let message = format!("There are {most} of these already, which is the limit.");
                        return Err(Error::Conflict { message });
                    }
                }
                let now = self.now();
                let created_at = found.as_ref().map_or(now, |found| found.created_at);
                let contents = found.map(|found| self.contents_of(found)).transpose()?;
                let Contents { body, secrets } = change(contents)?;
                let document = SettingsDocument {
                    kind: place.kind.to_owned(),
                    name: place.name.to_owned(),
                    body,
                    secrets: (!secrets.is_empty()).then(|| {
                        self.store().seal(&purpose(place.kind, place.name), json_text(&secrets).as_bytes())
                    }),
                    created_at,
                    updated_at: now,
                };
                tx.put(document.clone());
                self.record_api(tx, call, told.description, told.status);
                Ok(document)
            })
            .await
    }

    /// Removes a document. Answers whether it was there.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn delete_settings_document(
        &self,
        call: &ApiCall,
        place: Place<'_>,
        told: Told,
    ) -> Result<bool, Error> {
        self.store()
            .transact(async |tx| -> Result<bool, Error> {
                let key = settings_document_key(place.kind, place.name);
                if tx.get::<SettingsDocument>(&key).await?.is_none() {
                    return Ok(false);
                }
                tx.delete::<SettingsDocument>(&key);
                self.record_api(tx, call, told.description, told.status);
                Ok(true)
            })
            .await
    }

    fn contents_of(&self, document: SettingsDocument) -> Result<Contents, Error> {
        let secrets = match &document.secrets {
            Some(sealed) => {
                let text = self.store().unseal(&purpose(&document.kind, &document.name), sealed)?;
                serde_json::from_slice(&text).map_err(|error| Error::Bug(error.to_string()))?
            }
            None => Map::new(),
        };
        Ok(Contents { body: document.body, secrets })
    }
}

fn purpose(kind: &str, name: &str) -> String {
    format!("settings_document/{kind}/{name}")
}

fn json_text(secrets: &Map<String, Value>) -> String {
    Value::Object(secrets.clone()).to_string()
}
