//! Lists: filters and pages that start at 0. The answer holds items and nothing else.

use crate::engine::world::World;
use crate::error::{ApiError, Code, Outcome};
use crate::policy::ListOrder;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

const DEFAULT_SIZE: usize = 10;
const LARGEST_SIZE: usize = 100;

/// Every filter of every list; each list reads those that it has.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListQuery {
    page_number: Option<usize>,
    page_size: Option<usize>,
    #[serde(with = "time::serde::rfc3339::option")]
    created_at_gte: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    created_at_lte: Option<OffsetDateTime>,
    pub(crate) customer_id: Option<String>,
    pub(crate) subscription_id: Option<String>,
    pub(crate) product_id: Option<String>,
    pub(crate) brand_id: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) currency: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) cancel_at_next_billing_date: Option<bool>,
    pub(crate) recurring: Option<bool>,
    pub(crate) archived: Option<bool>,
}

/// A filter that is not set lets everything pass.
pub(crate) fn fits(filter: Option<&String>, value: &str) -> bool {
    filter.is_none_or(|wanted| wanted == value)
}

impl ListQuery {
    pub(crate) fn created(&self, at: OffsetDateTime) -> bool {
        self.created_at_gte.is_none_or(|from| at >= from) && self.created_at_lte.is_none_or(|to| at <= to)
    }

    /// One page of rows that come in order of creation.
    pub(crate) fn page<'a, T: 'a>(
        &self,
        world: &World,
        rows: impl DoubleEndedIterator<Item = &'a T>,
        view: impl Fn(&World, &T) -> Value,
    ) -> Outcome<Value> {
        let size = self.page_size.unwrap_or(DEFAULT_SIZE);
        if !(1..=LARGEST_SIZE).contains(&size) {
            return Err(ApiError::new(
                Code::InvalidQueryParams,
                format!("page_size must be from 1 to {LARGEST_SIZE}"),
            ));
        }
        let skip = self.page_number.unwrap_or(0).saturating_mul(size);
        let items: Vec<Value> = match world.policy.list_order {
            ListOrder::OldestFirst => rows.skip(skip).take(size).map(|row| view(world, row)).collect(),
            ListOrder::NewestFirst => rows.rev().skip(skip).take(size).map(|row| view(world, row)).collect(),
        };
        Ok(json!({ "items": items }))
    }
}
