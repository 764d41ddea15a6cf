//! Where settings beside the tenant's lie, and what attack protection counts.

use domain::attack_protection::{AddressTries, AttackProtection, FailedTries, Stage};
use domain::settings_document::SettingsDocument;
use domain::time::Timestamp;

use crate::key::Key;
use crate::table::Record;

/// Where the settings of attack protection lie.
pub fn attack_protection_key() -> Key {
    Key::of("settings")
}

/// Where failed tries for an account lie: those from one address, or those from anywhere.
pub fn failed_tries_key(account: &str, address: Option<&str>) -> Key {
    Key::of((account, address.unwrap_or_default()))
}

/// Where it lies how many tries an address has used.
pub fn address_tries_key(stage: Stage, address: &str) -> Key {
    Key::of((stage.as_str(), address))
}

/// Where a document of settings lies.
pub fn settings_document_key(kind: &str, name: &str) -> Key {
    Key::of((kind, name))
}

impl Record for AttackProtection {
    const SPACE: &'static str = "attack_protection";

    fn key(&self) -> Key {
        attack_protection_key()
    }
}

impl Record for FailedTries {
    const SPACE: &'static str = "failed_tries";

    fn key(&self) -> Key {
        failed_tries_key(&self.account, self.address.as_deref())
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.forget_at())
    }
}

impl Record for AddressTries {
    const SPACE: &'static str = "address_tries";

    fn key(&self) -> Key {
        address_tries_key(self.stage, &self.address)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.whole_at)
    }
}

impl Record for SettingsDocument {
    const SPACE: &'static str = "settings_document";

    fn key(&self) -> Key {
        settings_document_key(&self.kind, &self.name)
    }
}
