//! Which addresses may be dialled: those of the public internet, and those that the operator allows.
//! Pure. It judges the address that is about to be dialled, never a name: whatever a buyer writes or
//! its name server answers, it comes to an address in the end, and only that one counts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// What may be dialled.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// Beside the public internet.
    pub allowed: Vec<Allowed>,
    /// Whether calls may go unencrypted.
    pub plain_http: bool,
}

/// A network that the operator allows, public or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Which addresses.
    pub network: Network,
    /// On which ports; none named, all allowed.
    pub ports: Vec<u16>,
}

impl Guard {
    /// The address to dial, in its plainest form, if it may be dialled.
    #[must_use]
    pub fn admit(&self, to: SocketAddr) -> Option<SocketAddr> {
        // ::ffff:a.b.c.d is a.b.c.d, and dialled as such.
        let address = to.ip().to_canonical();
        let is_allowed = |allowed: &Allowed| {
            allowed.network.holds(address)
                && (allowed.ports.is_empty() || allowed.ports.contains(&to.port()))
        };
        let admitted = is_public(address) || self.allowed.iter().any(is_allowed);
        admitted.then(|| SocketAddr::new(address, to.port()))
    }
}

/// A block of addresses: `10.0.0.0/8`, `fd00::/8`, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u32,
}

impl Network {
    const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u32) -> Self {
        Self { base: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits }
    }

    const fn v6(first: u16, second: u16, third: u16, bits: u32) -> Self {
        let base = Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0);
        Self { base: IpAddr::V6(base), bits }
    }

    fn holds(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let differ = base.to_bits() ^ address.to_bits();
                differ.leading_zeros() >= self.bits
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let differ = base.to_bits() ^ address.to_bits();
                differ.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

/// A text that is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotANetwork;

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (base, bits) = text.split_once('/').map_or((text, None), |(base, b)| (base, Some(b)));
        let base: IpAddr = base.parse().map_err(|_| NotANetwork)?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| NotANetwork))?;
        // Mapped addresses are judged as what they stand for, so such a network would hold none.
        let is_mapped = base.to_canonical() != base;
        if bits > most || is_mapped { Err(NotANetwork) } else { Ok(Self { base, bits }) }
    }
}

/// Within IPv4, what is not the public internet, or is a cloud's own door on it.
const NOT_PUBLIC_V4: &[Network] = &[
    Network::v4(0, 0, 0, 0, 8),        // this network
    Network::v4(10, 0, 0, 0, 8),       // private
    Network::v4(100, 64, 0, 0, 10),    // carriers' NAT; some clouds' metadata
    Network::v4(127, 0, 0, 0, 8),      // loopback
    Network::v4(168, 63, 129, 16, 32), // a cloud's metadata, on a public address
    Network::v4(169, 254, 0, 0, 16),   // link-local; most clouds' metadata
    Network::v4(172, 16, 0, 0, 12),    // private
    Network::v4(192, 0, 0, 0, 24),     // protocols' own
    Network::v4(192, 0, 2, 0, 24),     // documentation
    Network::v4(192, 88, 99, 0, 24),   // 6to4 relays
    Network::v4(192, 168, 0, 0, 16),   // private
    Network::v4(198, 18, 0, 0, 15),    // benchmarks
    Network::v4(198, 51, 100, 0, 24),  // documentation
    Network::v4(203, 0, 113, 0, 24),   // documentation
    Network::v4(224, 0, 0, 0, 3),      // multicast, reserved, broadcast
];

/// Within 2000::/3, what is not the public internet. All the rest of IPv6 is not.
const NOT_PUBLIC_V6: &[Network] = &[
    Network::v6(0x2001, 0, 0, 23),     // protocols' own, with Teredo
    Network::v6(0x2001, 0xdb8, 0, 32), // documentation
    Network::v6(0x2002, 0, 0, 16),     // 6to4: wraps any IPv4 address
    Network::v6(0x3fff, 0, 0, 20),     // documentation
];

const GLOBAL_V6: Network = Network::v6(0x2000, 0, 0, 3);
/// Wraps an IPv4 address, and is how networks without IPv4 reach the public ones.
const NAT64: Network = Network::v6(0x64, 0xff9b, 0, 96);

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => !NOT_PUBLIC_V4.iter().any(|network| network.holds(address)),
        IpAddr::V6(v6) if NAT64.holds(address) => {
            let [.., a, b, c, d] = v6.octets();
            is_public(Ipv4Addr::new(a, b, c, d).into())
        }
        IpAddr::V6(_) => {
            GLOBAL_V6.holds(address) && !NOT_PUBLIC_V6.iter().any(|network| network.holds(address))
        }
    }
}

#[cfg(test)]
mod tests;
