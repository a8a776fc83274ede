//! What happens where something else writes on the page (F16, F17), and when the page is told that something is shown.

use std::collections::HashMap;

use flow::announce::{Announcement, Trouble};
use flow::offer::{self, AcceptState, Notice};
use flow::plans::{self, ConfirmState, Dialog};
use flow::{OwnPage, Screen, Tag};
use proptest::prelude::*;
use wire::{EffectiveAt, Money, Quote};

use crate::build::*;
use crate::{offer_random, offer_stage, plans_invariants, plans_stage};

/// Everything of a quote that stands on the screen.
fn on_screen(quote: &Quote) -> Quote {
    let Quote { id, expires_at, expires_in, .. } = self::quote("any", 0);
    Quote { id, expires_at, expires_in, ..quote.clone() }
}

/// A drawing of an offer: its amounts, or the list price.
fn drawn(card: &offer::OfferView) -> (Option<Quote>, Money) {
    match &card.price {
        offer::PriceView::Quoted(quote) => (Some(on_screen(quote)), card.due),
        offer::PriceView::ListPrice(_) => (None, card.due),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// F16: nothing is sent on a press while the screen says something else. The first draws anew and disarms; the second in
    /// a row ends in the message.
    #[test]
    fn f16_an_offer_on_an_altered_screen_sends_nothing(choices in offer_random::story()) {
        let mut altered = 0;
        for step in offer_random::play(&choices) {
            if offer_random::confirms(&step) && matches!(step.before, offer::View::Offer(_)) {
                altered = 0;
            }
            let offer::Event::Act { act: offer::Act::Accept, press } = &step.event else { continue };
            if press.screen == Screen::AsDrawn {
                continue;
            }
            prop_assert_eq!(offer_random::sends(&step).count(), 0);
            let offer::View::Offer(before) = &step.before else { continue };
            if before.accept != AcceptState::Ready {
                prop_assert_eq!(&step.before, &step.after);
                continue;
            }
            altered += 1;
            match &step.after {
                offer::View::Offer(after) => {
                    prop_assert_eq!(altered, 1);
                    prop_assert_eq!((after.accept, after.notice), (AcceptState::Arming, Some(Notice::Altered)));
                    prop_assert_ne!(before.drawing, after.drawing);
                    prop_assert_eq!(drawn(before), drawn(after));
                }
                offer::View::Altered(_) => {
                    prop_assert_eq!(altered, 2);
                    altered = 0;
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }

    /// The same for a plan change.
    #[test]
    fn f16_a_plan_change_on_an_altered_screen_sends_nothing(choices in plans_invariants::story()) {
        let mut altered = 0;
        for step in plans_invariants::play(&choices) {
            if plans_invariants::confirms(&step) {
                altered = 0;
            }
            let plans::Event::Act { act: plans::Act::Confirm, press } = &step.event else { continue };
            let Some(Dialog::Review(before)) = &step.before.dialog else { continue };
            if press.screen == Screen::AsDrawn {
                continue;
            }
            prop_assert_eq!(plans_invariants::sends(&step).count(), 0);
            if before.confirm != ConfirmState::Ready {
                prop_assert_eq!(&step.before, &step.after);
                continue;
            }
            altered += 1;
            match &step.after.dialog {
                Some(Dialog::Review(after)) => {
                    prop_assert_eq!(altered, 1);
                    prop_assert_eq!((after.confirm, after.altered), (ConfirmState::Arming, true));
                    prop_assert_ne!(before.drawing, after.drawing);
                    prop_assert_eq!((&before.quote, before.due), (&after.quote, after.due));
                }
                Some(Dialog::Altered(_)) => {
                    prop_assert_eq!(altered, 2);
                    altered = 0;
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }

    /// F17: what an offer's drawing says of money never changes.
    #[test]
    fn f17_other_amounts_are_another_drawing_of_the_offer(choices in offer_random::story()) {
        let mut known: HashMap<Tag, (Option<Quote>, Money)> = HashMap::new();
        for step in offer_random::play(&choices) {
            if let offer::View::Offer(card) = &step.after {
                let now = drawn(card);
                prop_assert_eq!(known.entry(card.drawing).or_insert_with(|| now.clone()), &now);
            }
        }
    }

    /// F17: neither does what a drawing in the dialog says of money and of time.
    #[test]
    fn f17_other_amounts_or_timing_are_another_drawing_in_the_dialog(choices in plans_invariants::story()) {
        let mut known: HashMap<Tag, (Quote, Money, EffectiveAt)> = HashMap::new();
        for step in plans_invariants::play(&choices) {
            if let Some(Dialog::Review(review)) = &step.after.dialog {
                let now = (on_screen(&review.quote), review.due, review.effective_at);
                prop_assert_eq!(known.entry(review.drawing).or_insert_with(|| now.clone()), &now);
            }
        }
    }
}

#[test]
fn an_offer_that_is_altered_twice_leads_to_the_backends_own_page() {
    let mut stage = offer_stage::Stage::shown(offered("o1", quote("q1", 5000)));
    stage.accept_altered(OwnPage::Elsewhere);
    assert_eq!((stage.card().accept, stage.card().notice), (AcceptState::Arming, Some(Notice::Altered)));
    stage.look().accept_altered(OwnPage::Elsewhere);
    assert_eq!(stage.view(), offer::View::Altered(OwnPage::Elsewhere));
    assert!(stage.sent().is_empty());
    assert!(matches!(
        stage.announced()[..],
        [Announcement::Shown(_), Announcement::Failed(_, Trouble::Altered)]
    ));
    stage.act(offer::Act::Accept).act(offer::Act::Continue);
    assert_eq!(stage.count(|effect| *effect == offer::Effect::OwnPage), 1);
    assert!(stage.sent().is_empty());
    stage.act(offer::Act::Dismiss);
    assert_eq!(stage.view(), offer::View::Nothing);
}

#[test]
fn a_press_on_a_true_screen_takes_the_doubt_away() {
    let mut stage = offer_stage::Stage::shown(offered("o1", quote("q1", 5000)));
    stage.accept_altered(OwnPage::Elsewhere).look().act(offer::Act::Accept);
    assert_eq!(stage.sent().len(), 1);
    stage.accepted(Err(quote_changed(quote("q2", 6000)))).look().accept_altered(OwnPage::Elsewhere);
    assert_eq!(stage.card().notice, Some(Notice::Altered));
}

/// A price that changes meanwhile is no press on a true screen.
#[test]
fn a_fresh_quote_takes_no_doubt_away() {
    let mut stage = offer_stage::Stage::shown(offered("o1", quote("q1", 5000)));
    stage.accept_altered(OwnPage::Elsewhere).wait_for(290_000);
    stage.loaded(Ok(answer(offered("o1", quote("q2", 6000))))).look().accept_altered(OwnPage::Elsewhere);
    assert_eq!(stage.view(), offer::View::Altered(OwnPage::Elsewhere));
}

#[test]
fn a_basic_backend_has_no_page_to_go_to() {
    let mut stage = offer_stage::Stage::shown(basic_backend());
    stage.accept_altered(OwnPage::Elsewhere).look().accept_altered(OwnPage::Elsewhere);
    assert_eq!(stage.view(), offer::View::Altered(OwnPage::None));
    stage.act(offer::Act::Continue);
    assert_eq!(stage.count(|effect| *effect == offer::Effect::OwnPage), 0);
    assert_eq!(stage.count(|effect| matches!(effect, offer::Effect::Remember(_))), 0, "it was not bought");
}

#[test]
fn a_plan_change_that_is_altered_twice_leads_to_the_backends_own_page() {
    let mut stage = plans_stage::Stage::reviewing();
    stage.confirm_altered(OwnPage::Elsewhere).arm().confirm_altered(OwnPage::Elsewhere);
    assert_eq!(stage.view().dialog, Some(Dialog::Altered(OwnPage::Elsewhere)));
    assert!(stage.sent().is_empty());
    stage.act(plans::Act::Continue);
    assert_eq!(stage.effects.iter().filter(|effect| **effect == plans::Effect::OwnPage).count(), 1);
    stage.act(plans::Act::CloseDialog);
    assert_eq!(stage.view().dialog, None);
}

/// The timing is switched and switched back: each is a drawing of its own, and only the last can be confirmed.
#[test]
fn each_timing_is_drawn_anew() {
    let drawing = |stage: &plans_stage::Stage| match stage.view().dialog {
        Some(Dialog::Review(review)) => (review.drawing, review.effective_at, review.due.amount),
        other => panic!("{other:?}"),
    };
    let mut stage = plans_stage::Stage::reviewing();
    let now = drawing(&stage);
    stage.act(plans::Act::Timing(EffectiveAt::NextBillingDate));
    let asked = drawing(&stage);
    stage.previewed(Ok(preview("pro", quote("q2", 0))));
    let later = drawing(&stage);
    stage.act(plans::Act::Timing(EffectiveAt::Immediately)).previewed(Ok(preview("pro", quote("q3", 5000))));
    let again = drawing(&stage);
    assert_eq!((later.2, again.2), (0, 5000));
    for (one, other) in [(now, asked), (asked, later), (later, again), (now, again)] {
        assert_ne!(one.0, other.0);
    }
}

/// What nobody can see is not shown: the page hears of it with the look that the backend counts, and once.
#[test]
fn shown_is_said_once_it_was_really_visible() {
    let shown = |announced: &Announcement| matches!(announced, Announcement::Shown(_));
    let mut stage = offer_stage::Stage::opened(offered("o1", quote("q1", 5000)));
    assert!(stage.announced().is_empty());
    stage.look();
    assert_eq!(stage.announced().iter().filter(|announced| shown(announced)).count(), 1);
    stage.wait_for(290_000).loaded(Ok(answer(offered("o1", quote("q2", 6000))))).look();
    assert_eq!(
        stage.announced().iter().filter(|announced| shown(announced)).count(),
        1,
        "it is the same offer"
    );

    let mut stage = plans_stage::Stage::empty();
    stage.happen(plans::Event::Start(Some(Box::new(plans()))));
    assert!(stage.announced().is_empty());
    stage.look().look();
    assert_eq!(stage.announced().iter().filter(|announced| shown(announced)).count(), 1);
}
