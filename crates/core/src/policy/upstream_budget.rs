//! How many requests may go to Dodo, and whose turn it is when they run low. Pure: the time is handed in.
//!
//! Dodo counts the requests of a business in two windows, a second and a minute, and does not say where they begin. Here
//! the windows slide, so that none of Dodo's, wherever it begins, sees more than its limit. Lower priorities stop while
//! there is still room for the higher ones; only charges may use the last of it, and they always may.
//!
//! Nobody's pages may use up what is there for everybody's (I23): of what is asked for somebody, their token, they themselves
//! and their address have a [share] each. What the merchant's server asks is nobody's, and goes before all pages.
//!
//! What Dodo's headers say is left is believed where it is less than counted here: others use the same quota. It holds
//! back everything but charges, since nothing about those headers is promised.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    time::Duration,
};

use dodo_client::{Priority, RateLimit, ids::CustomerId, quota::Refused};

use crate::domain::TokenHash;

/// Limits of the two windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Requests in a second.
    pub per_second: u32,
    /// Requests in a minute.
    pub per_minute: u32,
}

impl Quota {
    /// What Dodo allows a business by default.
    pub const DEFAULT: Self = Self { per_second: 40, per_minute: 240 };
    /// The least that leaves something for every priority.
    pub const LEAST: Self = Self { per_second: 6, per_minute: 24 };

    fn of(self, window: Window) -> u32 {
        match window {
            Window::Second => self.per_second,
            Window::Minute => self.per_minute,
        }
    }
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// For bursts.
    Second,
    /// For the rest.
    Minute,
}

impl Window {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Second, Self::Minute];

    /// A little longer than Dodo's: requests do not travel equally fast, and may arrive closer together than they left.
    const fn length(self) -> Duration {
        match self {
            Self::Second => Duration::from_millis(1100),
            Self::Minute => Duration::from_secs(61),
        }
    }
}

/// While room that is kept is in the way: ask again after so long.
const A_WHILE: Duration = Duration::from_secs(1);
/// A 429 that does not say for how long.
const AFTER_REFUSAL: Duration = Duration::from_secs(5);
/// Nothing that Dodo says holds for longer than its longest window.
const BELIEVED_FOR: Duration = Duration::from_secs(60);

/// What of a limit is left alone by requests of a priority. In sixths: two thirds by refreshing, half by buyers' pages, a third
/// by the merchant's server, a sixth by looking up.
fn reserve(priority: Priority, limit: u32) -> u32 {
    let sixths = match priority {
        Priority::Refresh => 4,
        Priority::Interactive => 3,
        Priority::Merchant => 2,
        Priority::LookUp => 1,
        Priority::Charge => 0,
    };
    limit.saturating_mul(sixths).div_ceil(6)
}

/// Somebody for whom Dodo is asked. A request may be for several: a token, its buyer, and the address they come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Claimant {
    /// A session.
    Token(TokenHash),
    /// A customer, with however many sessions.
    Buyer(CustomerId),
    /// Whoever comes from there, with a token or without one.
    Address(IpAddr),
}

/// How many of a minute's requests may be for one claimant: an eighth for a token, a sixth for a buyer, a quarter for an
/// address, which may be that of many buyers. Twice as many where somebody is about to pay, so that who has looked at much
/// can still buy.
fn share(claimant: &Claimant, priority: Priority, per_minute: u32) -> u32 {
    let part = match claimant {
        Claimant::Token(_) => 8,
        Claimant::Buyer(_) => 6,
        Claimant::Address(_) => 4,
    };
    let share = per_minute.div_ceil(part);
    if priority == Priority::Charge { share.saturating_mul(2) } else { share }
}

/// A request that left.
#[derive(Debug)]
struct Sent {
    at: Duration,
    claimants: Box<[Claimant]>,
}

/// What Dodo said is left.
#[derive(Clone, Copy, Debug)]
struct Reported {
    left: u32,
    limit: u32,
    until: Duration,
}

/// The requests of the last minute. Times are counted from any one moment and do not go back.
#[derive(Debug)]
pub struct Budget {
    quota: Quota,
    /// The oldest first.
    sent: VecDeque<Sent>,
    /// How many of them were for each.
    claimed: HashMap<Claimant, u32>,
    /// Charges that will leave in a moment.
    kept: u32,
    reported: Option<Reported>,
}

impl Budget {
    /// Nothing sent yet.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self { quota, sent: VecDeque::new(), claimed: HashMap::new(), kept: 0, reported: None }
    }

    /// Takes room for a request of nobody's that leaves now.
    ///
    /// # Errors
    /// How long until it is worth asking again; never zero.
    pub fn take(&mut self, now: Duration, priority: Priority) -> Result<(), Duration> {
        self.take_for(now, priority, &[])
    }

    /// Takes room for a request that leaves now for these claimants.
    ///
    /// # Errors
    /// How long until it is worth asking again; never zero.
    pub fn take_for(
        &mut self,
        now: Duration,
        priority: Priority,
        claimants: &[Claimant],
    ) -> Result<(), Duration> {
        let room = self.ask(now, priority);
        let share = self.ask_share(now, priority, claimants);
        match (room, share) {
            (Ok(()), Ok(())) => {
                self.count(now, claimants);
                Ok(())
            }
            (room, share) => Err(room.err().max(share.err()).unwrap_or(A_WHILE)),
        }
    }

    /// Keeps room for a charge that leaves in a moment.
    ///
    /// # Errors
    /// How long until it is worth asking again; never zero.
    pub fn keep(&mut self, now: Duration) -> Result<(), Duration> {
        self.ask(now, Priority::Charge)?;
        self.kept = self.kept.saturating_add(1);
        Ok(())
    }

    /// A charge leaves for which room was kept.
    pub fn spend_kept(&mut self, now: Duration) {
        self.give_back();
        self.forget(now);
        self.count(now, &[]);
    }

    /// A charge does not leave after all.
    pub fn give_back(&mut self) {
        self.kept = self.kept.saturating_sub(1);
    }

    /// Notes what an answer said of the quota.
    pub fn learn(&mut self, now: Duration, said: RateLimit, refused: Option<Refused>) {
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let limit = said.limit.map(small).filter(|limit| *limit > 0);
        let (left, limit, pause) = match (refused, limit, said.remaining) {
            (Some(refused), limit, _) => {
                let pause = refused.retry_after.or_else(|| seconds(said.reset)).unwrap_or(AFTER_REFUSAL);
                (0, limit.unwrap_or(1), pause)
            }
            (None, Some(limit), Some(left)) => {
                let pause = seconds(said.reset).unwrap_or_else(|| self.window_of(limit).length());
                (small(left), limit, pause)
            }
            (None, _, _) => return,
        };
        let until = now.saturating_add(pause.min(BELIEVED_FOR));
        self.reported = Some(Reported { left, limit, until });
    }

    /// How many requests a charge could still make in a window.
    pub fn remaining(&mut self, now: Duration, window: Window) -> u32 {
        self.forget(now);
        let own = self.quota.of(window).saturating_sub(self.used(now, window)).saturating_sub(self.kept);
        match self.reported {
            Some(reported) if self.window_of(reported.limit) == window => own.min(reported.left),
            _ => own,
        }
    }

    /// How long until a request may leave; `Ok` when at once.
    fn ask(&mut self, now: Duration, priority: Priority) -> Result<(), Duration> {
        self.forget(now);
        let own = Window::ALL.into_iter().filter_map(|window| self.wait(now, priority, window)).max();
        match own.max(self.told_to_wait(now, priority)) {
            None => Ok(()),
            Some(wait) => Err(wait.max(Duration::from_millis(1))),
        }
    }

    /// How long the shares of its claimants keep a request waiting; `Ok` when they do not.
    fn ask_share(&self, now: Duration, priority: Priority, claimants: &[Claimant]) -> Result<(), Duration> {
        let wait = claimants.iter().filter_map(|claimant| {
            let share = share(claimant, priority, self.quota.per_minute);
            let used = self.claimed.get(claimant).copied().unwrap_or(0);
            let too_many = used.saturating_add(1).checked_sub(share).filter(|excess| *excess > 0)?;
            // So many of its oldest have to leave the window.
            let mut theirs = self.sent.iter().filter(|sent| sent.claimants.contains(claimant));
            let last = theirs.nth(to_index(too_many).saturating_sub(1))?;
            Some(last.at.saturating_add(Window::Minute.length()).saturating_sub(now))
        });
        wait.max().map_or(Ok(()), |wait| Err(wait.max(Duration::from_millis(1))))
    }

    /// How long a window keeps a request waiting.
    fn wait(&self, now: Duration, priority: Priority, window: Window) -> Option<Duration> {
        let limit = self.quota.of(window);
        let open = limit.saturating_sub(reserve(priority, limit));
        let used = self.used(now, window);
        let wanted = used.saturating_add(self.kept).saturating_add(1);
        let too_many = wanted.checked_sub(open).filter(|excess| *excess > 0)?;
        let until_leaves = |sent: &Sent| sent.at.saturating_add(window.length()).saturating_sub(now);
        if too_many > used {
            // Kept room is in the way, even when all that was sent has left the window.
            return Some(self.sent.back().map_or(A_WHILE, until_leaves).max(A_WHILE));
        }
        // So many of the oldest have to leave it.
        let oldest = self.sent.len().saturating_sub(to_index(used));
        let last = oldest.saturating_add(to_index(too_many)).saturating_sub(1);
        self.sent.get(last).map(until_leaves)
    }

    /// How long what Dodo said keeps a request waiting.
    fn told_to_wait(&self, now: Duration, priority: Priority) -> Option<Duration> {
        let reported = self.reported.filter(|_| priority != Priority::Charge)?;
        let short = reported.left <= reserve(priority, reported.limit);
        short.then(|| reported.until.saturating_sub(now))
    }

    fn used(&self, now: Duration, window: Window) -> u32 {
        let gone = self.sent.partition_point(|sent| sent.at.saturating_add(window.length()) <= now);
        u32::try_from(self.sent.len().saturating_sub(gone)).unwrap_or(u32::MAX)
    }

    fn count(&mut self, now: Duration, claimants: &[Claimant]) {
        for claimant in claimants {
            let claimed = self.claimed.entry(claimant.clone()).or_default();
            *claimed = claimed.saturating_add(1);
        }
        self.sent.push_back(Sent { at: now, claimants: claimants.into() });
        if let Some(reported) = &mut self.reported {
            reported.left = reported.left.saturating_sub(1);
        }
    }

    /// Drops what counts no more.
    fn forget(&mut self, now: Duration) {
        let is_over = |sent: &mut Sent| sent.at.saturating_add(Window::Minute.length()) <= now;
        while let Some(sent) = self.sent.pop_front_if(is_over) {
            for claimant in &sent.claimants {
                if let Some(claimed) = self.claimed.get_mut(claimant) {
                    *claimed = claimed.saturating_sub(1);
                    if *claimed == 0 {
                        self.claimed.remove(claimant);
                    }
                }
            }
        }
        self.reported = self.reported.filter(|reported| reported.until > now);
    }

    /// Dodo does not say which window its headers are about: the one whose limit is nearer.
    fn window_of(&self, limit: u32) -> Window {
        let times = |ours: u32| limit.max(ours).checked_div(limit.min(ours)).unwrap_or(u32::MAX);
        if times(self.quota.per_second) < times(self.quota.per_minute) {
            Window::Second
        } else {
            Window::Minute
        }
    }
}

/// A reset is taken for seconds where it can be. Dodo documents no unit.
fn seconds(reset: Option<u64>) -> Option<Duration> {
    reset.filter(|reset| (1..=BELIEVED_FOR.as_secs()).contains(reset)).map(Duration::from_secs)
}

fn to_index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
#[path = "upstream_budget_tests.rs"]
mod tests;
