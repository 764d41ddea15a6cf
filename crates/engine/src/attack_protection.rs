//! Settings of attack protection: what is in force, and how a change is made.
//!
//! Auth0: Management API v2 › attack protection. What they lead to is in `sign_in::guessing`.

use domain::attack_protection::{
    AddressTries, Allowed, AttackProtection, Counting, Origin, Shield, Stage, SuspiciousIpThrottling,
    Throttle,
};
use store::tables::{address_tries_key, attack_protection_key};

use crate::{ApiCall, Engine, Error};

/// What is to change about tries for one account; absent stays.
#[derive(Debug, Clone, Default)]
pub struct BruteForceChanges {
    /// Whether they are counted.
    pub enabled: Option<bool>,
    /// What happens when there are too many.
    pub shields: Option<Vec<Shield>>,
    /// From where they are not counted.
    pub allowlist: Option<Vec<Allowed>>,
    /// Which are counted together.
    pub counting: Option<Counting>,
    /// How many are too many.
    pub attempts_max: Option<u32>,
}

/// What is to change about a throttle; absent stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct ThrottleChanges {
    /// Tries at once.
    pub attempts_max: Option<u32>,
    /// Milliseconds after which one comes back.
    pub rate_ms: Option<i64>,
}

impl ThrottleChanges {
    fn apply(self, throttle: &mut Throttle) {
        replace(&mut throttle.attempts_max, self.attempts_max);
        replace(&mut throttle.rate_ms, self.rate_ms);
    }
}

/// What is to change about tries from one address; absent stays.
#[derive(Debug, Clone, Default)]
pub struct SuspiciousIpChanges {
    /// Whether they are counted.
    pub enabled: Option<bool>,
    /// What happens when there are too many.
    pub shields: Option<Vec<Shield>>,
    /// From where they are not counted.
    pub allowlist: Option<Vec<Allowed>>,
    /// Failed sign-ins.
    pub sign_in: ThrottleChanges,
    /// Sign-ups.
    pub sign_up: ThrottleChanges,
    /// Failed exchanges of tokens of others.
    pub token_exchange: ThrottleChanges,
}

/// What is to change about breached passwords; absent stays.
#[derive(Debug, Clone, Default)]
pub struct BreachedPasswordChanges {
    /// Whether they are looked for.
    pub enabled: Option<bool>,
    /// What happens on sign-in.
    pub shields: Option<Vec<Shield>>,
    /// What happens on sign-up.
    pub sign_up_shields: Option<Vec<Shield>>,
    /// What happens when users change theirs.
    pub change_shields: Option<Vec<Shield>>,
    /// When administrators are written to.
    pub notification_frequency: Option<Vec<String>>,
    /// Which of Auth0's lists.
    pub method: Option<String>,
}

/// A change of one of the protections.
#[derive(Debug, Clone)]
pub enum ProtectionChanges {
    /// By account.
    BruteForce(BruteForceChanges),
    /// By address.
    SuspiciousIp(SuspiciousIpChanges),
    /// By password.
    BreachedPasswords(BreachedPasswordChanges),
}

impl ProtectionChanges {
    const fn description(&self) -> &'static str {
        match self {
            Self::BruteForce(_) => "Update Brute-force settings",
            Self::SuspiciousIp(_) => "Update Suspicious IP Throttling settings",
            Self::BreachedPasswords(_) => "Update Breached Password Detection settings",
        }
    }

    fn apply(&self, protection: &mut AttackProtection) {
        match self.clone() {
            Self::BruteForce(changes) => {
                let own = &mut protection.brute_force;
                replace(&mut own.enabled, changes.enabled);
                replace(&mut own.shields, changes.shields);
                replace(&mut own.allowlist, changes.allowlist);
                replace(&mut own.counting, changes.counting);
                replace(&mut own.attempts_max, changes.attempts_max);
            }
            Self::SuspiciousIp(changes) => {
                let own = &mut protection.suspicious_ip;
                replace(&mut own.enabled, changes.enabled);
                replace(&mut own.shields, changes.shields);
                replace(&mut own.allowlist, changes.allowlist);
                changes.sign_in.apply(&mut own.sign_in);
                changes.sign_up.apply(&mut own.sign_up);
                changes.token_exchange.apply(&mut own.token_exchange);
            }
            Self::BreachedPasswords(changes) => {
                let own = &mut protection.breached_passwords;
                replace(&mut own.enabled, changes.enabled);
                replace(&mut own.shields, changes.shields);
                replace(&mut own.sign_up_shields, changes.sign_up_shields);
                replace(&mut own.change_shields, changes.change_shields);
                replace(&mut own.notification_frequency, changes.notification_frequency);
                replace(&mut own.method, changes.method);
            }
        }
    }
}

fn replace<T>(own: &mut T, wanted: Option<T>) {
    if let Some(wanted) = wanted {
        *own = wanted;
    }
}

impl Engine {
    /// The settings in force; the defaults until something is set.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn attack_protection(&self) -> Result<AttackProtection, Error> {
        Ok(self.store().get::<AttackProtection>(&attack_protection_key()).await?.unwrap_or_default())
    }

    /// Changes one of the protections.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn change_attack_protection(
        &self,
        call: &ApiCall,
        changes: ProtectionChanges,
    ) -> Result<AttackProtection, Error> {
        let changed = self
            .store()
            .transact(async |tx| -> Result<AttackProtection, Error> {
                let found = tx.get::<AttackProtection>(&attack_protection_key()).await?;
                let mut protection = found.unwrap_or_default();
                changes.apply(&mut protection);
                tx.put(protection.clone());
                self.record_api(tx, call, changes.description(), 200);
                Ok(protection)
            })
            .await?;
        if changed.breached_passwords.enabled && self.inner.breached_passwords.is_none() {
            tracing::warn!(
                "breached passwords are to be looked for, but attack_protection.breached_passwords names no list"
            );
        }
        Ok(changed)
    }

    /// Whether an address has used up its tries of some stage.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it is no address.
    pub async fn address_is_blocked(&self, address: &str) -> Result<bool, Error> {
        let origin = origin_of(address)?;
        let settings = self.attack_protection().await?.suspicious_ip;
        for stage in Stage::ALL {
            if self.wait_of(&settings, stage, Some(origin)).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Gives an address all its tries back.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it is no address.
    pub async fn unblock_address(&self, call: &ApiCall, address: &str) -> Result<(), Error> {
        let name = origin_of(address)?.name();
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                for stage in Stage::ALL {
                    tx.delete::<AddressTries>(&address_tries_key(stage, &name));
                }
                self.record_api(tx, call, "Unblock an IP Address", 204);
                Ok(())
            })
            .await
    }

    /// Milliseconds until an address has a try again; none where it has one, or its tries are not held.
    pub(crate) async fn wait_of(
        &self,
        settings: &SuspiciousIpThrottling,
        stage: Stage,
        origin: Option<Origin>,
    ) -> Result<Option<i64>, Error> {
        let Some(origin) = origin.filter(|origin| settings.blocks() && settings.counts(*origin)) else {
            return Ok(None);
        };
        let tries = self.store().get::<AddressTries>(&address_tries_key(stage, &origin.name())).await?;
        Ok(tries.and_then(|tries| tries.wait_ms(settings.throttle(stage), self.now())))
    }
}

fn origin_of(address: &str) -> Result<Origin, Error> {
    Origin::parse(address).ok_or_else(|| Error::Invalid {
        message: format!("Path validation error: 'Object didn't pass validation for format ip: {address}'."),
        code: Some("invalid_uri"),
    })
}
