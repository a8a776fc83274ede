//! Makes wire values for tests.

use flow::offer::Answer;
use flow::{ApiError, Intent, OwnPage, Press, Screen};
use wire::{
    AddonId, Attempt, AttemptId, AttemptStatus, Card, ChangeKind, Consent, Currency, CurrentPlan,
    EffectiveAt, ErrorCode, FailureReason, IdempotencyKey, IneligibleReason, Interval, LineKind, Merchant,
    Money, Offer, OfferId, OfferKind, Period, Plan, PlansResponse, PreviewResponse, Problem, Product,
    ProductId, Quote, QuoteId, QuoteLine, Receipt, ScheduledChange, StayOffer, SubscriptionStatus, Trigger,
    UnixSeconds, UpsellResponse,
};

pub(crate) fn key(n: u32) -> IdempotencyKey {
    IdempotencyKey::parse(format!("key{n}")).unwrap()
}

/// A press on a screen that says what it should.
pub(crate) fn press(n: u32) -> Press {
    let consent =
        Consent { locale: "en".to_owned(), version: "1".to_owned(), text_hash: format!("{n:016x}") };
    Press { intent: Intent { key: key(n), consent }, screen: Screen::AsDrawn }
}

/// A press on a screen that says something else. Of two, one leaves a page of the backend's own to go to.
pub(crate) fn press_on_altered(n: u32) -> Press {
    let own_page = if n.is_multiple_of(2) { OwnPage::Elsewhere } else { OwnPage::None };
    Press { screen: Screen::Altered(own_page), ..press(n) }
}

pub(crate) fn usd() -> Currency {
    Currency::parse("USD").unwrap()
}

pub(crate) fn dollars(amount: i64) -> Money {
    Money::new(amount, usd())
}

pub(crate) fn addon_id(id: &str) -> AddonId {
    AddonId::parse(id).unwrap()
}

pub(crate) fn product_id(id: &str) -> ProductId {
    ProductId::parse(id).unwrap()
}

pub(crate) fn quote(id: &str, total: i64) -> Quote {
    Quote {
        id: QuoteId::parse(id).unwrap(),
        currency: usd(),
        lines: vec![QuoteLine {
            kind: LineKind::Product,
            name: "Pro".to_owned(),
            quantity: 1,
            amount: total,
            prorated: false,
        }],
        tax: 0,
        tax_inclusive: false,
        credit: 0,
        total,
        settlement: None,
        renewal: None,
        effective_at: EffectiveAt::Immediately,
        expires_at: UnixSeconds(1_800_000_000),
        expires_in: 300,
    }
}

pub(crate) fn visa() -> Card {
    Card { brand: "visa".to_owned(), last4: "4242".to_owned() }
}

/// An offer of `prod_<offer>` with decline key `dk_<offer>`, on a saved card.
pub(crate) fn offered(offer: &str, quote: Quote) -> UpsellResponse {
    UpsellResponse {
        eligible: true,
        reason: None,
        offer: Some(Offer {
            id: OfferId::parse(offer).unwrap(),
            kind: OfferKind::Upsell,
            headline: "Get Pro".to_owned(),
            benefits: vec!["More".to_owned()],
            social_proof: None,
            quantity: 1,
            decline_key: format!("dk_{offer}"),
        }),
        product: Some(product(offer)),
        compare_to: None,
        quote: Some(quote),
        payment_method: Some(visa()),
        merchant: Some(Merchant { name: "Shop".to_owned() }),
        attempt: None,
        language: None,
    }
}

fn product(offer: &str) -> Product {
    Product {
        id: product_id(&format!("prod_{offer}")),
        name: "Pro".to_owned(),
        price: 5000,
        currency: usd(),
        period: None,
        description: None,
        image: None,
    }
}

/// What a merchant's own basic backend answers.
pub(crate) fn basic_backend() -> UpsellResponse {
    UpsellResponse {
        offer: None,
        quote: None,
        payment_method: None,
        merchant: None,
        ..offered("small", quote("q", 1))
    }
}

pub(crate) fn nothing(reason: IneligibleReason) -> UpsellResponse {
    UpsellResponse::ineligible(reason)
}

pub(crate) fn taken(attempt: Attempt) -> UpsellResponse {
    UpsellResponse { attempt: Some(attempt), ..nothing(IneligibleReason::InProgress) }
}

pub(crate) fn answer(response: UpsellResponse) -> Answer {
    Answer { response: Box::new(response), refused_here: false }
}

pub(crate) fn refused_here(response: UpsellResponse) -> Answer {
    Answer { response: Box::new(response), refused_here: true }
}

pub(crate) fn attempt(status: AttemptStatus) -> Attempt {
    let succeeded = matches!(status, AttemptStatus::Succeeded | AttemptStatus::Scheduled);
    let failed = status == AttemptStatus::Failed;
    Attempt {
        success: succeeded,
        status: Some(status),
        attempt_id: Some(AttemptId::parse("att_1").unwrap()),
        receipt: succeeded.then(|| receipt(5000)),
        failure: failed.then_some(FailureReason::Declined),
        hosted_checkout_offered: failed,
        checkout_url: (status == AttemptStatus::CheckoutRequired).then(|| CHECKOUT.to_owned()),
    }
}

pub(crate) fn failed_by(reason: FailureReason) -> Attempt {
    Attempt { failure: Some(reason), ..attempt(AttemptStatus::Failed) }
}

/// With an address, whether it belongs there or not.
pub(crate) fn at_a_page(status: AttemptStatus) -> Attempt {
    Attempt { checkout_url: Some(CHECKOUT.to_owned()), ..attempt(status) }
}

pub(crate) const CHECKOUT: &str = "https://checkout.test/session/cks_1";

/// What a merchant's own basic backend answers to an accept.
pub(crate) fn bare(success: bool) -> Attempt {
    Attempt {
        success,
        status: None,
        attempt_id: None,
        receipt: None,
        failure: None,
        hosted_checkout_offered: false,
        checkout_url: None,
    }
}

pub(crate) fn receipt(amount: i64) -> Receipt {
    Receipt {
        reference: "pay_1".to_owned(),
        name: "Pro".to_owned(),
        amount,
        currency: usd(),
        tax: 0,
        credit: 0,
        at: UnixSeconds(1_800_000_000),
        payment_method: Some(visa()),
        renewal: None,
    }
}

pub(crate) fn problem(status: u16, code: ErrorCode) -> ApiError {
    ApiError::Problem(Box::new(Problem {
        status,
        code,
        title: String::new(),
        request_id: None,
        field: None,
        retry_after: None,
        quote: None,
    }))
}

pub(crate) fn quote_changed(new: Quote) -> ApiError {
    let ApiError::Problem(problem) = problem(409, ErrorCode::QuoteChanged) else { unreachable!() };
    ApiError::Problem(Box::new(Problem { quote: Some(Box::new(new)), ..*problem }))
}

const MONTHLY: Period = Period { interval: Interval::Month, count: 1 };

/// Basic (current), Pro and Mini.
pub(crate) fn plans() -> PlansResponse {
    let plan = |id: &str, name: &str, price, kind| Plan {
        product_id: product_id(id),
        name: name.to_owned(),
        description: None,
        price,
        currency: usd(),
        period: MONTHLY,
        kind,
        recommended: false,
        share: None,
        difference: None,
        over_span: None,
        features: vec![],
        gained: vec![],
        lost: vec![],
        lost_addons: vec![],
        limits: vec![],
        seats: id == "basic",
        addons: vec![],
    };
    PlansResponse {
        merchant: Merchant { name: "Shop".to_owned() },
        current: CurrentPlan {
            product_id: product_id("basic"),
            name: "Basic".to_owned(),
            status: SubscriptionStatus::Active,
            quantity: 1,
            addons: vec![],
            next_billing_date: UnixSeconds(1_800_000_000),
            recurring_amount: 3000,
            currency: usd(),
            discounted_renewals: None,
            period: MONTHLY,
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
            plan("mini", "Mini", 1000, ChangeKind::Downgrade),
            plan("basic", "Basic", 3000, ChangeKind::Current),
            plan("pro", "Pro", 8000, ChangeKind::Upgrade),
        ],
        payment_method: Some(visa()),
        attempt: None,
        stay_offers: vec![],
        language: None,
    }
}

/// The same, and the merchant may propose something before the buyer leaves.
pub(crate) fn plans_with_stay_offers() -> PlansResponse {
    PlansResponse { stay_offers: vec![Trigger::DowngradeIntent, Trigger::CancelIntent], ..plans() }
}

/// The same, cancelled for the next billing date.
pub(crate) fn plans_cancelled() -> PlansResponse {
    let mut plans = plans();
    let current = &mut plans.current;
    (current.cancel_at_next_billing_date, current.can_change, current.can_cancel) = (true, false, false);
    plans
}

/// "Lite" instead, for $20.00 a month. It is not among the plans on the page.
pub(crate) fn stay_offer() -> Box<StayOffer> {
    let plan = plans().plans.into_iter().next().map(|plan| Plan {
        product_id: product_id("lite"),
        name: "Lite".to_owned(),
        price: 2000,
        ..plan
    });
    Box::new(StayOffer {
        id: OfferId::parse("of_stay").unwrap(),
        headline: "Before you go".to_owned(),
        benefits: vec![],
        social_proof: None,
        plan: plan.unwrap(),
        language: None,
    })
}

/// The same after the change.
pub(crate) fn plans_on(id: &str) -> PlansResponse {
    let mut plans = plans();
    plans.current.product_id = product_id(id);
    plans
}

/// The same with a change booked.
pub(crate) fn plans_booked(id: &str) -> PlansResponse {
    let mut plans = plans();
    plans.current.scheduled_change = Some(ScheduledChange {
        product_id: product_id(id),
        name: "Booked".to_owned(),
        effective_at: UnixSeconds(1_800_000_000),
    });
    plans
}

pub(crate) fn preview(id: &str, quote: Quote) -> Box<PreviewResponse> {
    Box::new(PreviewResponse {
        product_id: product_id(id),
        name: id.to_owned(),
        quote,
        payment_method: Some(visa()),
        lost_addons: vec![],
    })
}
