//! Views made by hand.

use flow::charge::{DoneView, FailedView, Failure, NotCharged, SoftDecline};
use flow::offer::{AcceptState, OfferView, PayBy, PriceView};
use flow::plans::{AdjustView, CancelView, ComparisonView, ConfirmState, Dialog, Page, ReviewView, StayView};
use flow::{Tag, Tags};
use wire::*;

/// Noon in Greenwich, so that it is the same day nearly everywhere.
pub(super) const DAY: UnixSeconds = UnixSeconds(1_798_020_000);

/// The nth drawing.
pub(super) fn drawing(nth: usize) -> Tag {
    let mut tags = Tags::default();
    for _ in 0..nth {
        _ = tags.fresh();
    }
    tags.fresh()
}

pub(super) fn usd(amount: i64) -> Money {
    Money::new(amount, Currency::parse("USD").unwrap())
}

fn month() -> Period {
    Period { interval: Interval::Month, count: 1 }
}

pub(super) fn card() -> Card {
    Card { brand: "visa".to_owned(), last4: "4242".to_owned() }
}

/// $80.00 for the new plan, $30.00 back for the old one, $4.00 tax.
pub(super) fn quote() -> Quote {
    let line = |name: &str, amount| QuoteLine {
        kind: LineKind::Plan,
        name: name.to_owned(),
        quantity: 1,
        amount,
        prorated: true,
    };
    Quote {
        id: QuoteId::parse("quote").unwrap(),
        currency: usd(0).currency,
        lines: vec![line("Pro", 8_000), line("Basic", -3_000)],
        tax: 400,
        tax_inclusive: false,
        credit: 0,
        total: 5_400,
        settlement: None,
        renewal: Some(Renewal { date: DAY, amount: 8_000, tax_inclusive: false, period: month() }),
        effective_at: EffectiveAt::Immediately,
        expires_at: DAY,
        expires_in: 300,
    }
}

pub(super) fn offer() -> OfferView {
    OfferView {
        drawing: drawing(0),
        headline: Some("Take the whole team to Pro".to_owned()),
        benefits: vec!["Unlimited projects".to_owned(), "A year of history".to_owned()],
        social_proof: None,
        product: Product {
            id: ProductId::parse("pro").unwrap(),
            name: "Pro".to_owned(),
            price: 8_000,
            currency: usd(0).currency,
            period: Some(month()),
            description: None,
            image: None,
        },
        quantity: 1,
        compare_to: Some(CompareTo {
            name: "Basic".to_owned(),
            price: 3_000,
            currency: usd(0).currency,
            period: Some(month()),
            difference: Some(PriceDifference {
                amount: 5_000,
                currency: usd(0).currency,
                period: Some(month()),
            }),
            lost_addons: vec!["Extra storage".to_owned()],
        }),
        merchant: Some(Merchant { name: "Acme".to_owned() }),
        price: PriceView::Quoted(Box::new(quote())),
        due: usd(5_400),
        changed_from: None,
        pay_by: PayBy::Card(card()),
        accept: AcceptState::Ready,
        can_decline: true,
        notice: None,
        not_charged: None,
    }
}

pub(super) fn shown(offer: OfferView) -> flow::offer::View {
    flow::offer::View::Offer(Box::new(offer))
}

pub(super) fn done() -> DoneView {
    DoneView {
        scheduled: false,
        name: Some("Pro".to_owned()),
        receipt: Some(Receipt {
            reference: "pay_1".to_owned(),
            name: "Pro".to_owned(),
            amount: 5_312,
            currency: usd(0).currency,
            tax: 400,
            credit: 0,
            at: DAY,
            payment_method: Some(card()),
            renewal: None,
        }),
    }
}

/// Proof that nothing was charged.
pub(super) fn proof() -> NotCharged {
    NotCharged::by_refusal(ErrorCode::QuoteChanged).unwrap()
}

pub(super) fn failed(another_way: bool) -> FailedView {
    failed_by(Failure::SoftDecline(SoftDecline::InsufficientFunds), another_way)
}

pub(super) fn failed_by(failure: Failure, another_way: bool) -> FailedView {
    FailedView { failure, not_charged: proof(), name: None, due: Some(usd(5_400)), another_way }
}

fn plan(id: &str, name: &str, kind: ChangeKind, difference: Option<i64>) -> Plan {
    Plan {
        product_id: ProductId::parse(id).unwrap(),
        name: name.to_owned(),
        description: None,
        price: 8_000,
        currency: usd(0).currency,
        period: month(),
        kind,
        recommended: kind == ChangeKind::Upgrade,
        share: None,
        difference: difference.map(|amount| PriceDifference {
            amount,
            currency: usd(0).currency,
            period: Some(month()),
        }),
        over_span: None,
        features: vec!["Projects".to_owned()],
        gained: vec![],
        lost: vec![],
        lost_addons: vec![],
        limits: vec![],
        seats: false,
        addons: vec![],
    }
}

pub(super) fn comparison() -> ComparisonView {
    let mut starter = plan("starter", "Starter", ChangeKind::Downgrade, Some(-2_000));
    starter.lost = vec!["Priority".to_owned()];
    starter.lost_addons = vec!["Extra storage".to_owned()];
    ComparisonView {
        merchant: Merchant { name: "Acme".to_owned() },
        current: CurrentPlan {
            product_id: ProductId::parse("basic").unwrap(),
            name: "Basic".to_owned(),
            status: SubscriptionStatus::Active,
            quantity: 1,
            addons: vec![],
            next_billing_date: DAY,
            recurring_amount: 3_000,
            currency: usd(0).currency,
            discounted_renewals: Some(2),
            period: month(),
            scheduled_change: None,
            cancel_at_next_billing_date: false,
            can_change: true,
            can_cancel: true,
            trial_ends_at: None,
            due: None,
            usage: vec![],
            fits: false,
        },
        plans: vec![
            starter,
            plan("basic", "Basic", ChangeKind::Current, Some(0)),
            plan("pro", "Pro", ChangeKind::Upgrade, Some(5_000)),
            plan("yearly", "Pro, yearly", ChangeKind::Switch, None),
        ],
        payment_method: Some(card()),
        can_choose: true,
        previewing: None,
        taking_back: false,
        can_take_back: true,
        fetching_card_link: false,
        can_cancel: true,
        cancelling: false,
        notice: None,
    }
}

/// Five seats and an add-on to choose.
pub(super) fn adjusting() -> AdjustView {
    AdjustView {
        product_id: ProductId::parse("basic").unwrap(),
        name: "Basic".to_owned(),
        seats: Some(5),
        addons: vec![Addon {
            addon_id: wire::AddonId::parse("storage").unwrap(),
            name: "Storage".to_owned(),
            quantity: 0,
        }],
        unreadable: vec![],
        can_ask: true,
        asking: false,
        failed: false,
    }
}

/// Starter, for $20.00 less, before going on to Mini.
pub(super) fn staying() -> StayView {
    StayView {
        offer: StayOffer {
            id: OfferId::parse("of_1").unwrap(),
            headline: "Before you go".to_owned(),
            benefits: vec!["All your projects stay".to_owned()],
            social_proof: None,
            plan: plan("starter", "Starter", ChangeKind::Downgrade, Some(-2_000)),
            language: None,
        },
        on_to: Some("Mini".to_owned()),
        can_take: true,
        asking: false,
        failed: false,
    }
}

pub(super) fn cancelling() -> CancelView {
    CancelView { name: "Basic".to_owned(), ends_at: DAY, sending: false, failed: false }
}

pub(super) fn review(confirm: ConfirmState) -> ReviewView {
    ReviewView {
        drawing: drawing(0),
        from: "Basic".to_owned(),
        name: "Pro".to_owned(),
        kind: ChangeKind::Upgrade,
        today: usd(3_000),
        ends_trial: false,
        period: month(),
        limits: vec![],
        lost: vec![],
        lost_addons: vec![],
        adjustable: None,
        quote: quote(),
        due: usd(5_400),
        changed_from: None,
        altered: false,
        not_charged: None,
        effective_at: EffectiveAt::Immediately,
        payment_method: Some(card()),
        confirm,
        fetching_card_link: false,
        card_link_failed: false,
    }
}

pub(super) fn plans(page: ComparisonView, dialog: Option<Dialog>) -> flow::plans::View {
    flow::plans::View { page: Page::Comparison(Box::new(page)), dialog }
}
