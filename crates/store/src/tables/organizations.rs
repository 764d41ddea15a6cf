//! The tables of organizations and of what lies below one. The whole schema is at the top of the catalogue.

use domain::discovery_domain::DiscoveryDomain;
use domain::invitation::Invitation;
use domain::organization::{
    Membership, Organization, OrganizationClient, OrganizationConnection, OrganizationGrant,
};
use domain::time::Timestamp;

use crate::key::Key;
use crate::table::{IndexEntry, Record};

impl Record for Organization {
    const SPACE: &'static str = "organization";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![
            IndexEntry::unique("name", Key::of(&self.name)),
            IndexEntry::many("display_name", Key::of(self.display_name.as_deref().unwrap_or_default())),
            IndexEntry::many("made", Key::of(self.created_at)),
        ]
    }
}

impl Record for OrganizationClient {
    const SPACE: &'static str = "organization_client";

    fn key(&self) -> Key {
        Key::of((&self.organization_id, &self.client_id))
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![IndexEntry::many("client", Key::of(&self.client_id))]
    }
}

impl Record for OrganizationConnection {
    const SPACE: &'static str = "organization_connection";

    fn key(&self) -> Key {
        Key::of((&self.organization_id, &self.connection_id))
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![IndexEntry::many("connection", Key::of(&self.connection_id))]
    }
}

impl Record for OrganizationGrant {
    const SPACE: &'static str = "organization_grant";

    fn key(&self) -> Key {
        Key::of((&self.organization_id, &self.grant_id))
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![IndexEntry::many("grant", Key::of(&self.grant_id))]
    }
}

impl Record for DiscoveryDomain {
    const SPACE: &'static str = "discovery_domain";

    fn key(&self) -> Key {
        Key::of((&self.organization_id, &self.id))
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![IndexEntry::unique("domain", Key::of((&self.organization_id, &self.domain)))]
    }
}

impl Record for Invitation {
    const SPACE: &'static str = "invitation";

    fn key(&self) -> Key {
        Key::of((&self.organization_id, &self.id))
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![
            IndexEntry::unique("ticket", Key::of(&self.ticket_hash)),
            IndexEntry::many("made", Key::of((&self.organization_id, self.created_at))),
        ]
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

impl Record for Membership {
    const SPACE: &'static str = "membership";

    fn key(&self) -> Key {
        Key::of((&self.organization_id, &self.user_id))
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![IndexEntry::many("user", Key::of(&self.user_id))]
    }
}
