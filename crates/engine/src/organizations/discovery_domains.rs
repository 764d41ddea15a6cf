//! The domains of an organization.
//!
//! Auth0: manage users › organizations › discovery domains. Nobody is led to an organization by them here yet.

use domain::discovery_domain::{DiscoveryDomain, is_domain};
use domain::id::{DiscoveryDomainId, OrganizationId, alphanumeric, hexadecimal};
use domain::limits::ORGANIZATION_DOMAINS_MAX;
use store::{Key, Order};

use super::organization_in;
use crate::listing::{Listing, Slice, Source};
use crate::{ApiCall, Engine, Error, Resource};

/// What is said of a domain; what is absent stays, or is as for a new one.
#[derive(Debug, Clone, Copy, Default)]
pub struct DomainSettings {
    /// Whether somebody vouched that it is the organization's.
    pub is_verified: Option<bool>,
    /// Whether the organization may be found by it.
    pub use_for_organization_discovery: Option<bool>,
}

impl DomainSettings {
    fn apply(self, own: &mut DiscoveryDomain) {
        own.is_verified = self.is_verified.unwrap_or(own.is_verified);
        own.use_for_organization_discovery =
            self.use_for_organization_discovery.unwrap_or(own.use_for_organization_discovery);
    }
}

impl Engine {
    /// Gives an organization a domain.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization; [`Error::Invalid`] for a name that is none; [`Error::Conflict`] where
    /// the organization has it, or too many.
    pub async fn create_discovery_domain(
        &self,
        call: &ApiCall,
        id: &OrganizationId,
        domain: &str,
        settings: DomainSettings,
    ) -> Result<DiscoveryDomain, Error> {
        if !is_domain(domain) {
            return Err(Error::property("it must be the name of a domain", "domain"));
        }
        let mut own = DiscoveryDomain {
            id: DiscoveryDomainId::new(format!("ord_{}", alphanumeric(&self.random::<22>()))),
            organization_id: id.clone(),
            domain: domain.to_ascii_lowercase(),
            is_verified: false,
            use_for_organization_discovery: true,
            verification_txt: hexadecimal(&self.random::<16>()),
            created_at: self.now(),
        };
        settings.apply(&mut own);
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                organization_in(tx, id).await?;
                if tx.find::<DiscoveryDomain>("domain", &Key::of((id, &own.domain))).await?.is_some() {
                    let text = "An organization discovery domain with this domain is already registered to this \
                                organization.";
                    return Err(Error::Conflict { message: text.to_owned() });
                }
                let (limit, order) = (ORGANIZATION_DOMAINS_MAX, Order::Ascending);
                let others = tx.page::<DiscoveryDomain>(None, &Key::of(id), None, limit, order).await?;
                if others.items.len() >= limit {
                    let message = format!("An organization has at most {limit} domains.");
                    return Err(Error::Conflict { message });
                }
                tx.insert(own.clone());
                self.record_api(tx, call, "Create an Organization Discovery Domain", 201);
                Ok(())
            })
            .await?;
        Ok(own)
    }

    /// One domain of an organization.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn discovery_domain(
        &self,
        id: &OrganizationId,
        domain_id: &DiscoveryDomainId,
    ) -> Result<DiscoveryDomain, Error> {
        self.organization(id).await?;
        let found = self.store().get(&Key::of((id, domain_id))).await?;
        found.ok_or(Error::NotFound(Resource::DiscoveryDomain))
    }

    /// The domain of an organization with that name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn discovery_domain_by_name(
        &self,
        id: &OrganizationId,
        name: &str,
    ) -> Result<DiscoveryDomain, Error> {
        self.organization(id).await?;
        let found = self.store().find("domain", &Key::of((id, &name.to_ascii_lowercase()))).await?;
        found.ok_or(Error::NotFound(Resource::DiscoveryDomain))
    }

    /// Some of the domains of an organization.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for a checkpoint that is none.
    pub async fn discovery_domains(
        &self,
        id: &OrganizationId,
        slice: &Slice,
    ) -> Result<Listing<DiscoveryDomain>, Error> {
        self.organization(id).await?;
        let source = Source { prefix: Key::of(id), ..Source::table() };
        self.list(source, slice, |_| true).await
    }

    /// Changes what is said of a domain.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn update_discovery_domain(
        &self,
        call: &ApiCall,
        id: &OrganizationId,
        domain_id: &DiscoveryDomainId,
        settings: DomainSettings,
    ) -> Result<DiscoveryDomain, Error> {
        self.store()
            .transact(async |tx| {
                organization_in(tx, id).await?;
                let own = tx.get::<DiscoveryDomain>(&Key::of((id, domain_id))).await?;
                let mut own = own.ok_or(Error::NotFound(Resource::DiscoveryDomain))?;
                settings.apply(&mut own);
                tx.put(own.clone());
                self.record_api(tx, call, "Update an Organization Discovery Domain", 200);
                Ok(own)
            })
            .await
    }

    /// Takes a domain from an organization. One that it does not have is not missed.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization.
    pub async fn delete_discovery_domain(
        &self,
        call: &ApiCall,
        id: &OrganizationId,
        domain_id: &DiscoveryDomainId,
    ) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                organization_in(tx, id).await?;
                tx.delete::<DiscoveryDomain>(&Key::of((id, domain_id)));
                self.record_api(tx, call, "Delete an Organization Discovery Domain", 204);
                Ok(())
            })
            .await
    }
}
