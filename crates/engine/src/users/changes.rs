//! What a request wants to be different about a user, and whether it may be.

use domain::connection::{Connection, STRATEGY_DATABASE};
use domain::id::hexadecimal;
use domain::secret::Secret;
use domain::time::Timestamp;
use domain::user::{Identity, User, is_email, merge_metadata, metadata_fits};
use serde_json::{Map, Value};

use crate::Error;

/// Bytes of `user_metadata` or `app_metadata` written through the Management API. Auth0: metadata, size limits (16 MB
/// there; here a record must stay small enough to be read at each sign-in).
const METADATA_BYTES_MAX: usize = domain::limits::USER_METADATA_BYTES_MAX;
/// Digits after the plus sign of a telephone number. Auth0: user `phone_number` (E.164).
const PHONE_DIGITS_MAX: usize = 15;

/// A user to be made.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    /// Name of the connection.
    pub connection: String,
    /// The part of the identifier after `auth0|`; made up when absent.
    pub user_id: Option<String>,
    /// The password.
    pub password: Option<Secret<String>>,
    /// All else.
    pub profile: UserChanges,
}

/// Properties that are to change; absent ones stay. The inner `None` clears.
#[derive(Debug, Clone, Default)]
pub struct UserChanges {
    /// Address.
    pub email: Option<Option<String>>,
    /// Whether someone proved that they read mail there.
    pub email_verified: Option<bool>,
    /// Name for sign-in.
    pub username: Option<Option<String>>,
    /// Telephone number.
    pub phone_number: Option<Option<String>>,
    /// Whether someone proved that they answer there.
    pub phone_verified: Option<bool>,
    /// Full name.
    pub name: Option<Option<String>>,
    /// First name.
    pub given_name: Option<Option<String>>,
    /// Last name.
    pub family_name: Option<Option<String>>,
    /// Casual name.
    pub nickname: Option<Option<String>>,
    /// URL of a picture.
    pub picture: Option<Option<String>>,
    /// Whether sign-in is refused.
    pub blocked: Option<bool>,
    /// Merged at the first level: null removes. An empty map clears everything.
    pub user_metadata: Option<Map<String, Value>>,
    /// Merged likewise.
    pub app_metadata: Option<Map<String, Value>>,
    /// A new password.
    pub password: Option<Secret<String>>,
}

impl UserChanges {
    /// Applies all or, on an error, leaves a user that must be thrown away.
    pub(super) fn apply(&self, user: &mut User, now: Timestamp) -> Result<(), Error> {
        self.apply_contacts(user)?;
        let texts = [
            (&self.username, &mut user.username, "username"),
            (&self.name, &mut user.name, "name"),
            (&self.given_name, &mut user.given_name, "given_name"),
            (&self.family_name, &mut user.family_name, "family_name"),
            (&self.nickname, &mut user.nickname, "nickname"),
            (&self.picture, &mut user.picture, "picture"),
        ];
        for (wanted, own, property) in texts {
            let Some(wanted) = wanted else { continue };
            if wanted.as_deref().is_some_and(|text| text.trim().is_empty()) {
                return Err(Error::property("String is too short (0 chars), minimum 1", property));
            }
            own.clone_from(wanted);
        }
        if let Some(picture) = self.picture.as_ref().and_then(Option::as_deref)
            && url::Url::parse(picture).is_err()
        {
            return Err(Error::property(&refused_format("strict-uri", picture), "picture"));
        }
        if let Some(blocked) = self.blocked {
            user.blocked = blocked;
        }
        merge("user_metadata", &mut user.user_metadata, self.user_metadata.as_ref())?;
        merge("app_metadata", &mut user.app_metadata, self.app_metadata.as_ref())?;
        // Who comes from another provider is known by their identity there.
        let is_ours = user.identities.first().is_none_or(|identity| identity.provider == STRATEGY_DATABASE);
        if !is_ours && self.password.is_some() {
            let reason = "the user signs in at another provider and has no password here";
            return Err(Error::property(reason, "password"));
        }
        if is_ours && user.email.is_none() && user.username.is_none() && user.phone_number.is_none() {
            return Err(Error::payload("a user needs an email, a username or a phone_number"));
        }
        user.updated_at = now;
        Ok(())
    }

    fn apply_contacts(&self, user: &mut User) -> Result<(), Error> {
        if let Some(email) = &self.email {
            if let Some(email) = email
                && !is_email(email)
            {
                return Err(Error::property(&refused_format("email", email), "email"));
            }
            if user.email != *email {
                // Whoever read mail at the old address has proven nothing about the new one.
                user.email_verified = false;
            }
            user.email.clone_from(email);
        }
        if let Some(phone) = &self.phone_number {
            if let Some(phone) = phone
                && !is_phone_number(phone)
            {
                return Err(Error::property(
                    "String does not match pattern ^\\+[0-9]{1,15}$",
                    "phone_number",
                ));
            }
            if user.phone_number != *phone {
                user.phone_verified = false;
            }
            user.phone_number.clone_from(phone);
        }
        if let Some(verified) = self.email_verified {
            user.email_verified = verified;
        }
        if let Some(verified) = self.phone_verified {
            user.phone_verified = verified;
        }
        Ok(())
    }
}

impl NewUser {
    /// The record, still without a password.
    pub(super) fn to_user(
        &self,
        connection: &Connection,
        random: [u8; 12],
        now: Timestamp,
    ) -> Result<User, Error> {
        let own_id = match &self.user_id {
            Some(id) if id.contains(char::is_whitespace) || id.contains('|') => {
                return Err(Error::property("String does not match pattern ^\\S*$", "user_id"));
            }
            Some(id) if !id.is_empty() => id.clone(),
            _ => hexadecimal(&random),
        };
        let mut user = User::new(Identity::of_database(connection, own_id), now);
        self.profile.apply(&mut user, now)?;
        let called =
            user.email.clone().or_else(|| user.username.clone()).or_else(|| user.phone_number.clone());
        let local = called.as_deref().map(|text| text.split('@').next().unwrap_or(text).to_owned());
        user.nickname = user.nickname.or(local);
        user.name = user.name.or(called);
        Ok(user)
    }
}

fn merge(
    property: &str,
    own: &mut Map<String, Value>,
    patch: Option<&Map<String, Value>>,
) -> Result<(), Error> {
    let Some(patch) = patch else { return Ok(()) };
    if patch.is_empty() {
        own.clear();
    }
    merge_metadata(own, patch.clone());
    if metadata_fits(own) {
        return Ok(());
    }
    Err(Error::property(&format!("metadata is larger than {METADATA_BYTES_MAX} bytes"), property))
}

fn refused_format(format: &str, value: &str) -> String {
    format!("Object didn't pass validation for format {format}: {value}")
}

fn is_phone_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (1..=PHONE_DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use domain::connection::Connection;
    use domain::id::ConnectionId;
    use domain::time::Timestamp;
    use serde_json::{Map, Value, json};

    use super::{NewUser, UserChanges};

    fn connection() -> Connection {
        Connection {
            id: ConnectionId::new("con_1"),
            name: "db".into(),
            strategy: "auth0".into(),
            metadata: Map::new(),
            signup_enabled: true,
            oidc: None,
            kept: Map::new(),
            created_at: Timestamp(0),
        }
    }

    fn new(profile: UserChanges) -> NewUser {
        NewUser { connection: "db".into(), profile, ..NewUser::default() }
    }

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn names_default_to_the_address() {
        let email = Some(Some("ada@example.com".to_owned()));
        let user = new(UserChanges { email, ..UserChanges::default() }).to_user(
            &connection(),
            [7; 12],
            Timestamp(1),
        );
        let user = user.unwrap();
        assert_eq!(user.id.as_str(), "auth0|070707070707070707070707");
        assert_eq!((user.name.as_deref(), user.nickname.as_deref()), (Some("ada@example.com"), Some("ada")));
    }

    #[test]
    fn a_user_without_any_identifier_is_refused() {
        assert!(new(UserChanges::default()).to_user(&connection(), [7; 12], Timestamp(1)).is_err());
    }

    #[test]
    fn a_new_address_is_not_verified_unless_the_request_says_so() {
        let email = |text: &str| Some(Some(text.to_owned()));
        let verified =
            UserChanges { email: email("a@b.c"), email_verified: Some(true), ..UserChanges::default() };
        let mut user = new(verified).to_user(&connection(), [7; 12], Timestamp(1)).unwrap();
        assert!(user.email_verified);
        UserChanges { email: email("d@b.c"), ..UserChanges::default() }
            .apply(&mut user, Timestamp(2))
            .unwrap();
        assert!(!user.email_verified);
    }

    #[test]
    fn an_empty_patch_clears_metadata_and_another_merges() {
        let patch = |value| UserChanges { user_metadata: Some(map(value)), ..UserChanges::default() };
        let email = Some(Some("a@b.c".to_owned()));
        let mut user = new(UserChanges { email, ..patch(json!({"a": 1})) })
            .to_user(&connection(), [7; 12], Timestamp(1))
            .unwrap();
        patch(json!({"b": 2})).apply(&mut user, Timestamp(2)).unwrap();
        assert_eq!(user.user_metadata, map(json!({"a": 1, "b": 2})));
        patch(json!({})).apply(&mut user, Timestamp(3)).unwrap();
        assert!(user.user_metadata.is_empty());
    }
}
