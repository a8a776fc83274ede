//! What is reported, and to whom.

use std::collections::BTreeSet;

use anyhow::Context as _;
use proxy::clock::ManualClock;
use serde_json::{Value, json};
use testkit::{Dodo, GOOD_CARD, InProcessServices, KIT, Shown};
use upsell_core::domain::AttemptRow;
use wire::PayWith;

/// Reports about one offer, the repetition among them.
pub(super) const REPORTS: usize = 7;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Story {
    /// The answer to a click is lost, so that reports are all there is. Paid; a part goes back, the rest does not; the
    /// dispute is won.
    OneClick,
    /// On a hosted page one card is declined and another pays. All of it goes back, in two parts; the dispute is lost.
    Hosted,
}

pub(super) const STORIES: [Story; 2] = [Story::OneClick, Story::Hosted];

/// Goes back first.
const PART: i64 = 500;

/// A story up to its first report.
pub(super) struct Begun {
    pub(super) shown: Shown,
    pub(super) attempt: AttemptRow,
    /// The payment that collects.
    pub(super) payment: String,
    reports: [Report; REPORTS - 1],
}

/// One report: an event's type, and its object as it was when it was sent.
struct Report {
    kind: &'static str,
    data: Value,
}

/// What was told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Different webhook-ids.
    pub(super) ids: u32,
    /// Webhooks that were applied.
    pub(super) applied: u32,
    /// Those that were not taken, and why.
    pub(super) refused: Vec<String>,
    /// Whether the dispute was known to be open at a time when the payment was known.
    pub(super) opening: bool,
}

impl Story {
    /// How it ends: how each line of what is on record begins.
    pub(super) fn end(self) -> &'static [&'static str] {
        match self {
            Self::OneClick => &[
                r#"attempt: Succeeded, paid by Some("PAYMENT"), looked at None"#,
                "news evt_ATTEMPT_offer_accepted:",
                "news evt_ATTEMPT_payment_succeeded:",
                "news evt_dsp_BUYER_payment_disputed_won:",
                "news evt_ref_part_BUYER_payment_refunded:",
                "offer: Charged",
                r#"payment PAYMENT: Succeeded, {"amount":1900,"currency":"USD"}, surplus false, 500 back, dispute Some(Won)"#,
                r#"receipt: {"amount":1900,"#,
            ],
            Self::Hosted => &[
                r#"attempt: Succeeded, paid by Some("PAYMENT"), looked at None"#,
                "news evt_ATTEMPT_offer_accepted:",
                "news evt_ATTEMPT_payment_succeeded:",
                "news evt_dsp_BUYER_payment_disputed_lost:",
                "news evt_ref_part_BUYER_payment_refunded:",
                "news evt_ref_rest_BUYER_payment_refunded:",
                "offer: Charged",
                r#"payment PAYMENT: Succeeded, {"amount":1900,"currency":"USD"}, surplus false, 1900 back, dispute Some(Lost)"#,
                r#"payment pay_declined_BUYER: Failed, {"amount":1900,"currency":"USD"}, surplus false, 0 back, dispute None"#,
                r#"receipt: {"amount":1900,"#,
            ],
        }
    }

    /// Has a new buyer accept.
    ///
    /// # Errors
    /// When it does not come to that.
    pub(super) async fn begin(self, services: &InProcessServices, dodo: &Dodo) -> anyhow::Result<Begun> {
        let shown = services.show(dodo, Some(GOOD_CARD), KIT).await?;
        let customer = &shown.offer.customer_id;
        let pay_with = (self == Self::Hosted).then_some(PayWith::HostedCheckout);
        if self == Self::OneClick {
            dodo.fault("POST", "/checkouts", json!("reset_after"), 1)?;
        }
        services.accept(&shown, "key", pay_with).await?;
        let attempt = services.store.latest_attempt(&shown.offer.id).await?.context("no attempt")?;
        let mut paid = match self {
            Self::OneClick => {
                let charge = dodo.collected_from(customer.as_str()).pop().context("nothing was collected")?;
                dodo.payment(&charge.payment_id).await?
            }
            Self::Hosted => {
                let mut paid = dodo.payment(dodo.purchase(customer, KIT)?.as_str()).await?;
                paid["metadata"] = json!({"attempt_id": attempt.id, "upsell_source": "offer"});
                paid["checkout_session_id"] = json!(attempt.checkout_session_id);
                paid
            }
        };
        paid["payload_type"] = "Payment".into();
        // Times that are the same in every run.
        paid["created_at"] = "2026-01-01T00:00:00Z".into();
        paid["updated_at"] = "2026-01-01T00:00:05Z".into();
        let payment = paid["payment_id"].as_str().context("a payment without an id")?.to_owned();
        let total = paid["total_amount"].as_i64().context("a payment without an amount")?;
        let rest = total.checked_sub(PART).context("there is no rest")?;
        let refund = |name: &str, status: &str, amount: i64| {
            json!({
                "payload_type": "Refund", "refund_id": format!("ref_{name}_{customer}"), "payment_id": payment,
                "status": status, "amount": amount, "currency": paid["currency"], "is_partial": true,
            })
        };
        let dispute = |status: &str| {
            json!({
                "payload_type": "Dispute", "dispute_id": format!("dsp_{customer}"), "payment_id": payment,
                "dispute_status": status, "amount": total.to_string(), "currency": paid["currency"],
            })
        };
        // Sent late, or once more: by then the first refund was under way.
        let mut succeeded = paid.clone();
        succeeded["refunds"] = json!([refund("part", "pending", PART)]);
        let mut earlier = paid.clone();
        let (first, second, end) = match self {
            Self::OneClick => {
                earlier["status"] = "processing".into();
                (
                    ("payment.processing", earlier),
                    ("refund.failed", refund("rest", "failed", rest)),
                    ("dispute.won", dispute("dispute_won")),
                )
            }
            Self::Hosted => {
                earlier["status"] = "failed".into();
                earlier["error_code"] = "INSUFFICIENT_FUNDS".into();
                earlier["payment_id"] = format!("pay_declined_{customer}").into();
                (
                    ("payment.failed", earlier),
                    ("refund.succeeded", refund("rest", "succeeded", rest)),
                    ("dispute.lost", dispute("dispute_lost")),
                )
            }
        };
        let reports = [
            first,
            ("payment.succeeded", succeeded),
            ("refund.succeeded", refund("part", "succeeded", PART)),
            second,
            ("dispute.opened", dispute("dispute_opened")),
            end,
        ]
        .map(|(kind, data)| Report { kind, data });
        Ok(Begun { shown, attempt, payment, reports })
    }
}

impl Begun {
    /// Tells of it in this order, a second apart.
    pub(super) async fn tell(
        &self,
        services: &InProcessServices,
        clock: &ManualClock,
        order: [usize; REPORTS],
        again: usize,
    ) -> Told {
        let customer = &self.shown.offer.customer_id;
        let (mut told, mut ids) = (Told::default(), BTreeSet::new());
        let (mut paid, mut opened, mut ended) = (false, false, false);
        // The seventh repeats one of the others: under its own id, and under another.
        let deliveries = order.into_iter().flat_map(|number| match number {
            number if number < REPORTS - 1 => vec![(number, "")],
            _ => vec![(again, ""), (again, "_again")],
        });
        for (number, suffix) in deliveries {
            let Report { kind, data } = &self.reports[number];
            let id = format!("msg_{customer}_{number}{suffix}");
            clock.advance(1);
            if let Err(error) = services.deliver(&id, kind, data).await {
                told.refused.push(format!("{kind}: {error:#}"));
            }
            ids.insert(id);
            paid |= *kind == "payment.succeeded";
            opened |= *kind == "dispute.opened";
            ended |= number == REPORTS - 2;
            told.opening |= paid && opened && !ended;
        }
        told.ids = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        told
    }
}
