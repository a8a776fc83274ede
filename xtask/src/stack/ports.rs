//! Choosing ports: the usual ones for people, out-of-the-way ones for programs.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context as _, Result};

/// Below the range from which the system picks ports for outgoing connections: what is free here stays free until it
/// is used, unless another stack is started in the same moment.
const QUIET: std::ops::Range<u16> = 20_000..32_000;

/// `wanted`, or the next above it that is free.
///
/// # Errors
/// When nothing above is free.
pub(super) fn at_or_above(wanted: u16) -> Result<u16> {
    (wanted..=u16::MAX).find(|port| is_free(*port)).with_context(|| format!("no free port from {wanted} up"))
}

/// `N` different free ports away from the usual ones. Where the search begins depends on the process, so that two
/// stacks that start together look in different places.
///
/// # Errors
/// When there are not that many.
pub(super) fn out_of_the_way<const N: usize>() -> Result<[u16; N]> {
    let start = QUIET.start + u16::try_from(std::process::id() % 1_000).unwrap_or(0) * 10;
    let mut free = (start..QUIET.end).chain(QUIET.start..start).filter(|port| is_free(*port));
    let mut ports = [0; N];
    for port in &mut ports {
        *port = free.next().context("no free ports")?;
    }
    Ok(ports)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_passed_over() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(at_or_above(port).unwrap() > port);
    }

    #[test]
    fn several_ports_are_different_and_free() {
        let ports = out_of_the_way::<4>().unwrap();
        let unique: std::collections::BTreeSet<_> = ports.iter().collect();
        assert_eq!(unique.len(), 4);
        assert!(ports.iter().all(|port| QUIET.contains(port)));
        // Somebody else may take one at any moment, but not each time.
        let all_free = |_| out_of_the_way::<4>().unwrap().iter().all(|port| is_free(*port));
        assert!((0..5).any(all_free));
        // Taken by now, by us or by somebody else.
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, ports[0]));
        assert!(!out_of_the_way::<4>().unwrap().contains(&ports[0]));
    }
}
