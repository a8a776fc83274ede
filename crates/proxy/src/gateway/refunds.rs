//! Refunds and disputes: Dodo's words into ours, and the one request that gives money back.

use dodo_client::{
    ChargeEvidence, DecodeError, Error,
    http::pages::{MAX_PAGE_SIZE, Page, PageRequest},
    ids::PaymentId,
    types::{
        disputes::{self, Dispute},
        payments::{IntentStatus, Payment},
        refunds::{self, CreatedFilter, Refund, RefundItem, RefundRequest},
    },
};
use futures_util::{FutureExt, future::BoxFuture};
use upsell_core::{
    domain::{DisputeStatus, RefundStatus, SeenDispute, SeenRefund},
    policy::listing_plan::Window,
};
use wire::Money;

use super::{Gateway, ListingError};

/// Most pages of a listing of refunds or disputes: 100,000 of them.
const MAX_PAGES: u32 = 1000;

/// A refund in our words; `None` for a status that this version does not know.
#[must_use]
pub fn seen_refund(refund: &Refund) -> Option<SeenRefund> {
    let status = match &refund.status {
        refunds::RefundStatus::Succeeded => RefundStatus::Succeeded,
        refunds::RefundStatus::Failed => RefundStatus::Failed,
        refunds::RefundStatus::Pending | refunds::RefundStatus::Review => RefundStatus::Pending,
        refunds::RefundStatus::Unknown(_) => return None,
    };
    let amount = refund.amount.zip(refund.currency).map(|(amount, currency)| Money::new(amount, currency));
    Some(SeenRefund { id: refund.refund_id.clone(), payment_id: refund.payment_id.clone(), status, amount })
}

/// The same for deciding whether something is on its way back: one whose status is not known may be.
#[must_use]
pub fn refund_as_seen(refund: &Refund) -> SeenRefund {
    seen_refund(refund).unwrap_or_else(|| SeenRefund {
        id: refund.refund_id.clone(),
        payment_id: refund.payment_id.clone(),
        status: RefundStatus::Pending,
        amount: None,
    })
}

/// A dispute in our words; `None` for a status that this version does not know.
#[must_use]
pub fn seen_dispute(dispute: &Dispute) -> Option<SeenDispute> {
    let status = match &dispute.dispute_status {
        disputes::DisputeStatus::Opened => DisputeStatus::Opened,
        disputes::DisputeStatus::Challenged => DisputeStatus::Challenged,
        disputes::DisputeStatus::Cancelled => DisputeStatus::Cancelled,
        disputes::DisputeStatus::Expired => DisputeStatus::Expired,
        disputes::DisputeStatus::Accepted => DisputeStatus::Accepted,
        disputes::DisputeStatus::Won => DisputeStatus::Won,
        disputes::DisputeStatus::Lost => DisputeStatus::Lost,
        disputes::DisputeStatus::Unknown(_) => return None,
    };
    Some(SeenDispute { id: dispute.dispute_id.clone(), payment_id: dispute.payment_id.clone(), status })
}

/// A payment, as far as giving it back is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refundable {
    /// Whether it collected.
    pub collected: bool,
    /// How much, in minor units, tax included.
    pub amount: i64,
    /// What has gone back, or is on its way, or was tried.
    pub refunds: Vec<SeenRefund>,
}

impl Refundable {
    fn of(payment: &Payment) -> Self {
        Self {
            collected: payment.status == Some(IntentStatus::Succeeded),
            amount: payment.total_amount,
            refunds: payment.refunds.iter().map(refund_as_seen).collect(),
        }
    }
}

impl Gateway {
    /// How a payment and its refunds stand.
    ///
    /// # Errors
    /// When Dodo does not answer, or a refund of the payment cannot be read.
    pub async fn refundable(&self, id: &PaymentId) -> Result<Refundable, Error> {
        let payment = self.dodo.get_payment(id).await?;
        if payment.unread.refunds {
            // It may have gone back already.
            let reason = DecodeError::Shape { path: "refunds".to_owned() };
            return Err(Error::Undecodable { status: 200, reason });
        }
        Ok(Refundable::of(&payment))
    }

    /// The line of a payment from which so much can be given back: Dodo takes partial amounts by line.
    ///
    /// # Errors
    /// When Dodo does not answer.
    pub async fn line_for(&self, id: &PaymentId, amount: i64) -> Result<Option<String>, Error> {
        let lines = self.dodo.get_line_items(id).await?;
        Ok(lines.items.into_iter().find(|line| line.refundable_amount >= amount).map(|line| line.items_id))
    }

    /// Gives back all of a payment, or so much of one line: one request, once.
    pub async fn refund(
        &self,
        id: &PaymentId,
        part: Option<(String, i64)>,
        reason: &str,
    ) -> ChargeEvidence<Refund> {
        let item =
            |(item_id, amount)| RefundItem { item_id, amount: Some(amount), tax_inclusive: Some(true) };
        let request = RefundRequest {
            payment_id: id.clone(),
            items: part.map(item).into_iter().collect(),
            reason: Some(reason.to_owned()),
        };
        self.dodo.refund(&request).await
    }

    /// Lists the refunds that began within a window. Rows that cannot be read are left out; a payment that is looked up shows
    /// its refunds as well.
    ///
    /// # Errors
    /// When Dodo does not answer, or there are too many.
    pub async fn refunds_within(&self, window: Window) -> Result<Vec<Refund>, ListingError> {
        let filter = created_within(window);
        all_pages("refund", |page| self.dodo.list_refunds(&filter, page).boxed()).await
    }

    /// Lists the disputes that began within a window. Rows that cannot be read are left out.
    ///
    /// # Errors
    /// When Dodo does not answer, or there are too many.
    pub async fn disputes_within(&self, window: Window) -> Result<Vec<Dispute>, ListingError> {
        let filter = created_within(window);
        all_pages("dispute", |page| self.dodo.list_disputes(&filter, page).boxed()).await
    }
}

fn created_within(window: Window) -> CreatedFilter {
    CreatedFilter { created_at_gte: Some(window.from), created_at_lte: Some(window.to) }
}

async fn all_pages<'a, T>(
    what: &'static str,
    list: impl Fn(PageRequest) -> BoxFuture<'a, Result<(Page<T>, usize), Error>>,
) -> Result<Vec<T>, ListingError> {
    let mut rows = Vec::new();
    let mut page = PageRequest::first(MAX_PAGE_SIZE);
    loop {
        let (answer, unreadable) = list(page).await?;
        rows.extend(answer.items);
        if unreadable > 0 {
            tracing::error!(alert = "unreadable_row", what, unreadable, "failed to read rows of a listing");
            metrics::counter!("upsell_alerts_total", "kind" => "unreadable_row").increment(1);
        }
        match answer.next {
            None => return Ok(rows),
            Some(next) if next.number() >= MAX_PAGES => return Err(ListingError::TooLong),
            Some(next) => page = next,
        }
    }
}
