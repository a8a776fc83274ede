//! Whose request it is, as far as an address tells: the other end of the connection, or what a reverse proxy of the
//! merchant's says that was its other end.
//!
//! `X-Forwarded-For` is believed from the addresses the merchant has named and from nobody else. Each proxy appends whom
//! it heard from, so the list is read from its end: the first address that is none of the merchant's own is the client,
//! and whatever stands before it was written by the client.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use http::HeaderMap;
use ipnet::IpNet;

/// An address, or a range of them, that was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address and no range such as 10.0.0.0/8")]
pub struct RangeError(String);

/// The merchant's own reverse proxies. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// Takes addresses and ranges; empty ones are passed over.
    ///
    /// # Errors
    /// The first that is neither.
    pub fn parse<'a>(ranges: impl IntoIterator<Item = &'a str>) -> Result<Self, RangeError> {
        let given = ranges.into_iter().map(str::trim).filter(|range| !range.is_empty());
        given.map(range).collect::<Result<_, _>>().map(Self)
    }

    /// Whether this is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(&address))
    }

    /// The client of a request that came from `peer`.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        // In bytes: a client may have written anything before the last comma.
        let mut hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        while self.contains(client) {
            // Something that is no address was not written by a proxy: then the proxy itself is all that is known.
            match hops.next().and_then(hop) {
                Some(address) => client = address,
                None => break,
            }
        }
        client
    }

    /// Whether somebody who is not trusted speaks for others: an attacker, or a proxy that the merchant forgot to name.
    #[must_use]
    pub fn is_untrusted_proxy(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        headers.contains_key(FORWARDED_FOR) && !self.contains(peer.to_canonical())
    }
}

const FORWARDED_FOR: &str = "x-forwarded-for";

fn range(text: &str) -> Result<IpNet, RangeError> {
    let address = IpAddr::from_str(text).map(|address| IpNet::from(address.to_canonical()));
    address.or_else(|_| IpNet::from_str(text)).map_err(|_| RangeError(text.to_owned()))
}

/// One entry of the list; some proxies add the port.
fn hop(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse().map(|socket: SocketAddr| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

/// What counts as one client: an IPv4 address, or the /64 that an IPv6 host picks its addresses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientKey(IpAddr);

impl From<ClientKey> for IpAddr {
    fn from(ClientKey(address): ClientKey) -> Self {
        address
    }
}

impl From<IpAddr> for ClientKey {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => address.into(),
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn trusting(ranges: &str) -> TrustedProxies {
        TrustedProxies::parse(ranges.split(',')).unwrap()
    }

    fn forwarded(lines: &[&str]) -> HeaderMap {
        lines
            .iter()
            .map(|line| (FORWARDED_FOR.parse().unwrap(), HeaderValue::from_bytes(line.as_bytes()).unwrap()))
            .collect()
    }

    #[test]
    fn the_last_address_that_is_not_the_merchants_is_the_client() {
        let proxies = "10.0.0.0/8, 2001:db8:1::/48,192.0.2.1";
        for (peer, lines, client) in [
            ("10.0.0.1", &["203.0.113.9"][..], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1, 203.0.113.9, 10.9.9.9,192.0.2.1"], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1", "203.0.113.9", "10.1.1.1"], "203.0.113.9"),
            ("10.0.0.1", &["ä\u{1F600}, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9"),
            ("10.0.0.1", &["2001:db8::7"], "2001:db8::7"),
            ("10.0.0.1", &["[2001:db8::7]"], "2001:db8::7"),
            ("10.0.0.1", &["[2001:db8::7]:443"], "2001:db8::7"),
            ("10.0.0.1", &["::ffff:203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("2001:db8:1::5", &["203.0.113.9"], "203.0.113.9"),
            ("192.0.2.1", &["203.0.113.9"], "203.0.113.9"),
            // All the way through the merchant's own machines.
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            // Nothing, or nothing that is an address.
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1, "], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1", "_hidden, 10.0.0.2"], "10.0.0.2"),
        ] {
            assert_eq!(trusting(proxies).client(ip(peer), &forwarded(lines)), ip(client), "{peer} {lines:?}");
        }
    }

    #[test]
    fn nobody_else_is_believed() {
        let headers = forwarded(&["198.51.100.1"]);
        for proxies in ["", "10.0.0.0/8"] {
            let proxies = trusting(proxies);
            assert_eq!(proxies.client(ip("203.0.113.9"), &headers), ip("203.0.113.9"));
            assert!(proxies.is_untrusted_proxy(ip("203.0.113.9"), &headers));
            assert!(!proxies.is_untrusted_proxy(ip("203.0.113.9"), &HeaderMap::new()));
        }
        assert!(!trusting("10.0.0.0/8").is_untrusted_proxy(ip("::ffff:10.0.0.1"), &headers));
    }

    #[test]
    fn what_is_no_range_is_named() {
        for text in ["10.0.0.0/33", "10.0.0", "proxy.example", "10.0.0.1/", "2001:db8::/129", "*"] {
            assert_eq!(TrustedProxies::parse([text]).unwrap_err(), RangeError(text.to_owned()));
        }
    }

    #[test]
    fn a_host_with_many_addresses_is_one_client() {
        let key = |text| ClientKey::from(ip(text));
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_ne!(key("203.0.113.9"), key("203.0.113.8"));
        assert_eq!(key("203.0.113.9"), key("::ffff:203.0.113.9"));
    }

    proptest! {
        /// The client writes the beginning of the list, its proxy the end.
        #[test]
        fn nothing_that_a_client_writes_changes_who_it_is(
            lines in prop::collection::vec("[0-9a-f:., \\[\\]ä]{0,40}", 0..4),
            octets: [u8; 4],
        ) {
            let proxies = trusting("10.0.0.0/8");
            let client = IpAddr::from(octets);
            prop_assume!(!proxies.contains(client));
            let last = client.to_string();
            let mut sent: Vec<&str> = lines.iter().map(String::as_str).collect();
            // Proxies append to the line, or add one.
            let appended = sent.last().map(|line| format!("{line}, {last}"));
            sent.push(&last);
            prop_assert_eq!(proxies.client(ip("10.0.0.1"), &forwarded(&sent)), client);
            if let Some(appended) = appended {
                sent.truncate(sent.len() - 2);
                sent.push(&appended);
                prop_assert_eq!(proxies.client(ip("10.0.0.1"), &forwarded(&sent)), client);
            }
        }
    }
}
