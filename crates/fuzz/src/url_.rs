//! URLs of buyers and the addresses behind them: one meaning, and none of ours is ever dialled.

use std::net::{IpAddr, SocketAddr};

use fanout::{Guard, Network};
use market::Url;

/// Reads a text as a URL and as a network, and judges the address.
pub fn url(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(super::bounded(data)) else { return };
    let network = text.parse::<Network>();
    let Ok(url) = text.parse::<Url>() else { return };
    assert!(network.is_err(), "both a URL and a network");
    assert_eq!(url.as_str().parse::<Url>().as_ref(), Ok(&url), "a second reading differs");
    assert!(!url.host().is_empty() && url.port() != 0 && url.target().starts_with(['/', '?']));
    let host = url.host_header().as_bytes();
    assert!(host.iter().all(u8::is_ascii_graphic), "a host header of more than a host");
    if let Some(address) = url.address() {
        judge(SocketAddr::new(address, url.port()));
    }
}

/// What the guard lets through is public by the standard library's own account.
fn judge(to: SocketAddr) {
    let guard = Guard::default();
    let Some(dialled) = guard.admit(to) else { return };
    assert_eq!(guard.admit(dialled), Some(dialled), "judged twice, judged alike");
    let ip = dialled.ip();
    assert_eq!(ip, ip.to_canonical());
    let ours = match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    };
    let never = ip.is_loopback() || ip.is_unspecified() || ip.is_multicast();
    assert!(!ours && !never, "an address that is not public is dialled");
}
