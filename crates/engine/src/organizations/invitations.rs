//! Invitations to an organization: made, read, taken back. How one is accepted is in `door`.
//!
//! Auth0: manage users › organizations › invite members. Nothing is sent: whoever invites passes the URL on.

use domain::client::Client;
use domain::connection::Connection;
use domain::id::{ClientId, ConnectionId, InvitationId, OrganizationId, RoleId, alphanumeric};
use domain::invitation::Invitation;
use domain::limits::{INVITATION_SECONDS_DEFAULT, INVITATION_SECONDS_MAX, USER_METADATA_BYTES_MAX};
use domain::organization::{OrganizationConnection, OrganizationUsage};
use domain::time::seconds;
use domain::user::{is_email, metadata_fits};
use serde_json::{Map, Value};
use store::{Key, Order, Tx};
use url::Url;

use super::organization_in;
use crate::listing::{Listing, Slice, Source};
use crate::roles::members::{refuse_unknown, wanted};
use crate::sign_in::hash;
use crate::{ApiCall, Engine, Error, Resource};

/// What tickets are sealed for.
const PURPOSE: &str = "invitation ticket";
/// Characters of the inviter's name. Auth0: `inviter.name`.
const INVITER_CHARACTERS_MAX: usize = 300;

/// An invitation to be made.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// Who invites.
    pub inviter: String,
    /// The invited address.
    pub email: String,
    /// The application where the invited one begins.
    pub client_id: ClientId,
    /// The only connection by which they may come.
    pub connection_id: Option<ConnectionId>,
    /// Roles that they get as a member.
    pub roles: Vec<RoleId>,
    /// `user_metadata` of a user who signs up by it.
    pub user_metadata: Map<String, Value>,
    /// `app_metadata` of a user who signs up by it.
    pub app_metadata: Map<String, Value>,
    /// How long it is good, in seconds; nothing and 0 mean the default.
    pub ttl_seconds: Option<i64>,
}

impl NewInvitation {
    fn check(&self) -> Result<i64, Error> {
        if !(1..=INVITER_CHARACTERS_MAX).contains(&self.inviter.chars().count()) {
            let reason = format!("the length must be 1 to {INVITER_CHARACTERS_MAX} characters");
            return Err(Error::property(&reason, "inviter.name"));
        }
        if !is_email(&self.email) {
            return Err(Error::property("Object didn't pass validation for format email", "invitee.email"));
        }
        for (property, metadata) in
            [("user_metadata", &self.user_metadata), ("app_metadata", &self.app_metadata)]
        {
            if !metadata_fits(metadata) {
                let reason = format!("metadata is larger than {USER_METADATA_BYTES_MAX} bytes");
                return Err(Error::property(&reason, property));
            }
        }
        let ttl = self.ttl_seconds.unwrap_or_default();
        if ttl > INVITATION_SECONDS_MAX {
            let reason = format!("Value {ttl} is greater than maximum {INVITATION_SECONDS_MAX}");
            return Err(Error::property(&reason, "ttl_sec"));
        }
        Ok(if ttl == 0 { INVITATION_SECONDS_DEFAULT } else { ttl })
    }
}

/// An invitation with what its holder is given.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// The ticket.
    pub ticket: String,
    /// Where the invited one begins.
    pub url: String,
}

impl Engine {
    /// Invites somebody.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization; [`Error::Invalid`] for what is not legal, a client or a connection that
    /// does not do, and where nobody knows where the client's sign-in begins.
    pub async fn create_invitation(
        &self,
        call: &ApiCall,
        id: &OrganizationId,
        new: NewInvitation,
    ) -> Result<OpenInvitation, Error> {
        let ttl_seconds = new.check()?;
        let default_uri = self.tenant().await?.default_redirection_uri;
        let ticket = alphanumeric(&self.random::<32>());
        let now = self.now();
        let invitation_id = InvitationId::new(format!("uinv_{}", alphanumeric(&self.random::<16>())));
        let invitation = self
            .store()
            .transact(async |tx| {
                organization_in(tx, id).await?;
                let client = client_for(tx, &new.client_id).await?;
                if let Some(connection_id) = &new.connection_id {
                    check_connection(tx, id, connection_id).await?;
                }
                if !new.roles.is_empty() {
                    refuse_unknown(tx, &wanted(&new.roles)?).await?;
                }
                let invitation = Invitation {
                    id: invitation_id.clone(),
                    organization_id: id.clone(),
                    inviter: new.inviter.clone(),
                    email: new.email.clone(),
                    client_id: client.id.clone(),
                    connection_id: new.connection_id.clone(),
                    roles: new.roles.clone(),
                    user_metadata: new.user_metadata.clone(),
                    app_metadata: new.app_metadata.clone(),
                    login_uri: login_uri(&client, default_uri.as_deref())?,
                    ticket: self.store().seal(PURPOSE, ticket.as_bytes()),
                    ticket_hash: hash(&ticket),
                    created_at: now,
                    expires_at: now.plus_millis(seconds(ttl_seconds)),
                };
                tx.insert(invitation.clone());
                self.record_api_with_secrets(tx, call, "Create an Invitation", 200, &["invitation_url"]);
                Ok::<_, Error>(invitation)
            })
            .await?;
        self.opened(invitation).await
    }

    /// One invitation that is still good.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn invitation(
        &self,
        id: &OrganizationId,
        invitation_id: &InvitationId,
    ) -> Result<OpenInvitation, Error> {
        self.organization(id).await?;
        let found = self.store().get::<Invitation>(&Key::of((id, invitation_id))).await?;
        let found = found.filter(|invitation| invitation.is_good(self.now()));
        self.opened(found.ok_or(Error::NotFound(Resource::Invitation))?).await
    }

    /// Some of the invitations that are still good, the newest first unless asked otherwise.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for a checkpoint that is none.
    pub async fn invitations(
        &self,
        id: &OrganizationId,
        slice: &Slice,
        oldest_first: bool,
    ) -> Result<Listing<OpenInvitation>, Error> {
        self.organization(id).await?;
        let order = if oldest_first { Order::Ascending } else { Order::Descending };
        let source = Source { order, ..Source::index("made", Key::of(id)) };
        let now = self.now();
        let found = self.list(source, slice, |invitation: &Invitation| invitation.is_good(now)).await?;
        let Listing { items, start, limit, total, next } = found;
        let mut opened = Vec::with_capacity(items.len());
        for invitation in items {
            opened.push(self.opened(invitation).await?);
        }
        Ok(Listing { items: opened, start, limit, total, next })
    }

    /// Takes an invitation back. One that is not there is not missed.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization.
    pub async fn delete_invitation(
        &self,
        call: &ApiCall,
        id: &OrganizationId,
        invitation_id: &InvitationId,
    ) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                organization_in(tx, id).await?;
                tx.delete::<Invitation>(&Key::of((id, invitation_id)));
                self.record_api(tx, call, "Delete an Invitation", 204);
                Ok(())
            })
            .await
    }

    /// The invitation to an organization that a ticket stands for, if it is still good.
    pub(super) async fn invitation_of_ticket(
        &self,
        id: &OrganizationId,
        ticket: &str,
    ) -> Result<Option<Invitation>, Error> {
        let found = self.store().find::<Invitation>("ticket", &Key::of(hash(ticket))).await?;
        Ok(found.filter(|found| found.organization_id == *id && found.is_good(self.now())))
    }

    async fn opened(&self, invitation: Invitation) -> Result<OpenInvitation, Error> {
        let bytes = self.store().unseal(PURPOSE, &invitation.ticket)?;
        let ticket = String::from_utf8(bytes).map_err(|_| Error::Bug("a ticket is text".to_owned()))?;
        let organization = self.organization(&invitation.organization_id).await?;
        let mut url = Url::parse(&invitation.login_uri)
            .map_err(|error| Error::Bug(format!("a stored login URL: {error}")))?;
        url.query_pairs_mut()
            .append_pair("invitation", &ticket)
            .append_pair("organization", organization.id.as_str())
            .append_pair("organization_name", &organization.name);
        Ok(OpenInvitation { invitation, ticket, url: url.into() })
    }
}

fn refuse(message: &str) -> Error {
    Error::Invalid { message: message.to_owned(), code: Some("invalid_body") }
}

/// The client of an invitation, if people sign in to organizations with it.
async fn client_for(tx: &mut Tx, id: &ClientId) -> Result<Client, Error> {
    let found = tx.get::<Client>(&Key::of(id)).await?.filter(|client| !client.is_dashboard());
    let client = found.ok_or_else(|| refuse("The specified client_id does not exist."))?;
    if OrganizationUsage::of(&client.kept) == OrganizationUsage::Deny {
        return Err(refuse("The specified client_id does not allow organizations."));
    }
    Ok(client)
}

async fn check_connection(
    tx: &mut Tx,
    id: &OrganizationId,
    connection_id: &ConnectionId,
) -> Result<(), Error> {
    if tx.get::<Connection>(&Key::of(connection_id)).await?.is_none() {
        return Err(refuse("The specified connection does not exist."));
    }
    let own = tx.get::<OrganizationConnection>(&Key::of((id, connection_id))).await?;
    if own.is_some_and(|own| own.is_enabled) {
        return Ok(());
    }
    Err(refuse(&format!("The specified connection ({connection_id}) is not enabled for the organization")))
}

/// Where a client's sign-in begins: where it says itself, or where the tenant does.
fn login_uri(client: &Client, default: Option<&str>) -> Result<String, Error> {
    let own = client.kept.get("initiate_login_uri").and_then(Value::as_str).filter(|uri| !uri.is_empty());
    let uri = own.or(default).ok_or_else(|| {
        refuse("A default login route is required to generate the invitation url: set the client's initiate_login_uri")
    })?;
    match Url::parse(uri) {
        Ok(url) if url.scheme() == "https" && !url.cannot_be_a_base() => Ok(uri.to_owned()),
        _ => Err(refuse(&format!("The default login route {uri} is not an https URL"))),
    }
}
