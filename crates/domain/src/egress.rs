//! Which addresses outgoing calls may reach.
//!
//! A tenant's URLs (logout receivers, scripts' fetches) must not become a way into the operator's own network.

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
    use super::refused;

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
}
