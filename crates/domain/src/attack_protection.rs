//! How guessing is held: what a tenant chose, and what is counted.
//!
//! Auth0: secure › attack protection. Why counted so: `docs/adr/0036-tries-are-counted-by-account-and-by-address.md`.

use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::egress::Network;
use crate::limits::FAILED_TRIES_MEMORY_MS;
use crate::time::Timestamp;

/// What a protection does when it finds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shield {
    /// The try is refused.
    Block,
    /// The user is written to; kept without effect until the server sends mail.
    UserNotification,
    /// An administrator is written to; kept likewise.
    AdminNotification,
}

impl Shield {
    /// Auth0's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::UserNotification => "user_notification",
            Self::AdminNotification => "admin_notification",
        }
    }
}

/// Which tries are counted together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Counting {
    /// Those for one account from one address.
    #[default]
    #[serde(rename = "count_per_identifier_and_ip")]
    PerAccountAndAddress,
    /// Those for one account, from wherever.
    #[serde(rename = "count_per_identifier")]
    PerAccount,
}

impl Counting {
    /// Auth0's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PerAccountAndAddress => "count_per_identifier_and_ip",
            Self::PerAccount => "count_per_identifier",
        }
    }

    /// The mode of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::PerAccountAndAddress, Self::PerAccount].into_iter().find(|mode| mode.as_str() == name)
    }
}

/// An address or a network whose tries count for nothing, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Allowed {
    text: String,
    network: Network,
}

impl Allowed {
    /// Reads an address, or a network such as `10.0.0.0/8`.
    pub fn parse(text: &str) -> Option<Self> {
        let network = Network::parse(text)?;
        Some(Self { text: text.to_owned(), network })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl TryFrom<String> for Allowed {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or(text)
    }
}

impl From<Allowed> for String {
    fn from(allowed: Allowed) -> Self {
        allowed.text
    }
}

/// Whose tries are counted together: an IPv4 address, or the network of 64 bits that an IPv6 address is in, because a
/// subscriber is given that whole network (RFC 6177).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin(IpAddr);

impl Origin {
    /// Reads the address of a request.
    pub fn parse(address: &str) -> Option<Self> {
        Some(Self(address.parse::<IpAddr>().ok()?.to_canonical()))
    }

    /// Under which name it is counted: `192.0.2.1`, `2001:db8:1:2::/64`.
    pub fn name(self) -> String {
        match self.0 {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let network = Ipv6Addr::from_bits(address.to_bits() >> 64 << 64);
                format!("{network}/64")
            }
        }
    }

    fn is_among(self, allowed: &[Allowed]) -> bool {
        allowed.iter().any(|allowed| allowed.network.covers(self.0))
    }
}

/// Failed tries for one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BruteForceProtection {
    /// Whether they are counted.
    pub enabled: bool,
    /// What happens when there are too many.
    pub shields: Vec<Shield>,
    /// From where they are not counted.
    pub allowlist: Vec<Allowed>,
    /// Which are counted together.
    pub counting: Counting,
    /// How many are too many.
    pub attempts_max: u32,
}

impl Default for BruteForceProtection {
    fn default() -> Self {
        Self {
            enabled: true,
            shields: vec![Shield::Block, Shield::UserNotification],
            allowlist: Vec::new(),
            counting: Counting::default(),
            attempts_max: 10,
        }
    }
}

impl BruteForceProtection {
    /// Whether a try from there is counted.
    pub fn counts(&self, origin: Option<Origin>) -> bool {
        self.enabled && !origin.is_some_and(|origin| origin.is_among(&self.allowlist))
    }

    /// Whether too many lead to a block.
    pub fn blocks(&self) -> bool {
        self.enabled && self.shields.contains(&Shield::Block)
    }

    /// By which address a try is counted; none where only the account counts, or no address is known.
    pub fn address_of(&self, origin: Option<Origin>) -> Option<String> {
        match self.counting {
            Counting::PerAccountAndAddress => origin.map(Origin::name),
            Counting::PerAccount => None,
        }
    }
}

/// How many tries an address has, and how fast they come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// So many at once.
    pub attempts_max: u32,
    /// After so many milliseconds one comes back.
    pub rate_ms: i64,
}

/// Tries from one address, for whatever account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuspiciousIpThrottling {
    /// Whether they are counted.
    pub enabled: bool,
    /// What happens when there are too many.
    pub shields: Vec<Shield>,
    /// From where they are not counted.
    pub allowlist: Vec<Allowed>,
    /// Failed sign-ins.
    pub sign_in: Throttle,
    /// Sign-ups, whether or not they succeed.
    pub sign_up: Throttle,
    /// Failed exchanges of tokens of others; kept without effect.
    pub token_exchange: Throttle,
}

impl Default for SuspiciousIpThrottling {
    fn default() -> Self {
        Self {
            enabled: true,
            shields: vec![Shield::AdminNotification, Shield::Block],
            allowlist: Vec::new(),
            sign_in: Throttle { attempts_max: 100, rate_ms: 864_000 },
            sign_up: Throttle { attempts_max: 50, rate_ms: 1_200 },
            token_exchange: Throttle { attempts_max: 10, rate_ms: 600_000 },
        }
    }
}

impl SuspiciousIpThrottling {
    /// Whether a try from there is counted.
    pub fn counts(&self, origin: Origin) -> bool {
        self.enabled && !origin.is_among(&self.allowlist)
    }

    /// Whether too many lead to a refusal.
    pub fn blocks(&self) -> bool {
        self.enabled && self.shields.contains(&Shield::Block)
    }

    /// What holds for a stage.
    pub const fn throttle(&self, stage: Stage) -> Throttle {
        match stage {
            Stage::SignIn => self.sign_in,
            Stage::SignUp => self.sign_up,
        }
    }
}

/// Passwords that are known from breaches of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreachedPasswordDetection {
    /// Whether they are looked for, where the operator gave a list.
    pub enabled: bool,
    /// What happens on sign-in.
    pub shields: Vec<Shield>,
    /// What happens on sign-up.
    pub sign_up_shields: Vec<Shield>,
    /// What happens when users change theirs; kept without effect until they can.
    pub change_shields: Vec<Shield>,
    /// When administrators are written to; kept without effect.
    pub notification_frequency: Vec<String>,
    /// Which of Auth0's lists; kept without effect.
    pub method: String,
}

impl Default for BreachedPasswordDetection {
    fn default() -> Self {
        Self {
            enabled: false,
            shields: Vec::new(),
            sign_up_shields: Vec::new(),
            change_shields: Vec::new(),
            notification_frequency: Vec::new(),
            method: "standard".to_owned(),
        }
    }
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AttackProtection {
    /// By account.
    #[serde(default)]
    pub brute_force: BruteForceProtection,
    /// By address.
    #[serde(default)]
    pub suspicious_ip: SuspiciousIpThrottling,
    /// By password.
    #[serde(default)]
    pub breached_passwords: BreachedPasswordDetection,
}

/// Failed tries for one account, since the last that succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedTries {
    /// The user, or a hash of a name that nobody has: it may be a password in the wrong field.
    pub account: String,
    /// From where, where that counts.
    #[serde(default)]
    pub address: Option<String>,
    /// How many.
    pub failures: u32,
    /// The first.
    pub began_at: Timestamp,
    /// The last.
    pub last_at: Timestamp,
}

impl FailedTries {
    /// None yet.
    pub const fn none(account: String, address: Option<String>, now: Timestamp) -> Self {
        Self { account, address, failures: 0, began_at: now, last_at: now }
    }

    /// One more.
    pub fn count(&mut self, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.last_at = now;
    }

    /// Whether they still count: they are not too old, and nobody forgave them since.
    pub fn counts(&self, now: Timestamp, forgiven_at: Option<Timestamp>) -> bool {
        now < self.forget_at() && forgiven_at.is_none_or(|at| self.began_at > at)
    }

    /// When they are forgotten, and a block with them.
    pub const fn forget_at(&self) -> Timestamp {
        self.last_at.plus_millis(FAILED_TRIES_MEMORY_MS)
    }
}

/// What tries of an address are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A sign-in.
    SignIn,
    /// A sign-up.
    SignUp,
}

impl Stage {
    /// Each there is.
    pub const ALL: [Self; 2] = [Self::SignIn, Self::SignUp];

    /// Its name in keys and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "login",
            Self::SignUp => "signup",
        }
    }
}

/// How many of its tries an address has used: the moment at which the last one will have come back says it all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressTries {
    /// What they were for.
    pub stage: Stage,
    /// From where.
    pub address: String,
    /// When all will have come back.
    pub whole_at: Timestamp,
}

impl AddressTries {
    /// None yet.
    pub const fn none(stage: Stage, address: String, now: Timestamp) -> Self {
        Self { stage, address, whole_at: now }
    }

    /// One more.
    pub fn count(&mut self, throttle: Throttle, now: Timestamp) {
        self.whole_at = self.whole_at.max(now).plus_millis(throttle.rate_ms);
    }

    /// Milliseconds until there is a try again; none where there is one.
    pub fn wait_ms(&self, throttle: Throttle, now: Timestamp) -> Option<i64> {
        let used_ms = self.whole_at.millis_since(now);
        let all_but_one_ms = throttle.rate_ms.saturating_mul(i64::from(throttle.attempts_max) - 1);
        let wait = used_ms.saturating_sub(all_but_one_ms);
        (wait > 0).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        AddressTries, Allowed, BruteForceProtection, Counting, FailedTries, Origin, Stage, Throttle,
    };
    use crate::limits::FAILED_TRIES_MEMORY_MS;
    use crate::time::Timestamp;

    #[test]
    fn an_ipv6_address_is_counted_by_its_network() {
        for (address, name) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("::1", "::/64"),
        ] {
            assert_eq!(Origin::parse(address).unwrap().name(), name, "{address}");
        }
        assert_eq!(Origin::parse("somewhere"), None);
    }

    #[test]
    fn allowed_addresses_are_not_counted_and_stay_as_written() {
        let allowlist = vec![Allowed::parse("10.0.0.0/8").unwrap(), Allowed::parse("2001:db8::1").unwrap()];
        assert_eq!(serde_json::to_string(&allowlist).unwrap(), r#"["10.0.0.0/8","2001:db8::1"]"#);
        let protection = BruteForceProtection { allowlist, ..BruteForceProtection::default() };
        let counts = |address: &str| protection.counts(Origin::parse(address));
        assert!(!counts("10.1.2.3") && !counts("2001:db8::1") && counts("2001:db8::2") && counts("11.0.0.1"));
        assert!(protection.counts(None));
        assert!(Allowed::parse("10.0.0.0/33").is_none() && Allowed::parse("x").is_none());
    }

    #[test]
    fn what_is_counted_together_is_chosen() {
        let of = |counting| BruteForceProtection { counting, ..BruteForceProtection::default() };
        let origin = Origin::parse("192.0.2.7");
        assert_eq!(of(Counting::PerAccountAndAddress).address_of(origin).as_deref(), Some("192.0.2.7"));
        assert_eq!(of(Counting::PerAccount).address_of(origin), None);
    }

    #[test]
    fn failed_tries_are_forgotten_in_time_and_forgiven_at_once() {
        let mut tries = FailedTries::none("a".into(), None, Timestamp(1_000));
        tries.count(Timestamp(1_000));
        tries.count(Timestamp(2_000));
        assert_eq!((tries.failures, tries.began_at), (2, Timestamp(1_000)));
        assert!(tries.counts(Timestamp(3_000), None) && tries.counts(Timestamp(3_000), Some(Timestamp(999))));
        assert!(!tries.counts(Timestamp(3_000), Some(Timestamp(1_000))));
        assert!(!tries.counts(Timestamp(2_000 + FAILED_TRIES_MEMORY_MS), None));
    }

    #[test]
    fn tries_of_an_address_are_used_up_and_come_back() {
        let throttle = Throttle { attempts_max: 3, rate_ms: 1_000 };
        let mut tries = AddressTries::none(Stage::SignIn, "192.0.2.7".into(), Timestamp(0));
        for _ in 0..2 {
            tries.count(throttle, Timestamp(0));
        }
        assert_eq!(tries.wait_ms(throttle, Timestamp(0)), None);
        tries.count(throttle, Timestamp(0));
        assert_eq!(tries.wait_ms(throttle, Timestamp(0)), Some(1_000));
        assert_eq!(tries.wait_ms(throttle, Timestamp(999)), Some(1));
        assert_eq!(tries.wait_ms(throttle, Timestamp(1_000)), None);
        tries.count(throttle, Timestamp(1_000));
        assert_eq!(tries.wait_ms(throttle, Timestamp(1_000)), Some(1_000));
        let one = Throttle { attempts_max: 1, rate_ms: 1_000 };
        let mut tries = AddressTries::none(Stage::SignUp, "192.0.2.7".into(), Timestamp(0));
        assert_eq!(tries.wait_ms(one, Timestamp(0)), None);
        tries.count(one, Timestamp(0));
        assert_eq!(tries.wait_ms(one, Timestamp(0)), Some(1_000));
    }
}
