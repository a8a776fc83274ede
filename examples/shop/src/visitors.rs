//! Who is who in this shop: a cookie with a random name, and what the shop knows under it. In memory, for the demo.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, header};
use rand::RngExt as _;

use crate::dodo::Buyer;

const COOKIE: &str = "shop_visitor";
/// Old visitors are forgotten when there are more than this.
const MOST: usize = 10_000;

/// What the cookie holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VisitorId(String);

/// What the shop knows of a visitor.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// Their latest checkout at Dodo, and of which product.
    pub checkout: Option<Order>,
    /// Who they turned out to be when they paid.
    pub buyer: Option<Buyer>,
    /// The subscription they bought here.
    pub subscriber: Option<Buyer>,
}

/// One order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// `session_id` of the checkout.
    pub session_id: String,
    /// What was ordered.
    pub product_id: String,
}

/// All visitors.
#[derive(Default)]
pub struct Visitors(Mutex<HashMap<VisitorId, Visitor>>);

impl VisitorId {
    /// A name that nobody can guess.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("{:032x}", rand::rng().random::<u128>()))
    }

    /// The name in the request's cookies.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        cookies
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == COOKIE)
            .map(|(_, value)| Self(value.to_owned()))
    }

    /// The `Set-Cookie` value. Lax, because the buyer comes back from Dodo's page; `Secure` where the shop is.
    #[must_use]
    pub fn set_cookie(&self, public_url: &str) -> String {
        let secure = if public_url.starts_with("https://") { "; Secure" } else { "" };
        format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax{secure}", self.0)
    }
}

impl Visitors {
    /// What is known of a visitor.
    pub fn get(&self, id: &VisitorId) -> Option<Visitor> {
        self.lock().get(id).cloned()
    }

    /// Changes what is known of a visitor.
    pub fn update(&self, id: &VisitorId, change: impl FnOnce(&mut Visitor)) {
        let mut visitors = self.lock();
        if visitors.len() >= MOST && !visitors.contains_key(id) {
            visitors.clear();
        }
        change(visitors.entry(id.clone()).or_default());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<VisitorId, Visitor>> {
        // A panic while the map was held leaves a map all the same.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_comes_back_as_it_was_set() {
        let id = VisitorId::random();
        let set = id.set_cookie("https://shop.example");
        assert!(set.contains("HttpOnly") && set.contains("Secure"));
        let mut headers = HeaderMap::new();
        let pair = set.split(';').next().unwrap();
        headers.insert(header::COOKIE, format!("theme=dark; {pair}").parse().unwrap());
        assert_eq!(VisitorId::of(&headers), Some(id));
        assert_eq!(VisitorId::of(&HeaderMap::new()), None);
    }

    #[test]
    fn visitors_are_told_apart() {
        let visitors = Visitors::default();
        let (one, two) = (VisitorId::random(), VisitorId::random());
        let order = Order { session_id: "cks_1".to_owned(), product_id: "prod_1".to_owned() };
        visitors.update(&one, |visitor| visitor.checkout = Some(order.clone()));
        assert_eq!(visitors.get(&one).unwrap().checkout, Some(order));
        assert!(visitors.get(&two).is_none());
    }
}
