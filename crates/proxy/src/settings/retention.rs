//! How long what is kept.

use std::path::{Path, PathBuf};

use clap::builder::RangedU64ValueParser;
use upsell_core::policy::retention::{Days, PeriodError, Periods};

use crate::store::Database;

/// Periods in days: flags, each with an environment variable of its own.
#[derive(Clone, Debug, clap::Args)]
pub struct RetentionArguments {
    /// Days for which purchases are kept, and followed up by offers.
    #[arg(long, env = "UPSELL_KEEP_PURCHASES_DAYS", default_value_t = DAYS.purchases, value_parser = days(LEAST.purchases))]
    pub keep_purchases_days: u32,
    /// Days for which the postal codes of purchases are kept.
    #[arg(long, env = "UPSELL_KEEP_ADDRESSES_DAYS", default_value_t = DAYS.addresses, value_parser = days(LEAST.addresses))]
    pub keep_addresses_days: u32,
    /// Days for which events are kept that your server reported, and followed up by offers.
    #[arg(long, env = "UPSELL_KEEP_EVENTS_DAYS", default_value_t = DAYS.events, value_parser = days(LEAST.events))]
    pub keep_events_days: u32,
    /// Days for which offers are kept that were not taken.
    #[arg(long, env = "UPSELL_KEEP_OFFERS_DAYS", default_value_t = DAYS.offers, value_parser = days(LEAST.offers))]
    pub keep_offers_days: u32,
    /// Days for which charges are kept, with consent, quote, payments, refunds and disputes.
    #[arg(long, env = "UPSELL_KEEP_CHARGES_DAYS", default_value_t = DAYS.charges, value_parser = days(LEAST.charges))]
    pub keep_charges_days: u32,
    /// Days for which reports about payments are kept that are none of the proxy's.
    #[arg(long, env = "UPSELL_KEEP_REPORTS_DAYS", default_value_t = DAYS.reports, value_parser = days(LEAST.reports))]
    pub keep_reports_days: u32,
    /// Days for which quotes are kept that nobody tried to collect.
    #[arg(long, env = "UPSELL_KEEP_QUOTES_DAYS", default_value_t = DAYS.quotes, value_parser = days(LEAST.quotes))]
    pub keep_quotes_days: u32,
    /// Days for which a webhook is known that is not tried again, and a link for another payment method that has ended.
    #[arg(long, env = "UPSELL_KEEP_WEBHOOKS_DAYS", default_value_t = DAYS.webhooks, value_parser = days(LEAST.webhooks))]
    pub keep_webhooks_days: u32,
    /// Days for which notifications are kept that were delivered or given up.
    #[arg(long, env = "UPSELL_KEEP_NOTIFICATIONS_DAYS", default_value_t = DAYS.notifications,
          value_parser = days(LEAST.notifications))]
    pub keep_notifications_days: u32,
    /// Days for which notifications are kept as long as no receiver is configured.
    #[arg(long, env = "UPSELL_KEEP_UNWANTED_NOTIFICATIONS_DAYS", default_value_t = DAYS.unwanted_notifications,
          value_parser = days(LEAST.unwanted_notifications))]
    pub keep_unwanted_notifications_days: u32,
    /// File in which is noted, by keyed hash, who was forgotten, so that a restored backup forgets again. Keep it out of
    /// backups. Absent means beside the database on SQLite, and none on PostgreSQL.
    #[arg(long, env = "UPSELL_FORGOTTEN_LIST")]
    pub forgotten_list: Option<PathBuf>,
}

const DAYS: Days = Days::DEFAULT;
const LEAST: Days = Days::LEAST;
/// A hundred years.
const MOST: u32 = 36_500;

fn days(least: u32) -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(u64::from(least)..=u64::from(MOST))
}

impl Default for RetentionArguments {
    /// As when nothing is said.
    fn default() -> Self {
        Self {
            keep_purchases_days: DAYS.purchases,
            keep_addresses_days: DAYS.addresses,
            keep_events_days: DAYS.events,
            keep_offers_days: DAYS.offers,
            keep_charges_days: DAYS.charges,
            keep_reports_days: DAYS.reports,
            keep_quotes_days: DAYS.quotes,
            keep_webhooks_days: DAYS.webhooks,
            keep_notifications_days: DAYS.notifications,
            keep_unwanted_notifications_days: DAYS.unwanted_notifications,
            forgotten_list: None,
        }
    }
}

/// Checked retention settings.
#[derive(Clone, Debug)]
pub struct Retention {
    /// How long what is kept.
    pub periods: Periods,
    /// Who was forgotten; absent: nobody but the store knows.
    pub forgotten_list: Option<PathBuf>,
}

impl Retention {
    pub(super) fn check(arguments: RetentionArguments, database: &Database) -> Result<Self, PeriodError> {
        let periods = Days {
            purchases: arguments.keep_purchases_days,
            addresses: arguments.keep_addresses_days,
            events: arguments.keep_events_days,
            offers: arguments.keep_offers_days,
            charges: arguments.keep_charges_days,
            reports: arguments.keep_reports_days,
            quotes: arguments.keep_quotes_days,
            webhooks: arguments.keep_webhooks_days,
            notifications: arguments.keep_notifications_days,
            unwanted_notifications: arguments.keep_unwanted_notifications_days,
        }
        .check()?;
        let beside = match database {
            Database::Sqlite(path) => Some(beside(path)),
            Database::Postgres(_) => None,
        };
        Ok(Self { periods, forgotten_list: arguments.forgotten_list.or(beside) })
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".forgotten");
    name.into()
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use secrecy::SecretString;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Command {
        #[command(flatten)]
        retention: RetentionArguments,
    }

    fn parsed(arguments: &[&str]) -> Result<RetentionArguments, clap::Error> {
        Command::try_parse_from([&["proxy"], arguments].concat()).map(|command| command.retention)
    }

    #[test]
    fn periods_have_defaults_and_a_least() {
        let database = Database::Sqlite("/data/upsell.sqlite".into());
        let unsaid = Retention::check(parsed(&[]).unwrap(), &database).unwrap();
        assert_eq!(unsaid.periods, Periods::default());
        let said = parsed(&["--keep-purchases-days", "60", "--keep-addresses-days", "7"]).unwrap();
        let said = Retention::check(said, &database).unwrap();
        assert_eq!((said.periods.purchases, said.periods.addresses), (60 * 86_400, 7 * 86_400));
        for short in
            [["--keep-charges-days", "179"], ["--keep-purchases-days", "29"], ["--keep-reports-days", "0"]]
        {
            assert!(parsed(&short).is_err(), "{short:?}");
        }
        let outlives = parsed(&["--keep-purchases-days", "30", "--keep-addresses-days", "31"]).unwrap();
        assert_eq!(
            Retention::check(outlives, &database).unwrap_err(),
            PeriodError::AddressesOutlivePurchases
        );
    }

    /// A list in the database's place would be put back with it.
    #[test]
    fn the_list_of_forgotten_buyers_is_beside_sqlite_and_where_it_is_said_to_be() {
        let sqlite = Database::Sqlite("/data/upsell.sqlite".into());
        let postgres = Database::parse(&SecretString::from("postgres://localhost/upsell")).unwrap();
        let list = |arguments: &[&str], database: &Database| {
            Retention::check(parsed(arguments).unwrap(), database).unwrap().forgotten_list
        };
        assert_eq!(list(&[], &sqlite), Some("/data/upsell.sqlite.forgotten".into()));
        assert_eq!(list(&[], &postgres), None);
        assert_eq!(list(&["--forgotten-list", "/else/where"], &postgres), Some("/else/where".into()));
        assert_eq!(list(&["--forgotten-list", "/else/where"], &sqlite), Some("/else/where".into()));
    }
}
