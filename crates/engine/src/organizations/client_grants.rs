//! Which client grants are good for an organization, and for which organization a client gets a token by one.
//!
//! Auth0: manage users › organizations › machine-to-machine access.

use domain::client::Client;
use domain::grant::ClientGrant;
use domain::id::{ClientGrantId, OrganizationId};
use domain::limits::ORGANIZATION_GRANTS_MAX;
use domain::organization::{Organization, OrganizationGrant, OrganizationUsage};
use protocol::error::{OAuthError, OAuthErrorCode};
use serde_json::Value;
use store::{Key, Order, Record};

use super::organization_in;
use crate::grants::GrantFilter;
use crate::listing::{Listing, Slice, Source};
use crate::{ApiCall, Engine, Error, Resource};

impl Engine {
    /// Gives an organization a client grant.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization or the grant; [`Error::Conflict`] where the organization has it, or too
    /// many.
    pub async fn add_organization_grant(
        &self,
        call: &ApiCall,
        id: &OrganizationId,
        grant_id: &ClientGrantId,
    ) -> Result<ClientGrant, Error> {
        self.store()
            .transact(async |tx| {
                organization_in(tx, id).await?;
                let grant = tx.get::<ClientGrant>(&Key::of(grant_id)).await?;
                let grant = grant.ok_or(Error::NotFound(Resource::ClientGrant))?;
                if tx.get::<OrganizationGrant>(&Key::of((id, grant_id))).await?.is_some() {
                    let message = "The client grant has already been added to this organization.".to_owned();
                    return Err(Error::Conflict { message });
                }
                let limit = ORGANIZATION_GRANTS_MAX;
                let others =
                    tx.page::<OrganizationGrant>(None, &Key::of(id), None, limit, Order::Ascending).await?;
                let keys: Vec<Key> = others.items.iter().map(|own| Key::of(&own.grant_id)).collect();
                let grants = tx.get_many::<ClientGrant>(&keys).await?;
                // What is left of grants that went with their client or their API makes room.
                let gone = others.items.iter().zip(&grants).filter(|(_, grant)| grant.is_none());
                gone.for_each(|(own, _)| tx.delete::<OrganizationGrant>(&own.key()));
                if grants.iter().flatten().count() >= limit {
                    let message = format!(
                        "Quota exceeded; cannot add more than {limit} client grants to a single organization"
                    );
                    return Err(Error::Conflict { message });
                }
                let (organization_id, grant_id) = (id.clone(), grant_id.clone());
                tx.insert(OrganizationGrant { organization_id, grant_id, created_at: self.now() });
                self.record_api(tx, call, "Associate a Client Grant with an Organization", 201);
                Ok(grant)
            })
            .await
    }

    /// Some of the client grants that an organization has; `ids`, where there are any, must hold them.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn organization_grants(
        &self,
        id: &OrganizationId,
        slice: &Slice,
        filter: &GrantFilter,
        ids: &[String],
    ) -> Result<Listing<ClientGrant>, Error> {
        self.organization(id).await?;
        let (limit, order) = (ORGANIZATION_GRANTS_MAX, Order::Ascending);
        let page = self.store().page::<OrganizationGrant>(None, &Key::of(id), None, limit, order).await?;
        let keys: Vec<Key> = page.items.iter().map(|own| Key::of(&own.grant_id)).collect();
        let grants = self.store().get_many::<ClientGrant>(&keys).await?;
        let wanted = |grant: &ClientGrant| {
            filter.audience.as_ref().is_none_or(|audience| grant.audience == *audience)
                && filter.client_id.as_ref().is_none_or(|wanted| {
                    grant.client_id.as_ref().is_some_and(|client_id| client_id.as_str() == *wanted)
                })
                && (ids.is_empty() || ids.iter().any(|id| grant.id.as_str() == *id))
        };
        let all = grants.into_iter().flatten().filter(wanted).collect();
        Ok(Listing::of_all(all, slice, |grant: &ClientGrant| grant.id.to_string()))
    }

    /// Some of the organizations that have a client grant.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for a checkpoint that is none.
    pub async fn organizations_of_grant(
        &self,
        grant_id: &ClientGrantId,
        slice: &Slice,
    ) -> Result<Listing<Organization>, Error> {
        self.client_grant(grant_id).await?;
        let source = Source::index("grant", Key::of(grant_id));
        let found = self.list::<OrganizationGrant>(source, slice, |_| true).await?;
        let keys: Vec<Key> = found.items.iter().map(|own| Key::of(&own.organization_id)).collect();
        let organizations = self.store().get_many::<Organization>(&keys).await?;
        let items = organizations.into_iter().flatten().collect();
        Ok(Listing { items, start: found.start, limit: found.limit, total: found.total, next: found.next })
    }

    /// Takes a client grant from an organization. One that it does not have is not missed.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization.
    pub async fn remove_organization_grant(
        &self,
        call: &ApiCall,
        id: &OrganizationId,
        grant_id: &ClientGrantId,
    ) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                organization_in(tx, id).await?;
                tx.delete::<OrganizationGrant>(&Key::of((id, grant_id)));
                self.record_api(tx, call, "Remove a Client Grant from an Organization", 204);
                Ok(())
            })
            .await
    }

    /// The organization that a client gets a token for by a grant: the one that it names, or its default. Inside, why it
    /// gets none.
    pub(crate) async fn organization_of_grant(
        &self,
        client: &Client,
        grant: &ClientGrant,
        named: Option<&str>,
    ) -> Result<Result<Option<Organization>, OAuthError>, Error> {
        let usage = grant.organization_usage();
        let named = match (named, usage) {
            (Some(_), OrganizationUsage::Deny) => {
                let text = "parameter organization is not allowed for this client and API";
                return Ok(Err(OAuthError::invalid(text)));
            }
            (None, OrganizationUsage::Deny) => return Ok(Ok(None)),
            (named, _) => named.or_else(|| default_organization(client)),
        };
        let Some(named) = named else {
            let missing = OAuthError::invalid("parameter organization is required for this client and API");
            return Ok(if usage == OrganizationUsage::Require { Err(missing) } else { Ok(None) });
        };
        let Some(organization) = self.organization_named(named).await? else {
            return Ok(Err(OAuthError::invalid(format!("parameter organization is invalid: {named}"))));
        };
        let admitted = client.is_first_party || organization.admits_third_parties;
        let key = Key::of((&organization.id, &grant.id));
        let granted =
            grant.allows_any_organization() || self.store().get::<OrganizationGrant>(&key).await?.is_some();
        if admitted && granted {
            return Ok(Ok(Some(organization)));
        }
        let text = format!(
            "Client is not authorized to access \"{}\" for the organization {}.",
            grant.audience, organization.id
        );
        Ok(Err(OAuthError::new(OAuthErrorCode::AccessDenied, text)))
    }
}

/// The organization that a client means where it names none.
fn default_organization(client: &Client) -> Option<&str> {
    client.kept.get("default_organization")?.get("organization_id").and_then(Value::as_str)
}
