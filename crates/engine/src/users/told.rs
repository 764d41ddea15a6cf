//! What the log tells when a user is called otherwise, gets another password, or does not.
//!
//! Auth0: tenant log schema, `scp`, `fcp`, `sce`, `fce`, `scu`, `fcu`, `scpn`. Its names are kept, `newUername` too.

use domain::event::EventKind;
use domain::id::ActionId;
use domain::redact::STARS;
use domain::user::User;
use serde_json::{Value, json};
use store::Tx;

use super::UserChanges;
use crate::audit::EventDraft;
use crate::sign_in::prove::executions_detail;
use crate::{ApiCall, Engine};

impl Engine {
    /// A new password (`scp`).
    pub(super) fn record_new_password(
        &self,
        tx: &mut Tx,
        call: &ApiCall,
        user: &User,
        run: Option<&ActionId>,
    ) {
        let details = json!({
            "actions": executions_detail(&[], run.map(ActionId::as_str)),
            "body": self.about(call, user),
        });
        self.about_user(EventKind::PasswordChanged, call, user)
            .says("The password was changed by the Management API")
            .details(details)
            .record(tx);
    }

    /// A password that was refused (`fcp`).
    pub(super) fn record_refused_password(&self, tx: &mut Tx, call: &ApiCall, user: &User, why: &str) {
        let mut query = self.about(call, user);
        for (name, value) in [("newPassword", STARS), ("resultUrl", "")] {
            query[name] = value.into();
        }
        query["username"] = user.username.as_deref().unwrap_or_default().into();
        for name in ["includeEmailInRedirect", "markEmailAsVerified"] {
            query[name] = false.into();
        }
        let details = json!({
            "description": why,
            "body": { "newPassword": STARS, "confirmNewPassword": STARS, "_csrf": "", "ticket": "" },
            "query": query,
        });
        self.about_user(EventKind::PasswordChangeFailed, call, user).says(why).details(details).record(tx);
    }

    /// What a user is called now and was not before (`sce`, `scu`, `scpn`), an event for each.
    pub(super) fn record_new_names(&self, tx: &mut Tx, call: &ApiCall, before: &User, after: &User) {
        if before.email != after.email {
            let mut body = self.email_change(call, before, after.email.as_deref());
            body["email_verified"] = if after.email_verified { "true" } else { "false" }.into();
            self.about_user(EventKind::EmailChanged, call, after).details(json!({ "body": body })).record(tx);
        }
        if before.username != after.username {
            let mut body = self.about(call, after);
            body["oldUsername"] = before.username.as_deref().unwrap_or_default().into();
            body["newUsername"] = after.username.as_deref().unwrap_or_default().into();
            self.about_user(EventKind::UsernameChanged, call, after)
                .details(json!({ "body": body }))
                .record(tx);
        }
        if before.phone_number != after.phone_number {
            let mut body = self.about(call, after);
            body["old_phone_number"] = before.phone_number.as_deref().unwrap_or_default().into();
            body["new_phone_number"] = after.phone_number.as_deref().unwrap_or_default().into();
            body["phone_verified"] = after.phone_verified.into();
            body["verify"] = false.into();
            self.about_user(EventKind::PhoneChanged, call, after).details(json!({ "body": body })).record(tx);
        }
    }

    /// An address or a name that another user has (`fce`, `fcu`).
    pub(super) fn record_taken_names(
        &self,
        tx: &mut Tx,
        call: &ApiCall,
        user: &User,
        changes: &UserChanges,
        why: &str,
    ) {
        if let Some(Some(email)) = changes.email.as_ref().filter(|email| **email != user.email) {
            let body = self.email_change(call, user, Some(email));
            let event = self.about_user(EventKind::EmailChangeFailed, call, user);
            event.says(why).details(json!({ "body": body })).record(tx);
        }
        if let Some(Some(username)) = changes.username.as_ref().filter(|name| **name != user.username) {
            let mut body = self.about(call, user);
            body["oldUsername"] = user.username.as_deref().unwrap_or_default().into();
            body["newUername"] = username.as_str().into();
            let event = self.about_user(EventKind::UsernameChangeFailed, call, user);
            event.says(why).details(json!({ "body": body })).record(tx);
        }
    }

    fn email_change(&self, call: &ApiCall, before: &User, new: Option<&str>) -> Value {
        let mut body = self.about(call, before);
        body["newEmail"] = new.unwrap_or_default().into();
        body["email_verified"] = before.email_verified.into();
        body["verify"] = false.into();
        body
    }

    /// What each of these bodies says.
    fn about(&self, call: &ApiCall, user: &User) -> Value {
        json!({
            "client_id": call.caller.client_id.as_deref().unwrap_or_default(),
            "connection": user.identities.first().map_or("", |identity| identity.connection.as_str()),
            "email": user.email.as_deref().unwrap_or_default(),
            "tenant": self.settings().tenant,
            "user_id": user.id,
        })
    }

    fn about_user(&self, kind: EventKind, call: &ApiCall, user: &User) -> EventDraft {
        self.event(kind, &call.facts).client_id(call.caller.client_id.as_deref()).user(user).identity(user)
    }
}
