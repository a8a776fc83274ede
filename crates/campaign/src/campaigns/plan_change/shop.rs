//! A shop with the same four plans in currencies with no, two and three decimals.

use std::{io::Write as _, sync::Arc};

use anyhow::Context as _;
use dodo_client::types::plan_changes::ProrationMode;
use dodo_sim::{ProductPatch, SimConfig};
use serde_json::{Value, json};
use testkit::Dodo;
use upsell_core::rules::{ProrationRules, Rules};

/// Currencies, and what one unit of a price below comes to in each.
pub(super) const CURRENCIES: [(&str, i64); 3] = [("USD", 100), ("JPY", 15), ("KWD", 307)];
/// Plans: what a period costs, whether it is a year, and the add-ons that go with it.
pub(super) const PLANS: [(&str, i64, bool, &[&str]); 4] = [
    ("basic", 30, false, &["seats"]),
    ("pro", 80, false, &["seats", "disk"]),
    ("max", 200, false, &["seats", "disk"]),
    ("yearly", 800, true, &["seats", "disk"]),
];
/// Add-ons and what one costs.
const ADDONS: [(&str, i64); 2] = [("seats", 10), ("disk", 5)];

/// The product of a plan in a currency.
pub(super) fn product(plan: &str, currency: &str) -> String {
    format!("prod_{plan}_{}", currency.to_lowercase())
}

/// An add-on in a currency.
pub(super) fn addon(name: &str, currency: &str) -> String {
    format!("adn_{name}_{}", currency.to_lowercase())
}

/// Whether a product carries an add-on.
pub(super) fn carries(product_id: &str, addon_id: &str) -> bool {
    PLANS.iter().any(|(plan, _, _, addons)| {
        product_id.starts_with(&format!("prod_{plan}_"))
            && addons.iter().any(|name| addon_id.starts_with(&format!("adn_{name}_")))
    })
}

/// What one seat of a plan costs a period, in minor units.
pub(super) fn price(plan: &str, currency: &str) -> i64 {
    let units = PLANS.iter().find(|(name, ..)| *name == plan).map_or(0, |(_, units, ..)| *units);
    units.saturating_mul(unit(currency))
}

fn unit(currency: &str) -> i64 {
    CURRENCIES.iter().find(|(code, _)| *code == currency).map_or(0, |(_, unit)| *unit)
}

/// The shop open, on a clock that stands until it is moved.
pub(super) async fn open(seed: u64) -> anyhow::Result<Dodo> {
    let mut file = tempfile::NamedTempFile::new().context("no room for the shop's catalogue")?;
    file.write_all(catalogue().to_string().as_bytes())?;
    let fixtures = Some(file.path().to_owned());
    Dodo::start_with(SimConfig { seed, clock_speed: 0, fixtures, ..SimConfig::default() }).await
}

fn catalogue() -> Value {
    let (mut products, mut addons) = (Vec::new(), Vec::new());
    for (currency, unit) in CURRENCIES {
        for (plan, _, yearly, carried) in PLANS {
            let every = if yearly { "Year" } else { "Month" };
            let carried: Vec<_> = carried.iter().map(|name| addon(name, currency)).collect();
            products.push(json!({
                "product_id": product(plan, currency), "name": plan, "tax_category": "saas", "addons": carried,
                "price": {
                    "type": "recurring_price", "currency": currency, "price": price(plan, currency),
                    "payment_frequency_count": 1, "payment_frequency_interval": every,
                },
            }));
        }
        for (name, units) in ADDONS {
            addons.push(json!({
                "id": addon(name, currency), "name": name, "price": units.saturating_mul(unit),
                "currency": currency, "tax_category": "saas",
            }));
        }
    }
    json!({
        "business_id": "bus_plans", "tax_bps": {"US": 0, "DE": 1900, "JP": 1000}, "products": products,
        "addons": addons,
    })
}

/// Puts every price back to what it was.
pub(super) fn reprice(dodo: &Dodo) -> anyhow::Result<()> {
    for (currency, _) in CURRENCIES {
        for (plan, ..) in PLANS {
            let patch = ProductPatch { price: Some(price(plan, currency)), ..ProductPatch::default() };
            dodo.control().product(&product(plan, currency), patch)?;
        }
    }
    Ok(())
}

/// A merchant who sells all of it, and bills every change like this.
pub(super) fn rules(mode: ProrationMode) -> anyhow::Result<Arc<Rules>> {
    let mut text = "[merchant]\nname = \"Plans\"\n".to_owned();
    for (currency, _) in CURRENCIES {
        for (plan, ..) in PLANS {
            text.push_str(&format!("[[plan]]\nproduct_id = \"{}\"\n", product(plan, currency)));
        }
    }
    let proration = ProrationRules { upgrade: mode, downgrade: mode, switch: mode };
    Ok(Arc::new(Rules { proration, ..Rules::parse(&text)? }))
}
