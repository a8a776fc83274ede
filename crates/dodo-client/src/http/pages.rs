//! Dodo's lists: pages counted from 0, without a total.

use serde::{Deserialize, Serialize};

use crate::{
    lenient::{self, Readable},
    types::payments::{PaymentSummary, UnreadablePayment},
};

/// The largest page that Dodo serves.
pub const MAX_PAGE_SIZE: u8 = 100;

/// Which page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PageRequest {
    page_number: u32,
    page_size: u8,
}

impl PageRequest {
    /// The first page with `size` items, which is brought into 1..=100.
    #[must_use]
    pub fn first(size: u8) -> Self {
        Self { page_number: 0, page_size: size.clamp(1, MAX_PAGE_SIZE) }
    }

    /// Counted from 0.
    #[must_use]
    pub fn number(self) -> u32 {
        self.page_number
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What it holds.
    pub items: Vec<T>,
    /// The page after it; `None` when this one was short, and so the last. A list whose last page is full
    /// ends with an empty one.
    pub next: Option<PageRequest>,
}

impl<T> Page<T> {
    pub(crate) fn new(items: Items<T>, request: PageRequest) -> Self {
        let full = items.items.len() >= usize::from(request.page_size);
        let next = request.page_number.checked_add(1).filter(|_| full);
        let next = next.map(|page_number| PageRequest { page_number, ..request });
        Self { items: items.items, next }
    }
}

impl<T: Readable> Page<T> {
    /// Returns the page with the rows that can be read, and how many cannot.
    pub(crate) fn readable(rows: Items<serde_json::Value>, request: PageRequest) -> (Self, usize) {
        let Page { items: rows, next } = Page::new(rows, request);
        let (items, unreadable) = lenient::rows(rows);
        (Self { items, next }, unreadable)
    }
}

/// One page of the list of payments. A row that cannot be read is told apart, so that it hides no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentPage {
    /// The payments that can be read.
    pub items: Vec<PaymentSummary>,
    /// The rows that cannot.
    pub unreadable: Vec<UnreadablePayment>,
    /// The page after it, as in [`Page`]. Rows that cannot be read count as well.
    pub next: Option<PageRequest>,
}

impl PaymentPage {
    pub(crate) fn new(rows: Items<serde_json::Value>, request: PageRequest) -> Self {
        let Page { items: rows, next } = Page::new(rows, request);
        let (mut items, mut unreadable) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            let known = UnreadablePayment::of(&row);
            match lenient::from_value(row) {
                Ok(payment) => items.push(payment),
                Err(_) => unreadable.push(known),
            }
        }
        Self { items, unreadable, next }
    }
}

/// The query string of a list.
#[derive(Serialize)]
pub(crate) struct Paged<'a, F> {
    #[serde(flatten)]
    pub(crate) filter: &'a F,
    #[serde(flatten)]
    pub(crate) page: PageRequest,
}

/// `{"items": [...]}`, the shape of every list answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Items<T> {
    pub(crate) items: Vec<T>,
}

/// The rows are read one by one.
impl Readable for Items<serde_json::Value> {
    const NAME: &'static str = "list";
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        ids::{CustomerId, PaymentId},
        types::refunds::Refund,
    };

    #[test]
    fn a_short_page_is_the_last() {
        let request = PageRequest::first(2);
        assert_eq!(Page::new(Items { items: vec![1] }, request).next, None);
        let next = Page::new(Items { items: vec![1, 2] }, request).next.unwrap();
        assert_eq!((next.page_number, next.page_size), (1, 2));
        assert_eq!(Page::new(Items { items: Vec::<u8>::new() }, next).next, None);
    }

    /// One row that cannot be read hides no other, and is told as far as it can be made out.
    #[test]
    fn a_row_that_cannot_be_read_costs_itself_only() {
        let row = |id: &str| {
            json!({
                "payment_id": id, "customer": {"customer_id": "cus_1"}, "status": "succeeded", "currency": "USD",
                "total_amount": 4900, "created_at": "2026-01-01T00:00:00Z", "metadata": {"a": "b"},
            })
        };
        let spoiled = |name: &str, value: Value| {
            let mut row = row("pay_2");
            row[name] = value;
            row
        };
        for (bad, id, customer, pairs) in [
            (spoiled("currency", Value::Null), Some("pay_2"), Some("cus_1"), 1),
            (spoiled("total_amount", json!(1e30)), Some("pay_2"), Some("cus_1"), 1),
            (spoiled("customer", json!("cus_1")), Some("pay_2"), None, 1),
            (spoiled("metadata", json!([])), Some("pay_2"), Some("cus_1"), 0),
            (spoiled("payment_id", json!(7)), None, Some("cus_1"), 1),
            (json!(["nothing"]), None, None, 0),
            (Value::Null, None, None, 0),
        ] {
            let items = vec![row("pay_1"), bad.clone(), row("pay_3")];
            let page = PaymentPage::new(Items { items }, PageRequest::first(3));
            let ids: Vec<_> = page.items.iter().map(|payment| payment.payment_id.as_str()).collect();
            assert_eq!(ids, ["pay_1", "pay_3"], "{bad}");
            assert!(page.next.is_some(), "the page is full all the same");
            let [unreadable] = page.unreadable.as_slice() else { panic!("{bad}: {:?}", page.unreadable) };
            assert_eq!(unreadable.payment_id.as_ref().map(PaymentId::as_str), id, "{bad}");
            assert_eq!(unreadable.customer_id.as_ref().map(CustomerId::as_str), customer, "{bad}");
            assert_eq!(unreadable.metadata.text("a").is_some(), pairs == 1, "{bad}");
        }
    }

    #[test]
    fn an_unreadable_row_is_counted_and_hides_no_other() {
        let refund = |id: Value| json!({"refund_id": id, "payment_id": "pay_1", "status": "pending"});
        let items = vec![refund(json!("ref_1")), refund(json!(2)), refund(json!("ref_3"))];
        let (page, unreadable) = Page::<Refund>::readable(Items { items }, PageRequest::first(3));
        let ids: Vec<_> = page.items.iter().map(|refund| refund.refund_id.as_str()).collect();
        assert_eq!((ids, unreadable, page.next.is_some()), (vec!["ref_1", "ref_3"], 1, true));
    }

    #[test]
    fn sizes_stay_within_dodos_limits() {
        assert_eq!(PageRequest::first(0).page_size, 1);
        assert_eq!(PageRequest::first(255).page_size, 100);
    }
}
