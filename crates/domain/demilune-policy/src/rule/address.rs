//! Which addresses a route may lead to, so that whoever may edit a zone cannot reach inside the operator's network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses where clouds answer with credentials of the machine, outside of the link-local range.
const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
/// The same on IPv6: `fd00:ec2::254` and Google's `fd20:ce::254`.
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefusal {
    /// Loopback, private or otherwise not of the public internet; the operator may allow these.
    #[error("{0} is a private address; start with --allow-private-targets if routes may lead to such addresses")]
    Private(IpAddr),
    /// Link-local, a cloud's metadata service, multicast or no destination at all; nobody may allow these.
    #[error("{0} is a link-local, metadata or multicast address, which no route may lead to")]
    Never(IpAddr),
}

/// Whether a route may lead to an address. IPv4 addresses inside IPv6 ones (mapped, compatible, 6to4, NAT64) count as
/// what they are.
///
/// Ranges: IANA special-purpose address registries (RFC 6890).
pub fn check_address(address: IpAddr, allow_private: bool) -> Result<(), AddressRefusal> {
    let plain = embedded_v4(address).map_or(address, IpAddr::V4);
    let (never, private) = match plain {
        IpAddr::V4(v4) => (is_never_v4(v4), is_private_v4(v4)),
        IpAddr::V6(v6) => (is_never_v6(v6), is_private_v6(v6)),
    };
    if never {
        return Err(AddressRefusal::Never(address));
    }
    if private && !allow_private {
        return Err(AddressRefusal::Private(address));
    }
    Ok(())
}

fn embedded_v4(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = address else { return None };
    let joined = |high: u16, low: u16| Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            joined(high, low)
        }
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => joined(high, low),
        _ => None,
    }
}

fn is_never_v4(address: Ipv4Addr) -> bool {
    address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.octets()[0] == 0
        || METADATA_V4.contains(&address)
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let shared = first == 100 && second & 0xc0 == 64;
    let protocol = first == 192 && second == 0 && third == 0;
    let benchmark = first == 198 && second & 0xfe == 18;
    let reserved = first >= 240;
    address.is_loopback()
        || address.is_private()
        || address.is_documentation()
        || shared
        || protocol
        || benchmark
        || reserved
}

fn is_never_v6(address: Ipv6Addr) -> bool {
    address.is_multicast()
        || address.is_unspecified()
        || address.is_unicast_link_local()
        || METADATA_V6.contains(&address)
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let documentation = segments[0] == 0x2001 && segments[1] == 0xdb8;
    let site_local = segments[0] & 0xffc0 == 0xfec0;
    let local_nat64 = segments[0] == 0x64 && segments[1] == 0xff9b;
    address.is_loopback() || address.is_unique_local() || documentation || site_local || local_nat64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(addresses: &[&str], allow_private: bool, passes: bool) {
        for address in addresses {
            assert_eq!(check_address(address.parse().unwrap(), allow_private).is_ok(), passes, "{address}");
        }
    }

    const PRIVATE: [&str; 14] = [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "100.64.0.1",
        "198.18.0.1",
        "240.0.0.1",
        "::1",
        "fd12::1",
        "::ffff:10.0.0.1",
        "::10.1.2.3",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
    ];
    const NEVER: [&str; 14] = [
        "169.254.169.254",
        "169.254.0.1",
        "0.0.0.0",
        "0.1.2.3",
        "255.255.255.255",
        "224.0.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "fe80::1",
        "ff02::1",
        "::",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
    ];

    #[test]
    fn public_addresses_pass() {
        check(&["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"], false, true);
    }

    #[test]
    fn private_addresses_pass_where_the_operator_allows_them() {
        check(&PRIVATE, false, false);
        check(&PRIVATE, true, true);
    }

    #[test]
    fn link_local_and_metadata_addresses_never_pass() {
        check(&NEVER, false, false);
        check(&NEVER, true, false);
    }
}
