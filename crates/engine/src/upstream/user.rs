//! Whose account an identity at another provider is: one that is known, one that it may be joined to, or a new one.
//!
//! Auth0: user profiles; account linking. The rule for joining is in
//! [ADR 26](../../../../docs/adr/0026-accounts-are-linked-by-two-verified-addresses-or-not-at-all.md).

use domain::client::Client;
use domain::connection::{Connection, STRATEGY_DATABASE};
use domain::event::EventKind;
use domain::id::UserId;
use domain::upstream::{AccountLinking, OidcConnection, ProfileUpdate};
use domain::user::{Identity, User, comparable_email};
use protocol::upstream::id_token::IdToken;
use protocol::upstream::profile::Profile;
use store::tables::identity_key;
use store::{Key, Order, Tx};

use super::oidc_of;
use crate::{Engine, Error, RequestFacts};

/// Users of one address that are looked at: more than one that could be meant is one too many anyway.
const CANDIDATES_MAX: usize = 20;
/// Accounts that one user can have. Ours: bounds the record.
const IDENTITIES_MAX: usize = 20;

/// What is known of who arrived, and from where.
#[derive(Clone, Copy)]
pub(super) struct Arrived<'a> {
    pub(super) connection: &'a Connection,
    pub(super) oidc: &'a OidcConnection,
    pub(super) token: &'a IdToken,
    pub(super) profile: &'a Profile,
}

impl Engine {
    /// Finds, joins or makes the user, and takes over what the provider tells of them, in one commit.
    ///
    /// # Errors
    /// [`Error::OAuth`] when the connection went away in the meantime.
    pub(super) async fn user_from(
        &self,
        arrived: &Arrived<'_>,
        client: &Client,
        facts: &RequestFacts,
    ) -> Result<User, Error> {
        let Arrived { connection, oidc, token, profile } = *arrived;
        let identity = Identity {
            connection: connection.name.clone(),
            connection_id: connection.id.clone(),
            provider: connection.strategy.clone(),
            user_id: format!("{}|{}", connection.name, token.subject),
            is_social: false,
            profile: profile.to_map(),
        };
        let key = identity_key(&identity.provider, &identity.user_id);
        let candidate = match self.store().find::<User>("identity", &key).await? {
            Some(_) => None,
            None => self.candidate(oidc, profile).await?,
        };
        self.store()
            .transact(async |tx| -> Result<User, Error> {
                // Read, so that a connection that is being deleted takes no newcomers.
                if tx.get::<Connection>(&Key::of(&connection.id)).await?.is_none() {
                    return Err(super::arrive::over());
                }
                if let Some(user) = tx.find::<User>("identity", &key).await? {
                    return Ok(self.refreshed(tx, user, oidc, &identity, profile));
                }
                if let Some(id) = &candidate
                    && let Some(user) = tx.get::<User>(&Key::of(id)).await?
                    && is_same_person(&user, profile)
                    && user.identities.len() < IDENTITIES_MAX
                {
                    return Ok(self.joined(tx, user, &identity, connection, client, facts));
                }
                let user = self.newcomer(&identity, oidc, profile);
                tx.insert(user.clone());
                Ok(user)
            })
            .await
    }

    /// The one user that a newcomer's identity may be joined to.
    async fn candidate(&self, oidc: &OidcConnection, profile: &Profile) -> Result<Option<UserId>, Error> {
        let Some(email) = profile
            .email
            .as_deref()
            .filter(|_| oidc.account_linking == AccountLinking::VerifiedEmail && profile.email_verified)
        else {
            return Ok(None);
        };
        let key = Key::of(comparable_email(email));
        let page =
            self.store().page::<User>(Some("address"), &key, None, CANDIDATES_MAX, Order::Ascending).await?;
        if page.next.is_some() {
            return Ok(None);
        }
        let tenant = self.tenant().await?;
        let mut found = None;
        for user in page.items.into_iter().filter(|user| is_same_person(user, profile)) {
            // Who administers this server does so by their own account alone, not by another server's word.
            if self.is_administrator(&tenant, &user.id) || !self.vouches_for_address(&user).await? {
                continue;
            }
            // Two that could be meant: whom the address belongs to is not known, so nobody is joined.
            if found.replace(user.id).is_some() {
                return Ok(None);
            }
        }
        Ok(found)
    }

    /// Whether the word that a user's address is verified comes from us, or from a provider that the tenant trusts with
    /// such words: otherwise anybody could prepare an account for somebody else's address at a careless provider.
    async fn vouches_for_address(&self, user: &User) -> Result<bool, Error> {
        let Some(first) = user.identities.first() else { return Ok(false) };
        if first.provider == STRATEGY_DATABASE {
            return Ok(true);
        }
        let connection = self.store().get::<Connection>(&Key::of(&first.connection_id)).await?;
        let linking = connection.as_ref().and_then(oidc_of).map(|oidc| oidc.account_linking);
        Ok(linking == Some(AccountLinking::VerifiedEmail))
    }

    /// A known user with what the provider tells now. Written only if that is something new.
    fn refreshed(
        &self,
        tx: &mut Tx,
        mut user: User,
        oidc: &OidcConnection,
        identity: &Identity,
        profile: &Profile,
    ) -> User {
        let before = user.clone();
        let is_same = |own: &Identity| own.provider == identity.provider && own.user_id == identity.user_id;
        let is_first = user.identities.first().is_some_and(is_same);
        if let Some(own) = user.identities.iter_mut().find(|own| is_same(own)) {
            own.profile.clone_from(&identity.profile);
        }
        // The user's own properties are those of the account that they were made with (Auth0: root attributes).
        if is_first && oidc.profile_update == ProfileUpdate::OnEachLogin {
            take_over(&mut user, profile);
            user = self.pictured(user);
        }
        if user != before {
            user.updated_at = self.now();
            tx.put(user.clone());
        }
        user
    }

    /// A user of ours with one more account.
    fn joined(
        &self,
        tx: &mut Tx,
        mut user: User,
        identity: &Identity,
        connection: &Connection,
        client: &Client,
        facts: &RequestFacts,
    ) -> User {
        user.identities.push(identity.clone());
        user.updated_at = self.now();
        tx.put(user.clone());
        let text = format!(
            "The account {}|{} was linked to this user: both have the same verified address",
            identity.provider, identity.user_id
        );
        let event = self.event(EventKind::Warning, facts).client(client).user(&user).connection(connection);
        event.says(text).record(tx);
        user
    }

    fn newcomer(&self, identity: &Identity, oidc: &OidcConnection, profile: &Profile) -> User {
        let mut user = User::new(identity.clone(), self.now());
        if oidc.profile_update != ProfileUpdate::NeverOnLogin {
            take_over(&mut user, profile);
        }
        self.pictured(user)
    }
}

/// Whether the address of a user is that of the profile, and verified on both sides.
fn is_same_person(user: &User, profile: &Profile) -> bool {
    let (Some(own), Some(told)) = (&user.email, &profile.email) else { return false };
    user.email_verified && profile.email_verified && comparable_email(own) == comparable_email(told)
}

/// Takes over what is told; what is not told any more goes, so that no address outlives its proof.
fn take_over(user: &mut User, profile: &Profile) {
    user.email.clone_from(&profile.email);
    user.email_verified = profile.email_verified;
    user.given_name.clone_from(&profile.given_name);
    user.family_name.clone_from(&profile.family_name);
    user.picture.clone_from(&profile.picture);
    let local = profile.email.as_deref().and_then(|email| email.split('@').next()).map(str::to_owned);
    user.nickname = profile.nickname.clone().or(local);
    user.name = profile.name.clone().or_else(|| profile.email.clone()).or_else(|| user.nickname.clone());
}
