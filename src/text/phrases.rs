//! The names of all phrases: one table for a language has each of them. One file because it is one table.

use flow::charge::{NotCharged, WaitingView};
use wire::Receipt;

/// Declares the table and, for the tests, a way to walk over it. A phrase after `only with` claims something about money:
/// nobody reads it but through a method that asks for the evidence.
macro_rules! phrases {
    ($($(#[$meta:meta])* $name:ident,)+; $($(#[$claim_meta:meta])* $claim:ident only with $proof:ty,)+) => {
        /// All words of one language. Gaps are named in braces; see [`super::fill`].
        #[derive(Debug)]
        pub struct Phrases {
            $($(#[$meta])* pub $name: &'static str,)+
            $($(#[$claim_meta])* pub(super) $claim: &'static str,)+
        }

        impl Phrases {
            $($(#[$claim_meta])* #[must_use] pub fn $claim(&self, _: $proof) -> &'static str {
                self.$claim
            })+
        }

        #[cfg(test)]
        impl Phrases {
            /// Every phrase with its name.
            pub(super) fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![
                    $((stringify!($name), self.$name),)+
                    $((stringify!($claim), self.$claim),)+
                ]
            }

            /// The names of the phrases that ask for evidence.
            pub(super) const CLAIMS: &[&str] = &[$(stringify!($claim),)+];
        }
    };
}

phrases! {
    // The offer.
    /// Name of the offer's region, for assistive technology.
    offer_label,
    /// Who sells. Gaps: `name`.
    from_seller,
    /// Under a positive price difference. Gaps: `name`, `price`.
    more_than,
    /// Under a negative price difference. Gaps: `name`, `price`.
    less_than,
    /// Instead of a difference of nothing.
    same_price,
    /// Under a total that stands as the figure, and before the total of the ruled block.
    to_pay_now,
    /// Before the list of benefits, for assistive technology.
    benefits,
    /// Before the ruled block, for assistive technology.
    summary,
    /// The buyer refuses.
    no_thanks,
    /// Accept button of a purchase: says that it obliges to pay. Gaps: `amount`.
    buy_and_pay,
    /// Accept button of a purchase that costs nothing now.
    buy_for_nothing,
    /// Accept button without a usable saved card. Gaps: `amount`.
    continue_to_checkout,
    /// In the accept button while the answer is awaited.
    paying,
    /// In the accept button while the way to the checkout is awaited.
    one_moment,
    /// In the accept button while a fresh amount is awaited.
    updating,
    /// Accept or confirm button when its amount is out of date.
    show_current_price,
    /// The promise under the amounts. Less may be collected, for instance where a day has passed since.
    no_more_than_this,
    /// Under the figure where the merchant's backend makes no quotes.
    list_price,
    /// Instead of a card.
    choose_payment_next,
    // Lines of a quote.
    /// A line for more than one. Gaps: `name`, `count`.
    times,
    /// A line for a part of a period. Gaps: `name`.
    rest_of_period,
    /// A line that gives back. Gaps: `name`.
    unused_time,
    /// A line that gives back what was paid. Gaps: `name`.
    credit_for,
    /// Tax on top.
    tax,
    /// Tax that is in the lines already.
    tax_inside,
    /// Credit spent on this charge.
    credit_used,
    /// Credit that the change brings.
    credit_granted,
    /// What comes next, tax inside. Gaps: `amount`, `per`, `date`.
    renews,
    /// What comes next, tax on top. Gaps: `amount`, `per`, `date`.
    renews_plus_tax,
    /// The card that will be charged. Gaps: `brand`, `last4`.
    paid_with,
    /// The backend names no payment method. It may have one, and it may have none.
    paid_with_unnamed,
    // Periods.
    /// A price and what it is per. Gaps: `amount`, `per`.
    price_per,
    /// A price's period of one.
    per_day,
    /// A price's period of one.
    per_week,
    /// A price's period of one.
    per_month,
    /// A price's period of one.
    per_year,
    /// A price's period of several. Gaps: `count`.
    every_days,
    /// A price's period of several. Gaps: `count`.
    every_weeks,
    /// A price's period of several. Gaps: `count`.
    every_months,
    /// A price's period of several. Gaps: `count`.
    every_years,
    // The plan comparison.
    /// Its title.
    choose_plan,
    /// Under the title. Gaps: `name`, `amount`, `per`, `date`.
    current_plan_is,
    /// The same while it is tried out. Gaps: `name`, `amount`, `per`, `date`.
    trial_is,
    /// Badge of the current plan.
    your_plan,
    /// Marks the plan to which a change is booked. Gaps: `date`.
    booked_from,
    /// Badge of the plan that the merchant recommends.
    recommended,
    /// Badge of the plan that was chosen most often.
    chosen_most,
    /// Under that badge. Gaps: `percent`, `name`, `days`.
    share,
    /// The same for a single day. Gaps: `percent`, `name`.
    share_of_a_day,
    /// Under a difference on a plan. Gaps: `price`.
    than_today,
    /// Under a price that cannot be compared.
    in_all,
    /// Under a price of another period that is cheaper over a time that both divide. Gaps: `span`, `today`, `less`.
    over_span_less,
    /// The same, dearer. Gaps: `span`, `today`, `more`.
    over_span_more,
    /// The same, as dear. Gaps: `span`, `today`.
    over_span_same,
    /// The same, and when staying has cost as much as this plan. Gaps: `compared`, `count`.
    break_even,
    /// What prices are for. Gaps: `count`.
    for_seats,
    /// How much has been used of what is limited. Gaps: `name`, `used`, `limit`, `percent`.
    used_of,
    /// How much has been used of what is not limited. Gaps: `name`, `used`.
    used,
    /// What was used gives no reason for another plan.
    plan_fits,
    /// How much of something a plan has. Gaps: `name`, `limit`.
    limit,
    /// Of what there is less of. Gaps: `what`.
    only,
    /// The same, without a limit. Gaps: `name`.
    no_limit,
    /// Warning on a plan that has less than was used. Gaps: `names`.
    not_enough,
    /// A length of time. Gaps: `count`.
    months,
    /// A length of time.
    one_year,
    /// A length of time. Gaps: `count`.
    years,
    /// Button that asks for the exact amount. Gaps: `name`.
    change_to,
    /// Button that asks for other seats and add-ons.
    adjust,
    /// Title of the dialog that asks for them. Gaps: `name`.
    adjust_title,
    /// Before the number of seats.
    seats,
    /// Under a field for a number, when what is in it is none that can be chosen. Gaps: `least`, `most`.
    whole_number,
    /// Before the numbers of add-ons.
    addons,
    /// Button that asks what the chosen numbers cost.
    show_price,
    /// Before a plan's features, for assistive technology.
    features,
    /// Before what a plan lacks.
    you_lose,
    /// Under today's plan: for how many more payments its discount holds. Gaps: `count`.
    discount_ends,
    /// Under today's plan: its discount holds for one more payment.
    discount_ends_next,
    /// Warning on a plan or an offer. Gaps: `names`.
    addons_end,
    /// Why the plan cannot be changed: for a reason that has no words of its own.
    cannot_change,
    /// Why not: the first payment is not there yet.
    not_begun,
    /// Why not: a payment failed and the plan is stopped. Gaps: `name`.
    on_hold,
    /// The same, where the amount is known. Gaps: `amount`, `name`.
    on_hold_due,
    /// As the next one, where the amount is known. Gaps: `amount`, `name`.
    past_due_due,
    /// Why not: a payment is overdue and the plan still runs. Gaps: `name`.
    past_due,
    /// Why not: it is paused. Gaps: `name`.
    paused,
    /// Why not: it is over.
    ended,
    /// The first payment failed.
    never_began,
    /// Button that leads to where another payment method is given and what is owed is paid.
    update_payment,
    /// A subscription that is cancelled. Gaps: `date`.
    ends_on,
    /// A change that is booked already. Gaps: `name`, `date`.
    change_booked,
    /// Button that takes a booked change back.
    take_back,
    /// Begins to cancel, and in the dialog does it.
    cancel_plan,
    /// Above what cancelling means. Gaps: `name`.
    cancel_title,
    /// What it means. Gaps: `name`, `date`.
    cancel_more,
    /// While it is on its way.
    cancelling,
    /// Does not cancel, or takes the cancellation back.
    keep_plan,
    /// Refuses what is proposed instead of the plan that was picked. Gaps: `name`.
    no_thanks_go_on,
    /// Refuses what is proposed instead of cancelling.
    no_thanks_cancel,
    /// Name of the comparison's region, for assistive technology.
    plans_label,
    /// While the plans are awaited.
    loading_plans,
    /// The plans did not come.
    plans_unavailable,
    /// The sentence under that title.
    plans_unavailable_more,
    /// Button.
    try_again,
    // The confirm step of a plan change.
    /// Title of the dialog. Gaps: `name`.
    confirm_change,
    /// Under the title.
    confirm_change_intro,
    /// While the preview is awaited.
    working_out,
    /// What the plan costs today. Gaps: `amount`, `per`.
    so_far,
    /// Where the change ends a trial.
    ends_trial,
    /// The amount in the seller's own currency. Gaps: `amount`.
    settled_as,
    /// When it takes effect.
    effective_now,
    /// When it takes effect.
    effective_later,
    /// When it takes effect, with the day. Gaps: `date`.
    effective_later_on,
    /// Before the choice of time.
    when,
    /// Choice.
    when_now,
    /// Choice.
    when_later,
    /// The sentence under that title.
    preview_failed,
    /// The sentence under that title.
    take_back_failed,
    /// It is cancelled.
    cancelled,
    /// It could not be cancelled.
    cancel_failed,
    /// The cancellation could not be taken back.
    keep_failed,
    /// The sentence under that title.
    card_link_failed,
    /// Button that opens the dialog of a charge again.
    show_progress,
    /// Confirm button: says that it obliges to pay. Gaps: `amount`.
    change_and_pay,
    /// Confirm button with nothing due.
    change_for_nothing,
    /// Confirm button of a change at the next billing date.
    change_later,
    /// In the confirm button while the answer is awaited.
    changing,
    /// Button that closes the dialog.
    back,
    /// Link to another payment method.
    use_another_card,
    // How it went.
    /// Title of a receipt without an amount.
    ordered,
    /// Title after a change of plan.
    plan_changed,
    /// Title after a change was booked.
    booked,
    /// Title after a booked change was taken back.
    taken_back,
    /// In a receipt.
    receipt_item,
    /// In a receipt.
    receipt_tax,
    /// In a receipt.
    receipt_card,
    /// In a receipt.
    receipt_date,
    /// In a receipt.
    receipt_reference,
    /// A card. Gaps: `brand`, `last4`.
    card_ending,
    /// Title while the bank has it.
    pending,
    /// Title while the bank waits for the buyer.
    needs_bank,
    /// Title while nobody knows.
    in_doubt,
    /// Title when nobody knows after all the time that it may take.
    in_review,
    /// The sentence under a title, with what was accepted. Gaps: `amount`.
    ordered_of,
    /// Button.
    check_again,
    /// Button to the page where the payment is completed.
    go_on_at_bank,
    /// The sentence under that title.
    busy,
    /// The sentence under that title.
    not_received,
    /// Another amount stood on the screen when the button was pressed.
    altered,
    /// Title when that happened twice.
    altered_title,
    /// The sentence under that title.
    altered_more,
    /// Under that, where the backend has a page of its own.
    altered_elsewhere,
    /// Under that, where it has none.
    altered_reload,
    /// Button to that page.
    open_own_page,
    /// Title when a basic backend has taken the order.
    order_taken,
    /// The sentence under that title.
    order_taken_more,
    /// Title when a basic backend has not taken the order.
    order_not_taken,
    /// The sentence under that title.
    order_not_taken_more,
    /// Title when a basic backend has not answered for a while.
    ordering,
    /// The sentence under that title.
    ordering_more,
    /// Title when a basic backend did not answer.
    outcome_unknown,
    /// The sentence under that title.
    outcome_unknown_more,
    /// Button that puts a message away.
    close,
    /// Title before the hosted checkout.
    to_checkout,
    /// Button to the hosted checkout.
    open_checkout,
    /// Title of a failed change.
    not_changed,
    /// Button to the hosted checkout after a failure.
    pay_another_way,
    /// Why it was not collected.
    why_declined,
    /// Why it was not collected.
    why_funds,
    /// Why it was not collected.
    why_expired_card,
    /// Why it was not collected.
    why_authentication,
    /// Why it was not collected.
    why_limit,
    /// Why it was not collected.
    why_currency,
    /// Why it was not collected.
    why_not_reusable,
    /// Why it was not collected.
    why_method,
    /// Why it was not collected.
    why_processing,
    /// Why it was not collected.
    why_cancelled,
    /// Why it was not collected, or cannot be begun.
    why_not_possible,
    /// What helps against what stands in the way for now, above the button that leads there.
    later_or_other_card,
    /// What helps against what is the card's, above the button that leads there.
    other_card_needed,
    /// Title when the quote is no longer what was shown.
    amount_changed,
    /// The sentence under that title.
    amount_changed_more,
    /// Before the old amount, for assistive technology.
    amount_before,
    /// Before the new amount, for assistive technology.
    amount_after,
    /// An offer that is over.
    offer_ended,
    /// The sentence under that title.
    offer_ended_more,
    /// The sentence under that title.
    price_lapsed,
    /// A token that is no longer good.
    session_ended,
    /// The sentence under that title.
    session_ended_more,
    ;
    // About money.
    /// Title of a receipt.
    paid only with &Receipt,
    /// In a receipt.
    receipt_paid only with &Receipt,
    /// Title of a failure.
    not_paid only with NotCharged,
    /// Under a failure, a changed amount, or a request to try again.
    nothing_charged only with NotCharged,
    /// The sentence while the bank has it.
    pending_more only with &WaitingView,
    /// The sentence while the bank waits for the buyer.
    needs_bank_more only with &WaitingView,
    /// The sentence while nobody knows.
    in_doubt_more only with &WaitingView,
    /// The sentence when nobody knows after all the time that it may take.
    in_review_more only with &WaitingView,
    /// When asking has ended without an answer.
    still_open only with &WaitingView,
}
