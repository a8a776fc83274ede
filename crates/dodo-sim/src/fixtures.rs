//! The catalogue that a simulator starts with: `fixtures/default.json`, or a file of the same shape.

use crate::control::seed::{self, NewCustomer};
use crate::engine::world::World;
use crate::model::catalogue::{Addon, Discount, Product};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

const DEFAULT: &str = include_str!("../fixtures/default.json");

/// Contents of a fixture file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fixtures {
    business_id: String,
    /// Basis points by country.
    #[serde(default)]
    tax_bps: BTreeMap<String, i64>,
    products: Vec<Product>,
    #[serde(default)]
    addons: Vec<Addon>,
    #[serde(default)]
    discounts: Vec<Discount>,
    #[serde(default)]
    customers: Vec<NewCustomer>,
}

/// A fixture file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FixtureError {
    /// It cannot be read.
    #[error("fixtures {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It does not say what fixtures say.
    #[error("fixtures {path}: {reason}")]
    Parse {
        /// The file, or `built-in`.
        path: String,
        /// Where and why.
        reason: String,
    },
}

/// Reads a file, or the built-in fixtures.
pub(crate) fn read(path: Option<&Path>) -> Result<Fixtures, FixtureError> {
    let (name, text) = match path {
        None => ("built-in".to_owned(), DEFAULT.to_owned()),
        Some(path) => {
            let name = path.display().to_string();
            match std::fs::read_to_string(path) {
                Ok(text) => (name, text),
                Err(source) => return Err(FixtureError::Read { path: name, source }),
            }
        }
    };
    let mut json = serde_json::Deserializer::from_str(&text);
    serde_path_to_error::deserialize(&mut json)
        .map_err(|error| FixtureError::Parse { path: name, reason: error.to_string() })
}

/// Puts fixtures into an empty world.
pub(crate) fn load(world: &mut World, fixtures: &Fixtures) {
    world.business_id.clone_from(&fixtures.business_id);
    world.tax_bps.clone_from(&fixtures.tax_bps);
    for product in &fixtures.products {
        world.products.put(product.clone());
    }
    for addon in &fixtures.addons {
        world.addons.put(addon.clone());
    }
    for discount in &fixtures.discounts {
        world.discounts.put(discount.clone());
    }
    for customer in &fixtures.customers {
        seed::customer(world, customer.clone());
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_built_in_fixtures_can_be_read() {
        assert_eq!(super::read(None).unwrap().products.len(), 11);
    }
}
