//! The guard against every kind of address.

use super::*;

fn guard(allowed: &[(&str, &[u16])]) -> Guard {
    let allow = |(network, ports): &(&str, &[u16])| Allowed {
        network: network.parse().unwrap(),
        ports: ports.to_vec(),
    };
    Guard { allowed: allowed.iter().map(allow).collect(), plain_http: false }
}

fn admit(guard: &Guard, address: &str, port: u16) -> Option<String> {
    let address: IpAddr = address.parse().unwrap();
    guard.admit(SocketAddr::new(address, port)).map(|at| at.ip().to_string())
}

/// The first and the last of blocks that are not public, and what stands for one of them.
const REFUSED: &str = "\
    0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.100.100.200 100.127.255.255 \
    127.0.0.1 127.255.255.255 168.63.129.16 169.254.0.0 169.254.169.254 169.254.170.2 \
    169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.192 192.0.0.255 192.0.2.1 \
    192.88.99.1 192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.7 203.0.113.7 \
    224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::7f00:1 ::a00:1 \
    ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0.0.0.0 ::ffff:0:127.0.0.1 \
    64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::169.254.169.254 64:ff9b:1::1 \
    64:ff9b:1::8.8.8.8 100::1 100:0:0:1::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 \
    2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff:: 2001:db8::1 2002:7f00:1:: \
    2002:a9fe:a9fe::1 2002:808:808::1 3fff::1 3fff:fff:ffff::1 4000::1 5f00::1 fc00::1 \
    fd00:ec2::254 fdff:ffff::1 fe80::1 febf::1 fec0::1 ff02::1 ff0e::1 \
    ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

/// Their public neighbours.
const PUBLIC: &str = "\
    1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
    168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 \
    192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 203.0.114.0 \
    223.255.255.255 2001:200::1 2001:db9::1 2003::1 2600::1 2606:4700:4700::1111 3ffe::1 \
    3fff:1000::1 64:ff9b::8.8.8.8";

#[test]
fn only_the_public_internet_is_dialled() {
    let open = guard(&[]);
    for address in REFUSED.split_whitespace() {
        assert_eq!(admit(&open, address, 443), None, "{address}");
    }
    assert!(REFUSED.split_whitespace().count() > 60);
    for address in PUBLIC.split_whitespace() {
        let plain = address.parse::<IpAddr>().unwrap().to_string();
        assert_eq!(admit(&open, address, 443), Some(plain), "{address}");
    }
    assert_eq!(admit(&open, "::ffff:8.8.8.8", 443).as_deref(), Some("8.8.8.8"), "as what it is");
}

#[test]
fn the_operator_allows_networks_and_ports() {
    let guard = guard(&[("10.1.0.0/16", &[443, 8443]), ("127.0.0.1", &[]), ("fd12::/16", &[80])]);
    for (address, port, admitted) in [
        ("10.1.255.255", 443, true),
        ("10.1.0.0", 8443, true),
        ("::ffff:10.1.2.3", 443, true),
        ("10.1.2.3", 80, false),
        ("10.2.0.0", 443, false),
        ("10.0.255.255", 443, false),
        ("127.0.0.1", 9, true),
        ("127.0.0.2", 9, false),
        ("::1", 9, false),
        ("64:ff9b::10.1.2.3", 443, false),
        ("fd12:ffff::1", 80, true),
        ("fd12::1", 81, false),
        ("fd13::1", 80, false),
        ("8.8.8.8", 25, true),
    ] {
        assert_eq!(admit(&guard, address, port).is_some(), admitted, "{address} {port}");
    }
    let all = Network::from_str("0.0.0.0/0").unwrap();
    assert!(all.holds("255.1.2.3".parse().unwrap()) && !all.holds("::1".parse().unwrap()));
}

#[test]
fn a_network_is_an_address_and_a_length() {
    for text in [
        "",
        "10.0.0.0/33",
        "10.0.0/8",
        "::/129",
        "10.0.0.0/",
        "10.0.0.0/x",
        "a/8",
        "::ffff:10.0.0.0/104",
    ] {
        assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
    }
}
