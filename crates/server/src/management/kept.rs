//! Settings that are only kept: checked, stored, given back, some in a list under identifiers of their own.
//!
//! A resource says what its documents hold ([`super::shape`]) and what they are before anybody set them; how they are read
//! and written is the same for all.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::settings_document::SettingsDocument;
use engine::Error;
use engine::settings_documents::{Contents, Place, Told};
use serde_json::{Map, Value, json};

use super::caller::Call;
use super::paging::{Selection, answer};
use super::shape::{Property, check, take_secrets};
use crate::App;
use crate::error::ApiError;

/// Settings of which there is one document.
pub struct Single {
    /// Its kind in the store.
    pub kind: &'static str,
    /// What it may hold.
    pub properties: &'static [Property],
    /// The scope that reads it.
    pub read: &'static [&'static str],
    /// The scope that changes it.
    pub update: &'static [&'static str],
    /// How the log tells of a change.
    pub description: &'static str,
    /// What it is before anybody set it.
    pub defaults: fn() -> Value,
}

impl Single {
    const fn place(&self) -> Place<'static> {
        Place { kind: self.kind, name: "" }
    }

    fn body(&self, stored: Map<String, Value>) -> Value {
        let mut body = (self.defaults)();
        for (name, value) in stored.into_iter().filter(|(_, value)| !value.is_null()) {
            body[name] = value;
        }
        body
    }

    /// `GET`.
    pub async fn show(&self, call: Call, app: App) -> Result<Response, ApiError> {
        call.require_any(self.read)?;
        let stored = app.engine().settings_document(self.place()).await?;
        Ok(answer(StatusCode::OK, &self.body(stored.map(|document| document.body).unwrap_or_default())))
    }

    /// `PATCH`: each property that is given replaces the one there, and null takes it away.
    pub async fn change(&self, call: Call, app: App, body: Value) -> Result<Response, ApiError> {
        call.require_any(self.update)?;
        let mut public = check(self.properties, &body)?;
        let secrets = take_secrets(self.properties, &mut public);
        let change = |before: Option<Contents>| {
            let mut contents = before.unwrap_or_default();
            contents.body.extend(public.clone());
            contents.secrets.extend(secrets.clone());
            Ok(contents)
        };
        let told = Told { description: self.description, status: 200 };
        let call = call.with_body(body);
        let document = app.engine().change_settings_document(&call, self.place(), told, change).await?;
        Ok(answer(StatusCode::OK, &self.body(document.body)))
    }
}

/// Settings of which there are many documents, each under an identifier that the server makes.
pub struct Many {
    /// Their kind in the store.
    pub kind: &'static str,
    /// What one is called, for people.
    pub what: &'static str,
    /// The property that holds the identifier.
    pub id: &'static str,
    /// What begins an identifier.
    pub prefix: &'static str,
    /// The property that holds the list.
    pub list: &'static str,
    /// What one may hold.
    pub properties: &'static [Property],
    /// The scopes that read, create, update and delete.
    pub scopes: [&'static [&'static str]; 4],
    /// What is there beside what was set.
    pub defaults: fn() -> Value,
}

impl Many {
    fn body(&self, document: &SettingsDocument) -> Value {
        let mut body = (self.defaults)();
        for (name, value) in &document.body {
            body[name] = value.clone();
        }
        body[self.id] = document.name.as_str().into();
        body
    }

    fn absent(&self) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, format!("The {} does not exist.", self.what), None)
    }

    const fn place<'a>(&self, id: &'a str) -> Place<'a> {
        Place { kind: self.kind, name: id }
    }

    /// `GET` of all.
    pub async fn show_all(&self, call: Call, app: App) -> Result<Response, ApiError> {
        call.require_any(self.scopes[0])?;
        let documents = app.engine().settings_documents(self.kind).await?;
        let items: Vec<Value> = documents.iter().map(|document| self.body(document)).collect();
        Ok(answer(StatusCode::OK, &json!({ self.list: items })))
    }

    /// `GET` of one.
    pub async fn show(&self, call: Call, app: App, id: &str) -> Result<Response, ApiError> {
        call.require_any(self.scopes[0])?;
        match app.engine().settings_document(self.place(id)).await? {
            Some(document) => Ok(answer(StatusCode::OK, &self.body(&document))),
            None => Err(self.absent()),
        }
    }

    /// `GET` of the first.
    pub async fn show_first(&self, call: Call, app: App) -> Result<Response, ApiError> {
        call.require_any(self.scopes[0])?;
        match app.engine().settings_documents(self.kind).await?.first() {
            Some(document) => Ok(answer(StatusCode::OK, &self.body(document))),
            None => Err(self.absent()),
        }
    }

    /// `POST`.
    pub async fn create(
        &self,
        call: Call,
        app: App,
        body: Value,
        status: StatusCode,
    ) -> Result<Response, ApiError> {
        call.require_any(self.scopes[1])?;
        let mut public = check(self.properties, &body)?;
        let secrets = take_secrets(self.properties, &mut public);
        let id = app.engine().new_document_id(self.prefix);
        let create = |_| Ok(Contents { body: public.clone(), secrets: secrets.clone() });
        let told = Told { description: "Create Settings", status: status.as_u16() };
        let call = call.with_body(body);
        let document = app.engine().change_settings_document(&call, self.place(&id), told, create).await?;
        Ok(answer(status, &self.body(&document)))
    }

    /// `PATCH`: each property that is given replaces the one there.
    pub async fn change(&self, call: Call, app: App, id: &str, body: Value) -> Result<Response, ApiError> {
        call.require_any(self.scopes[2])?;
        let mut public = check(&optional(self.properties), &body)?;
        let secrets = take_secrets(self.properties, &mut public);
        if app.engine().settings_document(self.place(id)).await?.is_none() {
            return Err(self.absent());
        }
        let change = |before: Option<Contents>| {
            let mut contents = before.unwrap_or_default();
            contents.body.extend(public.clone());
            contents.secrets.extend(secrets.clone());
            Ok(contents)
        };
        let told = Told { description: "Update Settings", status: 200 };
        let call = call.with_body(body);
        let document = app.engine().change_settings_document(&call, self.place(id), told, change).await?;
        Ok(answer(StatusCode::OK, &self.body(&document)))
    }

    /// `DELETE`.
    pub async fn delete(&self, call: Call, app: App, id: &str) -> Result<Response, ApiError> {
        call.require_any(self.scopes[3])?;
        let told = Told { description: "Delete Settings", status: 204 };
        let call = call.with_body(Value::Null);
        match app.engine().delete_settings_document(&call, self.place(id), told).await? {
            true => Ok(StatusCode::NO_CONTENT.into_response()),
            false => Err(self.absent()),
        }
    }
}

/// The same properties, none of which must be there.
fn optional(properties: &[Property]) -> Vec<Property> {
    properties.iter().map(|property| Property { required: false, ..*property }).collect()
}

/// One document as it is, with the wanted fields.
pub fn shown(document: &SettingsDocument, selection: &Selection) -> Response {
    answer(StatusCode::OK, &selection.of(&document.body))
}

/// A name in a path that is none of those there can be.
pub fn bad_name(name: &str, value: &str) -> Error {
    Error::Invalid {
        message: format!("Path validation error: 'No enum match for: {value}' on property {name}."),
        code: Some("invalid_uri"),
    }
}
