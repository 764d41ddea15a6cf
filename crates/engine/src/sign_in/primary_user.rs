//! `api.authentication.setPrimaryUser`: the sign-in goes on as another user's.
//!
//! Auth0: Actions › post-login › API object. A session of the first user that the browser holds does not become the
//! other one's: it ends, and a new one takes its place (ADR 15).

use domain::id::{SessionId, UserId};
use domain::session::Session;
use domain::user::User;
use store::{Key, Tx};

use super::commands::Effects;
use super::post_login::SignInStage;
use super::{Origin, Working, hash};
use crate::actions::run::Stage;
use crate::{Engine, Error};

impl SignInStage<'_> {
    /// Changes the user if an Action asked for it and it has not been done yet. Inside, why that cannot be.
    pub(super) async fn become_primary_user(
        &mut self,
        engine: &Engine,
        effects: &Effects,
    ) -> Result<Result<(), String>, Error> {
        let id = match effects.primary_user() {
            Ok(Some(id)) if *id != self.working.user.id => id,
            Ok(_) => return Ok(Ok(())),
            Err(text) => return Ok(Err(text.to_owned())),
        };
        let Some(mut user) = engine.store().get::<User>(&Key::of(id)).await? else {
            return Ok(Err(unknown(id)));
        };
        if engine.is_administrator(&self.working.tenant, id) {
            // Who may write Actions would otherwise be everything that the administrator is.
            return Ok(Err(format!("The user {id} is an administrator, and an Action makes nobody one")));
        }
        if user.blocked {
            return Ok(Err("user is blocked".to_owned()));
        }
        if let Some(error) = engine.refuse_stranger(self.working.organization.as_ref(), &user).await? {
            return Ok(Err(error.description));
        }
        user.logins_count += 1;
        let cookie_secret = engine.secret_text();
        if !matches!(self.working.origin, Origin::New { .. }) {
            let proved = !self.working.is_unproved();
            let from = self.before.id.clone();
            self.before = self.fresh_session(engine, &user);
            self.before.cookie_hash = hash(&cookie_secret);
            self.working.origin = Origin::Switched { cookie_secret, from, proved };
        }
        self.before.user_id = user.id.clone();
        self.before.epoch = user.sessions_epoch;
        let organization = self.working.organization.as_ref().map(|found| &found.id);
        self.roles = engine.access_of(&user.id, organization).await?.role_names();
        self.working.user = user;
        Ok(self.absorb(effects))
    }

    /// A session that knows of the one before only how its user proved who they are, when, and for whom.
    fn fresh_session(&self, engine: &Engine, user: &User) -> Session {
        let Working { connection, tenant, client, .. } = &*self.working;
        Session {
            authenticated_at: self.before.authenticated_at,
            methods: self.before.methods.clone(),
            organization_id: self.before.organization_id.clone(),
            upstream: self.before.upstream.clone(),
            clients: vec![client.id.clone()],
            ..engine.new_session(user, connection, tenant, "", self.facts)
        }
    }
}

fn unknown(id: &UserId) -> String {
    format!("The user {id} given to api.authentication.setPrimaryUser does not exist")
}

impl Working {
    /// The browser's session that ends when the new one begins.
    pub(super) fn replaces(&self) -> Option<&SessionId> {
        match &self.origin {
            Origin::New { replaces, .. } => replaces.as_ref(),
            Origin::Switched { from, .. } => Some(from),
            Origin::Renewed { .. } | Origin::Reused { .. } => None,
        }
    }

    /// The session that `api.session.revoke` means: the one in the store.
    pub(super) fn session_at_hand(&self) -> &SessionId {
        match &self.origin {
            Origin::Switched { from, .. } => from,
            Origin::New { .. } | Origin::Renewed { .. } | Origin::Reused { .. } => &self.session.id,
        }
    }
}

impl Engine {
    /// Whether the session that vouches for a user is still good, where nothing else does.
    pub(super) async fn still_vouches(&self, tx: &mut Tx, working: &Working) -> Result<bool, Error> {
        let Origin::Switched { from, proved: false, .. } = &working.origin else { return Ok(true) };
        let session = tx.get::<Session>(&Key::of(from)).await?;
        let Some(session) = session.filter(|session| session.is_live(self.now())) else { return Ok(false) };
        // All sessions of its user end one by one; the epoch tells that this one's turn is still to come.
        let owner = tx.get::<User>(&Key::of(&session.user_id)).await?;
        Ok(owner.is_some_and(|owner| !owner.blocked && owner.sessions_epoch == session.epoch))
    }
}
