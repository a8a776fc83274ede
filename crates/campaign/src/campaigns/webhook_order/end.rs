//! What is on record in the end, in words that are the same for every buyer.

use anyhow::Context as _;
use dodo_client::ids::PaymentId;
use proxy::clock::Clock as _;
use serde_json::{Value, json};
use testkit::InProcessServices;
use wire::UnixSeconds;

use super::story::{Begun, Story};

/// More than one story makes.
const ALL_NEWS: u32 = 1_000;

/// The end of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// A line each, sorted: the attempt, its receipt, the offer, payments with their flags, news by its id.
    lines: Vec<String>,
    /// Whether the opening of the dispute is among the news; it is not in the lines.
    pub(super) opening: bool,
}

impl End {
    /// Reads it from the store. News is read once.
    ///
    /// # Errors
    /// When the store fails, or the attempt is gone.
    pub(super) async fn of(services: &InProcessServices, begun: &Begun) -> anyhow::Result<Self> {
        let Begun { shown, attempt, payment, .. } = begun;
        let store = &services.store;
        let row = store.attempt_by_id(&attempt.id).await?.context("the attempt is gone")?;
        let paid_by = row.payment_id.as_ref().map(PaymentId::as_str);
        let mut lines = vec![
            format!("attempt: {:?}, paid by {paid_by:?}, looked at {:?}", row.state, row.next_check_at),
            format!("offer: {:?}", services.offer(shown).await?.state),
            format!("receipt: {}", json!(row.receipt)),
        ];
        for seen in store.payments_of(&attempt.id).await? {
            let sale = store.sale(&seen.payment.id).await?.context("a payment without its sale")?;
            lines.push(format!(
                "payment {}: {:?}, {}, surplus {}, {} back, dispute {:?}",
                sale.payment_id,
                sale.status,
                json!(sale.collected),
                sale.surplus,
                sale.refunded,
                sale.dispute
            ));
        }
        // Nobody else takes them; what was taken is not taken again.
        let (now, never) = (services.clock.now(), UnixSeconds(i64::MAX));
        let mut opening = false;
        for notice in store.take_due_notices(now, never, ALL_NEWS).await? {
            if notice.id.ends_with("_opened") {
                opening = true;
                continue;
            }
            let mut body: Value = serde_json::from_str(&notice.body)?;
            // When it became true depends on when it was reported.
            body["timestamp"] = Value::Null;
            lines.push(format!("news {}: {body}", notice.id));
        }
        let customer = shown.offer.customer_id.as_str();
        let names = [
            (attempt.id.as_str(), "ATTEMPT"),
            (shown.offer.id.as_str(), "OFFER"),
            (payment, "PAYMENT"),
            (customer, "BUYER"),
        ];
        for (id, name) in names {
            for line in &mut lines {
                *line = line.replace(id, name);
            }
        }
        lines.sort();
        Ok(Self { lines, opening })
    }

    /// Where it is not what `wanted` is.
    pub(super) fn otherwise_than(&self, wanted: &Self) -> Option<String> {
        let only = |a: &Self, b: &Self| {
            a.lines.iter().filter(|line| !b.lines.contains(line)).cloned().collect::<Vec<_>>().join("; ")
        };
        (self.lines != wanted.lines)
            .then(|| format!("ended with [{}] instead of [{}]", only(self, wanted), only(wanted, self)))
    }

    /// Where it is not what the story tells.
    pub(super) fn otherwise_than_told(&self, story: Story) -> Option<String> {
        let wanted = story.end();
        let alike = self.lines.len() == wanted.len()
            && self.lines.iter().zip(wanted).all(|(line, begins)| line.starts_with(begins));
        (!alike).then(|| format!("ended with {:#?} instead of {wanted:#?}", self.lines))
    }
}
