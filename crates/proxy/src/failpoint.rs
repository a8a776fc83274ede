//! Places at which a test may let the process "die": between a commit and what follows it, before and after a request.
//!
//! Without the feature `failpoints` nothing is compiled in. With it, a task that runs inside [`with`] stops for ever at
//! the chosen hit of the chosen place, as a process that was killed there would; the caller is told, throws the rest
//! away and starts anew on the same store. Or it waits there while the world changes around it.

/// Marks a place. Only inside async functions.
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoint::reach($name).await;
    };
    // A place that several commands pass: `claim.loaded`, `settle.loaded`.
    ($command:expr, $place:literal) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoint::reach($crate::failpoint::named($command, $place)).await;
        #[cfg(not(feature = "failpoints"))]
        let _ = $command;
    };
}

#[cfg(feature = "failpoints")]
pub use armed::{Plan, inherit, named, reach, with};

/// Without the feature a task is just a task.
#[cfg(not(feature = "failpoints"))]
pub fn inherit<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    work
}

#[cfg(feature = "failpoints")]
mod armed {
    use std::{
        collections::{BTreeMap, BTreeSet},
        future::Future,
        sync::{
            Arc, Mutex, PoisonError,
            atomic::{AtomicBool, Ordering},
        },
    };

    use tokio::sync::Notify;

    tokio::task_local! {
        static PLAN: Arc<Plan>;
    }

    /// Where to stop, and what was passed on the way.
    #[derive(Debug, Default)]
    pub struct Plan {
        stop: Option<(&'static str, u32)>,
        /// Whether stopping is for a while only.
        pauses: bool,
        hits: Mutex<BTreeMap<&'static str, u32>>,
        dead: AtomicBool,
        stopped: Notify,
        resumed: Notify,
    }

    impl Plan {
        /// Stops nowhere; only counts.
        #[must_use]
        pub fn counting() -> Arc<Self> {
            Arc::default()
        }

        /// Stops at the `nth` hit (from 1) of the place `name`.
        #[must_use]
        pub fn stopping_at(name: &'static str, nth: u32) -> Arc<Self> {
            Arc::new(Self { stop: Some((name, nth)), ..Self::default() })
        }

        /// Waits at the first hit of the place `name` until [`Plan::resume`], as a slow process does.
        #[must_use]
        pub fn pausing_at(name: &'static str) -> Arc<Self> {
            Arc::new(Self { stop: Some((name, 1)), pauses: true, ..Self::default() })
        }

        /// Lets the process go on.
        pub fn resume(&self) {
            self.resumed.notify_one();
        }

        /// Ends when the place was reached. May be awaited once, at any time.
        pub async fn stopped(&self) {
            self.stopped.notified().await;
        }

        /// How often each place was passed.
        #[must_use]
        pub fn hits(&self) -> BTreeMap<&'static str, u32> {
            self.hits.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }

        fn count(&self, name: &'static str) -> bool {
            let mut hits = self.hits.lock().unwrap_or_else(PoisonError::into_inner);
            let hit = hits.entry(name).or_default();
            *hit = hit.saturating_add(1);
            self.stop == Some((name, *hit))
        }
    }

    /// Runs `work` under `plan`. A task that it spawns is under the same plan when it is wrapped in [`inherit`].
    pub async fn with<T>(plan: Arc<Plan>, work: impl Future<Output = T>) -> T {
        PLAN.scope(plan, work).await
    }

    /// Takes the plan of the present task into a new one.
    pub fn inherit<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
        let plan = PLAN.try_with(Arc::clone).unwrap_or_default();
        PLAN.scope(plan, work)
    }

    /// Names a place in a command. Each name is made once and kept: there are few.
    #[must_use]
    pub fn named(command: &'static str, place: &'static str) -> &'static str {
        static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
        let name = format!("{command}.{place}");
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = names.get(name.as_str()) {
            return known;
        }
        let name: &'static str = Box::leak(name.into_boxed_str());
        names.insert(name);
        name
    }

    /// Called by [`failpoint!`](crate::failpoint!).
    pub async fn reach(name: &'static str) {
        let Ok(plan) = PLAN.try_with(Arc::clone) else { return };
        if plan.count(name) {
            plan.dead.store(!plan.pauses, Ordering::SeqCst);
            plan.stopped.notify_one();
            if plan.pauses {
                plan.resumed.notified().await;
            }
        }
        // Once one task has "died", no other of the same process gets past a place either.
        if plan.dead.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }
}
