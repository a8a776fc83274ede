//! The offer flow: one proposal, accepted or refused, and at most one cheaper one after a refusal.

mod event;
mod view;

pub use event::{Act, Answer, Dwell, Event};
pub use view::{AcceptState, Closed, Notice, OfferView, PayBy, PriceView, View};

use wire::UpsellResponse;

/// Under which key the browser remembers a refusal of what this answer offers: the server's opaque key, or the product
/// where a smaller backend sends none. The loader computes the same. `None` when nothing is offered.
#[must_use]
pub fn decline_key(response: &UpsellResponse) -> Option<String> {
    if let Some(offer) = &response.offer {
        return Some(offer.decline_key.clone());
    }
    response.product.as_ref().map(|product| ["product:", product.id.as_str()].concat())
}
