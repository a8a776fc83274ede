//! The budget: never more than the quota in any window, and the last of it for charges.

use proptest::prelude::*;

use super::*;

const SMALL: Quota = Quota { per_second: 6, per_minute: 24 };

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn told(limit: u64, remaining: u64, reset: Option<u64>) -> RateLimit {
    RateLimit { limit: Some(limit), remaining: Some(remaining), reset }
}

/// How many requests of a priority in a row get room.
fn drain(budget: &mut Budget, now: Duration, priority: Priority) -> u32 {
    let mut taken = 0;
    while budget.take(now, priority).is_ok() {
        taken += 1;
    }
    taken
}

#[test]
fn each_priority_leaves_room_for_those_above_it() {
    let mut budget = Budget::new(Quota { per_second: 1000, per_minute: 240 });
    assert_eq!(drain(&mut budget, ms(0), Priority::Refresh), 80);
    assert_eq!(drain(&mut budget, ms(0), Priority::Interactive), 40);
    assert_eq!(drain(&mut budget, ms(0), Priority::Merchant), 40);
    assert_eq!(drain(&mut budget, ms(0), Priority::LookUp), 40);
    assert_eq!(drain(&mut budget, ms(0), Priority::Charge), 40);
    assert_eq!(budget.remaining(ms(0), Window::Minute), 0);
}

fn address(last: u8) -> Claimant {
    Claimant::Address([203, 0, 113, last].into())
}

/// A buyer's session, at an address of their own.
fn session(buyer: u8, token: u8) -> [Claimant; 3] {
    let customer = CustomerId::parse(format!("cus_{buyer}")).unwrap();
    [Claimant::Token(TokenHash([token; 32])), Claimant::Buyer(customer), address(buyer)]
}

/// How many requests of somebody's in a row get room.
fn drain_for(budget: &mut Budget, now: Duration, priority: Priority, claimants: &[Claimant]) -> u32 {
    let mut taken = 0;
    while budget.take_for(now, priority, claimants).is_ok() {
        taken += 1;
    }
    taken
}

/// I23. With a second's limit out of the way.
#[test]
fn each_claimant_has_a_share() {
    let mut budget = Budget::new(Quota { per_second: 1000, per_minute: 240 });
    let pages = Priority::Interactive;
    assert_eq!(drain_for(&mut budget, ms(0), pages, &session(1, 1)), 30, "a token");
    assert_eq!(drain_for(&mut budget, ms(0), pages, &session(1, 2)), 10, "its buyer, with another token");
    assert_eq!(drain_for(&mut budget, ms(0), pages, &[address(1)]), 20, "their address, without a token");
    assert_eq!(drain_for(&mut budget, ms(0), pages, &session(2, 3)), 30, "somebody else");
    assert_eq!(drain_for(&mut budget, ms(0), Priority::Charge, &session(1, 1)), 30, "to pay");
}

/// I23.
#[test]
fn a_share_comes_back_as_its_requests_leave_the_minute() {
    let mut budget = Budget::new(Quota { per_second: 1000, per_minute: 240 });
    let greedy = session(1, 1);
    for at in 0..30 {
        budget.take_for(ms(at * 100), Priority::Interactive, &greedy).unwrap();
    }
    assert_eq!(budget.take_for(ms(3000), Priority::Interactive, &greedy), Err(ms(58_000)));
    assert!(budget.take_for(ms(61_000), Priority::Interactive, &greedy).is_ok());
    assert_eq!(budget.take_for(ms(61_000), Priority::Interactive, &greedy), Err(ms(100)));
    drain_for(&mut budget, ms(600_000), Priority::Interactive, &[]);
    assert!(budget.claimed.is_empty(), "nobody is remembered for longer: {:?}", budget.claimed);
}

#[test]
fn the_least_quota_leaves_something_for_everybody() {
    for priority in Priority::ALL {
        assert!(Budget::new(Quota::LEAST).take(ms(0), priority).is_ok(), "{priority:?}");
    }
}

#[test]
fn a_burst_waits_for_the_next_second() {
    let mut budget = Budget::new(SMALL);
    assert_eq!(drain(&mut budget, ms(500), Priority::Charge), 6);
    assert_eq!(budget.take(ms(700), Priority::Charge), Err(ms(900)));
    assert_eq!(drain(&mut budget, ms(1600), Priority::Charge), 6);
}

#[test]
fn room_that_is_kept_counts_until_it_is_given_back() {
    let mut budget = Budget::new(SMALL);
    for _ in 0..6 {
        budget.keep(ms(0)).unwrap();
    }
    assert!(budget.keep(ms(0)).is_err());
    // Not even time frees it: the charge may leave at any moment.
    assert!(budget.take(ms(120_000), Priority::Charge).is_err());
    budget.give_back();
    assert!(budget.take(ms(120_000), Priority::Charge).is_ok());
    budget.spend_kept(ms(120_000));
    assert_eq!(budget.remaining(ms(120_000), Window::Second), 0);
    assert_eq!(budget.remaining(ms(121_100), Window::Second), 2, "four are still kept");
}

#[test]
fn what_others_use_up_is_believed_for_as_long_as_dodo_says() {
    let mut budget = Budget::new(Quota::DEFAULT);
    budget.learn(ms(0), told(240, 80, Some(30)), None);
    assert_eq!(budget.take(ms(0), Priority::Interactive), Err(ms(30_000)));
    assert_eq!(budget.remaining(ms(0), Window::Minute), 80);
    assert!(budget.take(ms(0), Priority::LookUp).is_ok());
    assert_eq!(budget.remaining(ms(0), Window::Minute), 79);
    assert!(budget.take(ms(30_000), Priority::Interactive).is_ok());
}

#[test]
fn a_reset_of_no_known_unit_is_taken_for_the_window_of_that_limit() {
    let mut budget = Budget::new(Quota::DEFAULT);
    budget.learn(ms(0), told(40, 0, Some(1_768_521_600)), None);
    assert_eq!(budget.take(ms(0), Priority::Interactive), Err(ms(1100)));
    budget.learn(ms(0), told(240, 0, None), None);
    assert_eq!(budget.take(ms(0), Priority::Interactive), Err(ms(60_000)));
}

#[test]
fn a_refusal_without_a_word_stops_all_but_charges_for_a_moment() {
    let mut budget = Budget::new(Quota::DEFAULT);
    budget.learn(ms(0), RateLimit::default(), Some(Refused { retry_after: None }));
    assert_eq!(budget.take(ms(0), Priority::LookUp), Err(ms(5000)));
    assert!(budget.take(ms(0), Priority::Charge).is_ok());
    assert!(budget.take(ms(5000), Priority::Interactive).is_ok());
    let for_an_hour = Some(Refused { retry_after: Some(Duration::from_secs(3600)) });
    budget.learn(ms(5000), RateLimit::default(), for_an_hour);
    assert_eq!(budget.take(ms(5000), Priority::LookUp), Err(ms(60_000)));
}

#[test]
fn answers_without_headers_teach_nothing() {
    let mut budget = Budget::new(Quota::DEFAULT);
    for said in [
        RateLimit::default(),
        RateLimit { remaining: Some(0), ..RateLimit::default() },
        RateLimit { limit: Some(0), remaining: Some(0), reset: Some(9) },
    ] {
        budget.learn(ms(0), said, None);
        assert!(budget.take(ms(0), Priority::Refresh).is_ok(), "{said:?}");
    }
}

/// Something that happens to a budget.
#[derive(Clone, Copy, Debug)]
enum Step {
    Pass(u64),
    Take(Priority),
    Keep,
    Spend,
    GiveBack,
    Learn(u64, u64, Option<u64>),
    Refused,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => prop_oneof![0_u64..400, 0_u64..30_000].prop_map(Step::Pass),
        6 => prop::sample::select(&Priority::ALL[..]).prop_map(Step::Take),
        2 => Just(Step::Keep),
        2 => Just(Step::Spend),
        1 => Just(Step::GiveBack),
        1 => (0_u64..50, 0_u64..50, prop::option::of(0_u64..100)).prop_map(|(l, r, t)| Step::Learn(l, r, t)),
        1 => Just(Step::Refused),
    ]
}

/// A budget next to a plain list of what left.
struct Watched {
    budget: Budget,
    now: Duration,
    kept: u32,
    sent: Vec<Duration>,
}

impl Watched {
    fn new() -> Self {
        Self { budget: Budget::new(SMALL), now: Duration::ZERO, kept: 0, sent: Vec::new() }
    }

    fn used(&self, window: Duration) -> u32 {
        let recent = self.sent.iter().filter(|sent| **sent + window > self.now).count();
        u32::try_from(recent).unwrap()
    }

    fn is_full(&self) -> bool {
        self.used(Window::Second.length()) + self.kept >= SMALL.per_second
            || self.used(Window::Minute.length()) + self.kept >= SMALL.per_minute
    }

    fn play(&mut self, step: Step) {
        match step {
            Step::Pass(millis) => self.now += ms(millis),
            Step::Take(priority) => {
                if self.budget.take(self.now, priority).is_ok() {
                    self.sent.push(self.now);
                }
            }
            Step::Keep => self.kept += u32::from(self.budget.keep(self.now).is_ok()),
            Step::Spend if self.kept > 0 => {
                self.kept -= 1;
                self.budget.spend_kept(self.now);
                self.sent.push(self.now);
            }
            Step::GiveBack if self.kept > 0 => {
                self.kept -= 1;
                self.budget.give_back();
            }
            Step::Spend | Step::GiveBack => {}
            Step::Learn(limit, left, reset) => self.budget.learn(self.now, told(limit, left, reset), None),
            Step::Refused => {
                self.budget.learn(self.now, RateLimit::default(), Some(Refused { retry_after: None }));
            }
        }
    }
}

proptest! {
    /// I23: whatever two greedy buyers do, with as many tokens as they like, a page of somebody else's opens once the burst of
    /// the second is over, and the merchant's server is answered.
    #[test]
    fn nobody_starves(
        asked in prop::collection::vec((0_u8..2, any::<u8>(), 0_u64..300), 0..600),
        quota in prop::sample::select(vec![Quota::LEAST, SMALL, Quota::DEFAULT]),
    ) {
        let (mut budget, mut now) = (Budget::new(quota), Duration::ZERO);
        for (buyer, token, pause) in asked {
            now += ms(pause);
            let _ = budget.take_for(now, Priority::Interactive, &session(buyer, token));
        }
        let honest = session(7, 7);
        if let Err(wait) = budget.take_for(now, Priority::Interactive, &honest) {
            prop_assert!(wait <= Window::Second.length(), "a page waits for {wait:?}");
            prop_assert!(budget.take_for(now + wait, Priority::Interactive, &honest).is_ok());
        }
        let merchant = budget.take(now, Priority::Merchant).err().unwrap_or_default();
        prop_assert!(merchant <= Window::Second.length(), "the merchant's server waits for {merchant:?}");
    }

    /// I23.
    #[test]
    fn nobody_gets_more_than_a_share(asked in prop::collection::vec((0_u8..3, 0_u8..6, 0_u64..3000), 0..400)) {
        let (mut budget, mut now) = (Budget::new(Quota::DEFAULT), Duration::ZERO);
        let mut left: Vec<(Duration, [Claimant; 3])> = Vec::new();
        for (buyer, token, pause) in asked {
            now += ms(pause);
            let claimants = session(buyer, token);
            if budget.take_for(now, Priority::Interactive, &claimants).is_ok() {
                left.push((now, claimants));
            }
        }
        for (start, claimants) in &left {
            for claimant in claimants {
                let minute = *start..*start + ms(60_000);
                let theirs = left.iter().filter(|(at, of)| minute.contains(at) && of.contains(claimant)).count();
                let most = share(claimant, Priority::Interactive, Quota::DEFAULT.per_minute);
                prop_assert!(theirs <= usize::try_from(most).unwrap(), "{claimant:?}: {theirs}");
            }
        }
    }

    /// Wherever Dodo's windows begin.
    #[test]
    fn no_window_ever_sees_more_than_its_quota(steps in prop::collection::vec(step(), 1..400)) {
        let mut watched = Watched::new();
        for step in steps {
            watched.play(step);
        }
        for (length, limit) in [(ms(1000), SMALL.per_second), (ms(60_000), SMALL.per_minute)] {
            for (index, start) in watched.sent.iter().enumerate() {
                let in_window = watched.sent[index..].iter().take_while(|sent| **sent < *start + length).count();
                prop_assert!(in_window <= usize::try_from(limit).unwrap(), "{in_window} within {length:?}");
            }
        }
    }

    /// Whatever else drew on the quota, and whatever the headers say.
    #[test]
    fn a_charge_is_let_through_while_there_is_any_room(steps in prop::collection::vec(step(), 1..200)) {
        let mut watched = Watched::new();
        for step in steps {
            let room = !watched.is_full();
            let before = watched.sent.len();
            watched.play(step);
            if matches!(step, Step::Take(Priority::Charge)) {
                prop_assert_eq!(watched.sent.len() > before, room);
            }
        }
    }

    #[test]
    fn whoever_is_more_important_is_never_held_back_alone(steps in prop::collection::vec(step(), 1..200)) {
        let mut watched = Watched::new();
        for step in steps {
            watched.play(step);
            let waits = Priority::ALL.map(|priority| watched.budget.ask(watched.now, priority).err());
            prop_assert!(waits.is_sorted_by(|lower, higher| lower >= higher), "{waits:?}");
        }
    }

    #[test]
    fn whoever_waits_as_long_as_told_is_let_through(
        steps in prop::collection::vec(step(), 1..200),
        priority in prop::sample::select(&Priority::ALL[..]),
    ) {
        let mut watched = Watched::new();
        for step in steps {
            watched.play(step);
        }
        while watched.kept > 0 {
            watched.play(Step::GiveBack);
        }
        if let Err(wait) = watched.budget.take(watched.now, priority) {
            prop_assert!(wait <= Window::Minute.length());
            prop_assert!(watched.budget.take(watched.now + wait, priority).is_ok());
        }
    }
}
