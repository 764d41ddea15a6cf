//! Scopes and sets of them (RFC 6749 §3.3).

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A set of scopes, kept in the order in which they were first named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// Reads the space-separated form. Repeats are dropped.
    pub fn parse(text: &str) -> Self {
        text.split_ascii_whitespace().collect()
    }

    /// Whether the scope is in the set.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|own| own == scope)
    }

    /// Adds one scope; a known one changes nothing.
    pub fn add(&mut self, scope: &str) {
        if !scope.is_empty() && !self.contains(scope) {
            self.0.push(scope.to_owned());
        }
    }

    /// Takes one scope away.
    pub fn remove(&mut self, scope: &str) {
        self.0.retain(|own| own != scope);
    }

    /// The scopes of this set that `allowed` holds too.
    #[must_use]
    pub fn only(&self, allowed: impl Fn(&str) -> bool) -> Self {
        self.iter().filter(|scope| allowed(scope)).collect()
    }

    /// Whether every scope of this set is in `other`.
    pub fn is_subset_of(&self, other: &Self) -> bool {
        let all: BTreeSet<&str> = other.iter().collect();
        self.iter().all(|scope| all.contains(scope))
    }

    /// Each scope in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> FromIterator<&'a str> for Scopes {
    fn from_iter<I: IntoIterator<Item = &'a str>>(scopes: I) -> Self {
        let mut all = Self::default();
        for scope in scopes {
            all.add(scope);
        }
        all
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::Scopes;

    #[test]
    fn a_set_keeps_order_and_drops_repeats() {
        let scopes = Scopes::parse("openid  profile openid\temail");
        assert_eq!(scopes.to_string(), "openid profile email");
        assert_eq!(scopes.only(|scope| scope != "profile").to_string(), "openid email");
        assert!(Scopes::parse("email").is_subset_of(&scopes));
        assert!(!Scopes::parse("email phone").is_subset_of(&scopes));
    }
}
