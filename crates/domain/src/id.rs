//! Typed identifiers and how each is spelled.
//!
//! Identifiers are made from random bytes that the caller supplies, so that nothing here makes randomness.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// Takes text as it came from a client; an unknown one simply names nothing.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The identifier's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )*};
}

identifiers! {
    /// A session: 32 characters of base64url; the `sid` claim.
    SessionId;
    /// A user: `auth0|` and 24 hexadecimal digits for a database user, `strategy|id` otherwise; the `sub` claim.
    UserId;
    /// A client: 32 alphanumerics.
    ClientId;
    /// A credential of a client: `cred_` and 22 alphanumerics.
    ClientCredentialId;
    /// A connection: `con_` and 16 alphanumerics.
    ConnectionId;
    /// A domain of an organization: `ord_` and 22 alphanumerics.
    DiscoveryDomainId;
    /// An invitation to an organization: `uinv_` and 16 alphanumerics.
    InvitationId;
    /// A resource server: 24 hexadecimal digits.
    ResourceServerId;
    /// A client grant: `cgr_` and 16 alphanumerics.
    ClientGrantId;
    /// An organization: `org_` and 16 alphanumerics.
    OrganizationId;
    /// A role: `rol_` and 16 alphanumerics.
    RoleId;
    /// An Action, a version, a binding or an execution: a UUID.
    ActionId;
    /// A module that Actions share, or a version of one: a UUID.
    ModuleId;
    /// A refresh token's record (never the token itself): 24 alphanumerics.
    RefreshTokenId;
    /// A log event: decimal digits that sort by time.
    LogId;
    /// A log stream: `lst_` and 16 alphanumerics.
    LogStreamId;
    /// A delivery of a logout token: `ldl_`, digits that sort by time, and 16 alphanumerics.
    LogoutDeliveryId;
    /// A signing key: the JWK thumbprint (RFC 7638) as base64url.
    KeyId;
    /// An unfinished sign-in: 32 characters of base64url; `state` in the sign-in pages' URLs.
    SignInId;
}

const ALPHANUMERICS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// As many alphanumeric characters as there are random bytes. A byte carries 5.9 bits; the bias of the modulus
/// (8 of 256 values come 5 times instead of 4) costs less than a tenth of a bit each.
pub fn alphanumeric(random: &[u8]) -> String {
    random.iter().map(|byte| char::from(ALPHANUMERICS[usize::from(*byte) % 62])).collect()
}

/// As many base64url characters as there are random bytes, 6 bits each.
pub fn base64url_characters(random: &[u8]) -> String {
    random.iter().map(|byte| char::from(BASE64URL[usize::from(*byte & 63)])).collect()
}

/// Two lower-case hexadecimal digits for each byte.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A version 4 UUID from 16 random bytes (RFC 9562 §5.4).
pub fn uuid(mut random: [u8; 16]) -> String {
    random[6] = (random[6] & 0x0f) | 0x40;
    random[8] = (random[8] & 0x3f) | 0x80;
    let digits = hexadecimal(&random);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::{alphanumeric, base64url_characters, hexadecimal, uuid};

    #[test]
    fn identifiers_have_the_documented_spelling() {
        assert_eq!(alphanumeric(&[0, 61, 62, 255]), "0z07");
        assert_eq!(base64url_characters(&[0, 63, 64, 255]), "A_A_");
        assert_eq!(hexadecimal(&[0, 171]), "00ab");
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
