//! Which addresses outgoing calls may reach.
//!
//! A tenant's URLs (logout receivers, scripts' fetches) must not become a way into the operator's own network.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Special-use IPv4 ranges: network, prefix length, and the RFC that set it apart.
const IPV4_SPECIAL: &[([u8; 4], u8, &str)] = &[
    ([0, 0, 0, 0], 8, "RFC 791: this network"),
    ([10, 0, 0, 0], 8, "RFC 1918: private"),
    ([100, 64, 0, 0], 10, "RFC 6598: shared address space"),
    ([127, 0, 0, 0], 8, "RFC 1122: loopback"),
    ([169, 254, 0, 0], 16, "RFC 3927: link-local, and clouds' metadata services"),
    ([172, 16, 0, 0], 12, "RFC 1918: private"),
    ([192, 0, 0, 0], 24, "RFC 6890: protocol assignments"),
    ([192, 0, 2, 0], 24, "RFC 5737: documentation"),
    ([192, 88, 99, 0], 24, "RFC 7526: 6to4 relay"),
    ([192, 168, 0, 0], 16, "RFC 1918: private"),
    ([198, 18, 0, 0], 15, "RFC 2544: benchmarking"),
    ([198, 51, 100, 0], 24, "RFC 5737: documentation"),
    ([203, 0, 113, 0], 24, "RFC 5737: documentation"),
    ([224, 0, 0, 0], 4, "RFC 5771: multicast"),
    ([240, 0, 0, 0], 4, "RFC 1112: reserved, with broadcast"),
];

/// Special-use IPv6 ranges: network, prefix length, and the RFC that set it apart.
const IPV6_SPECIAL: &[([u16; 8], u8, &str)] = &[
    ([0, 0, 0, 0, 0, 0, 0, 0], 128, "RFC 4291: unspecified"),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, "RFC 4291: loopback"),
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, "RFC 6052: translated IPv4"),
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, "RFC 8215: locally translated IPv4"),
    ([0x100, 0, 0, 0, 0, 0, 0, 0], 64, "RFC 6666: discard"),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "RFC 2928: protocol assignments, with Teredo"),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, "RFC 3849: documentation"),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, "RFC 3056: 6to4"),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "RFC 9637: documentation"),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "RFC 4193: unique local"),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "RFC 4291: link-local"),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "RFC 4291: multicast"),
];

/// Why an address must not be reached, or nothing where it may.
pub fn refused(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => refused_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(inner) => refused_v4(inner),
            None => refused_v6(address),
        },
    }
}

/// Addresses that share their leading bits: `10.0.0.0/8`, or one alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Reads an address, or an address and how many of its leading bits count.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(left, right)| (left, Some(right)));
        let address = address.parse::<IpAddr>().ok()?.to_canonical();
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
        (bits <= most).then_some(Self { address, bits })
    }

    /// Whether the address belongs to it. An IPv4 address written as IPv6 is compared as IPv4.
    pub fn covers(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - self.bits;
                network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - self.bits;
                network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// A host of the operator's own that may be called although it is private: by name, or by its network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedHost {
    /// This name, whatever it resolves to.
    Name(String),
    /// Every address in it.
    Network(Network),
}

impl AllowedHost {
    /// Reads a name, an address or a network.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(network) = Network::parse(text) {
            return Some(Self::Network(network));
        }
        let is_name =
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
        let is_number = !text.bytes().any(|byte| byte.is_ascii_alphabetic());
        (is_name && !is_number).then(|| Self::Name(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Network(network) => network.fmt(f),
        }
    }
}

/// Where calls may go: to public addresses by `https`; beside them where the operator says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Egress {
    /// Everywhere, also without encryption.
    pub everywhere: bool,
    /// Hosts that may be called although they are private, also without encryption.
    pub allowed: Vec<AllowedHost>,
}

impl Egress {
    /// Everywhere if `everywhere`, else to public addresses only.
    pub fn everywhere_if(everywhere: bool) -> Self {
        Self { everywhere, allowed: Vec::new() }
    }

    /// Whether the operator vouches for a host of this name: then its addresses are not asked, and plain `http` is fine.
    pub fn vouches_for(&self, name: &str) -> bool {
        let is_it = |allowed: &AllowedHost| matches!(allowed, AllowedHost::Name(own) if name.eq_ignore_ascii_case(own));
        self.everywhere || self.allowed.iter().any(is_it)
    }

    /// Whether the operator vouches for an address.
    pub fn vouches_for_address(&self, address: IpAddr) -> bool {
        let is_it = |allowed: &AllowedHost| matches!(allowed, AllowedHost::Network(network) if network.covers(address));
        self.everywhere || self.allowed.iter().any(is_it)
    }

    /// Why an address must not be reached, or nothing where it may.
    pub fn refused(&self, address: IpAddr) -> Option<&'static str> {
        if self.vouches_for_address(address) { None } else { refused(address) }
    }
}

fn refused_v4(address: Ipv4Addr) -> Option<&'static str> {
    let address = u32::from(address);
    IPV4_SPECIAL
        .iter()
        .find(|(network, bits, _)| (address ^ u32::from_be_bytes(*network)) >> (32 - bits) == 0)
        .map(|(_, _, reason)| *reason)
}

fn refused_v6(address: Ipv6Addr) -> Option<&'static str> {
    let address = u128::from(address);
    IPV6_SPECIAL
        .iter()
        .find(|(network, bits, _)| {
            (address ^ u128::from(Ipv6Addr::from(*network))).checked_shr(128 - u32::from(*bits)) == Some(0)
        })
        .map(|(_, _, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::{AllowedHost, Egress, Network, refused};

    #[test]
    fn inner_addresses_are_refused_and_public_ones_are_not() {
        for inner in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert!(refused(inner.parse().unwrap()).is_some(), "{inner}");
        }
        for public in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert_eq!(refused(public.parse().unwrap()), None, "{public}");
        }
    }

    #[test]
    fn a_network_covers_what_shares_its_leading_bits() {
        let covers =
            |network: &str, address: &str| Network::parse(network).unwrap().covers(address.parse().unwrap());
        assert!(covers("10.0.0.0/8", "10.9.8.7") && covers("10.0.0.0/8", "::ffff:10.9.8.7"));
        assert!(!covers("10.0.0.0/8", "11.0.0.1") && !covers("10.0.0.0/8", "fd00::1"));
        assert!(covers("fd00::/8", "fd12::1") && covers("0.0.0.0/0", "1.2.3.4"));
        assert!(covers("10.1.2.3", "10.1.2.3") && !covers("10.1.2.3", "10.1.2.4"));
        for bad in ["10.0.0.0/33", "10.0.0/8", "fd00::/129", "10.0.0.0/x", ""] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_operator_vouches_for_names_and_networks_and_for_nothing_else() {
        let allowed = ["rp.internal", "10.1.0.0/16"].map(|text| AllowedHost::parse(text).unwrap());
        let egress = Egress { everywhere: false, allowed: allowed.to_vec() };
        assert!(egress.vouches_for("RP.internal") && !egress.vouches_for("x.rp.internal"));
        assert_eq!(egress.refused("10.1.2.3".parse().unwrap()), None);
        for refused in ["10.2.0.1", "127.0.0.1", "169.254.169.254"] {
            assert!(egress.refused(refused.parse().unwrap()).is_some(), "{refused}");
        }
        assert_eq!(Egress::everywhere_if(true).refused("127.0.0.1".parse().unwrap()), None);
        for bad in ["", "a b", "10.0.0", "https://rp.internal", "*.internal", "10.0.0.0/40"] {
            assert_eq!(AllowedHost::parse(bad), None, "{bad}");
        }
    }
}
