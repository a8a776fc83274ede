//! Addresses of servers: one, or several of which one at a time can be written; and a pooler before them.

use std::str::FromStr as _;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;

use crate::store::DatabaseError;

/// Name under which connections show in the server.
const NAME: &str = "upsell-proxy";

/// Of every session: no statement, lock or forgotten transaction holds others up for longer. Milliseconds. A pooler in
/// transaction mode takes no settings of a session: there each transaction begins with them.
pub(super) const LIMITS: [(&str, &str); 3] = [
    ("statement_timeout", "10000"),
    ("lock_timeout", "5000"),
    ("idle_in_transaction_session_timeout", "15000"),
];

/// Where the database is. May hold passwords.
#[derive(Clone, Debug)]
pub struct Address {
    url: SecretString,
    /// The servers themselves, where `url` is a pooler in transaction mode.
    direct: Option<SecretString>,
}

impl From<&SecretString> for Address {
    fn from(url: &SecretString) -> Self {
        Self { url: url.clone(), direct: None }
    }
}

impl From<&Self> for Address {
    fn from(address: &Self) -> Self {
        address.clone()
    }
}

impl Address {
    /// Returns the address of a pooler in transaction mode before the servers at `direct`.
    #[must_use]
    pub fn behind_pooler(pooler: &SecretString, direct: &SecretString) -> Self {
        Self { url: pooler.clone(), direct: Some(direct.clone()) }
    }

    /// Reads the addresses; connects to nothing.
    ///
    /// # Errors
    /// [`DatabaseError::Malformed`], and [`DatabaseError::ManyPoolers`].
    pub(in crate::store) fn parse(&self) -> Result<Servers, DatabaseError> {
        let direct = hosts(self.direct.as_ref().unwrap_or(&self.url).expose_secret())?;
        let direct = direct.into_iter().map(|host| host.options(LIMITS)).collect();
        let pooler = match &self.direct {
            None => None,
            Some(_) => match <[PgConnectOptions; 1]>::try_from(hosts(self.url.expose_secret())?) {
                // A pooler refuses settings that it does not know, and hands out another session each time, in which no
                // statement of ours was prepared.
                Ok([pooler]) => Some(pooler.extra_float_digits(None).statement_cache_capacity(0)),
                Err(_) => return Err(DatabaseError::ManyPoolers),
            },
        };
        Ok(Servers { direct, pooler })
    }
}

/// The addresses, read.
pub(in crate::store) struct Servers {
    /// The servers, at least one.
    pub(super) direct: Vec<PgConnectOptions>,
    /// The pooler, where statements go through one.
    pub(super) pooler: Option<PgConnectOptions>,
}

/// One set of options for each host of an address such as `postgres://user@a:5432,b:5433/name`.
fn hosts(url: &str) -> Result<Vec<PgConnectOptions>, DatabaseError> {
    let (scheme, rest) = url.split_once("://").ok_or(DatabaseError::Malformed)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let hosts = authority.rfind('@').map_or(0, |at| at.saturating_add(1));
    let (user, hosts) = authority.split_at(hosts);
    let tail = without_session_attributes(tail)?;
    hosts
        .split(',')
        .map(|host| PgConnectOptions::from_str(&format!("{scheme}://{user}{host}{tail}")))
        .map(|options| options.map(|options| options.application_name(NAME)))
        .collect::<Result<_, _>>()
        .map_err(|_| DatabaseError::Malformed)
}

/// The end of an address without `target_session_attrs`, which may only ask for what is always asked for: a server that can
/// be written.
fn without_session_attributes(tail: &str) -> Result<String, DatabaseError> {
    let Some((path, query)) = tail.split_once('?') else { return Ok(tail.to_owned()) };
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("target_session_attrs", "read-write" | "primary")) => {}
            Some(("target_session_attrs", _)) => return Err(DatabaseError::Malformed),
            _ => kept.push(pair),
        }
    }
    Ok(if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Vec<(String, u16)>, DatabaseError> {
        let servers = Address::from(&SecretString::from(url.to_owned())).parse()?;
        Ok(servers.direct.iter().map(|one| (one.get_host().to_owned(), one.get_port())).collect())
    }

    #[test]
    fn an_address_names_one_server_or_several() {
        let one = |host: &str, port| (host.to_owned(), port);
        assert_eq!(read("postgres://u:p@db/x").unwrap(), [one("db", 5432)]);
        let several = "postgres://u:p,w@a:1,b:2,[::1]:3/x?target_session_attrs=read-write&sslmode=disable";
        assert_eq!(read(several).unwrap(), [one("a", 1), one("b", 2), one("[::1]", 3)]);
        assert_eq!(read("postgres://a,b/x?target_session_attrs=primary").unwrap().len(), 2);
        for bad in ["postgres://a,b/x?target_session_attrs=standby", "postgres://a:port/x", "nonsense"] {
            assert_eq!(read(bad).unwrap_err(), DatabaseError::Malformed, "{bad}");
        }
    }

    #[test]
    fn there_is_one_pooler() {
        let text = |text: &str| SecretString::from(text.to_owned());
        let direct = text("postgres://a,b/x");
        let through = |pooler: &str| Address::behind_pooler(&text(pooler), &direct).parse();
        let servers = through("postgres://pooler:6432/x").unwrap();
        assert_eq!((servers.direct.len(), servers.pooler.unwrap().get_port()), (2, 6432));
        assert_eq!(through("postgres://a,b/x").err(), Some(DatabaseError::ManyPoolers));
    }
}
