//! Every service and every background worker over the same parts, put together in this one place.

use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use secrecy::SecretString;
use tokio_util::task::TaskTracker;
use upsell_core::{policy::retention::Periods, rules::Rules};
use wire::UnixSeconds;

use super::{
    Services,
    accepting::Accepting,
    catalogue::Catalogue,
    catching_up::CatchingUp,
    charging::{self, Charging},
    confirming::Confirming,
    forgetting::Forgetting,
    offers::{self, Offers},
    plans::{Chosen, Plans, Previews},
    purchases::Purchases,
    quoting::Quoting,
    reconciler::Reconciler,
    refunds::Refunds,
    resolving::Resolving,
    restoring::Restoring,
    retaining::Retaining,
    sessions::Sessions,
    signing_keys::SigningKeys,
    webhooks::Webhooks,
};
use crate::{
    clock::Clock, forgotten_list::ForgottenList, gateway::Gateway, store::Store, upstream::UpstreamBudget,
    webhook_signature::WebhookKey,
};

/// Everything that differs from one process to another.
pub struct Parts {
    /// The journal.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Dodo.
    pub gateway: Gateway,
    /// The merchant's rules.
    pub rules: Arc<Rules>,
    /// What the merchant's server proves itself with.
    pub merchant_key: SecretString,
    /// Keys that webhooks may be signed with.
    pub webhook_keys: Vec<WebhookKey>,
    /// Tracker of the charges in progress, awaited at shutdown.
    pub tasks: TaskTracker,
    /// Quota at Dodo, for its gauges.
    pub upstream: Arc<UpstreamBudget>,
    /// Moment of the backup that the store was restored from, if one was named.
    pub restored_at: Option<UnixSeconds>,
    /// Periods for which rows are kept.
    pub periods: Periods,
    /// The merchant's system takes notifications.
    pub notifies: bool,
    /// The list of who was forgotten, where there is one beside the store.
    pub forgotten_list: Option<ForgottenList>,
    /// How long a request for a session waits for Dodo at most.
    pub session_wait: Duration,
}

/// Background workers. None of them runs before it is started.
pub struct Workers {
    /// Looks up what became of charges.
    pub reconciler: Arc<Reconciler>,
    /// Sends refunds that the merchant's rules order.
    pub refunds: Refunds,
    /// Rebuilds what a store has lost.
    pub restoring: Restoring,
    /// Deletes what is not needed any more.
    pub retaining: Retaining,
    /// Catches up on what webhooks did not tell.
    pub catching_up: CatchingUp,
}

impl Services {
    /// Assembles all services and workers. The gate is open; a caller that has not compared the store with Dodo closes it
    /// before it serves anybody.
    #[must_use]
    pub fn assemble(parts: Parts) -> (Arc<Self>, Workers) {
        let Parts {
            store,
            clock,
            gateway,
            rules,
            merchant_key,
            webhook_keys,
            tasks,
            upstream,
            restored_at,
            session_wait,
            ..
        } = parts;
        let (periods, list, notifies) = (parts.periods, parts.forgotten_list, parts.notifies);
        let catalogue = Catalogue::new(gateway.clone());
        let purchases = Purchases::new(
            Arc::clone(&store),
            Arc::clone(&clock),
            gateway.clone(),
            catalogue.clone(),
            periods.purchases,
        );
        let quoting = Arc::new(Quoting::new(
            Arc::clone(&store),
            Arc::clone(&clock),
            gateway.clone(),
            catalogue.clone(),
        ));
        let charging = Arc::new(Charging::new(charging::Parts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            gateway: gateway.clone(),
            catalogue: catalogue.clone(),
            quoting: Arc::clone(&quoting),
            tasks,
            money: rules.money,
        }));
        let offers = Arc::new(Offers::new(offers::Parts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            rules: Arc::clone(&rules),
            catalogue: catalogue.clone(),
            purchases: purchases.clone(),
            quoting: Arc::clone(&quoting),
            charging: Arc::clone(&charging),
            secret: merchant_key.clone(),
            period: periods.offers,
        }));
        let reconciler = Arc::new(Reconciler::new(
            Arc::clone(&store),
            Arc::clone(&clock),
            gateway.clone(),
            Arc::clone(&charging),
            rules.waiting,
        ));
        let forgetting = Arc::new(Forgetting {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            catalogue: catalogue.clone(),
            charging: Arc::clone(&charging),
            reconciler: Arc::clone(&reconciler),
            list,
        });
        let workers = Workers {
            reconciler,
            refunds: Refunds::new(
                Arc::clone(&store),
                Arc::clone(&clock),
                gateway.clone(),
                Arc::clone(&charging),
            ),
            restoring: Restoring::new(
                Arc::clone(&store),
                Arc::clone(&clock),
                gateway.clone(),
                Arc::clone(&charging),
                Arc::clone(&forgetting),
                restored_at,
            ),
            retaining: Retaining {
                store: Arc::clone(&store),
                clock: Arc::clone(&clock),
                periods,
                notifies,
                forgetting: Arc::clone(&forgetting),
            },
            catching_up: CatchingUp::new(
                Arc::clone(&store),
                Arc::clone(&clock),
                gateway.clone(),
                Arc::clone(&charging),
                purchases.clone(),
            ),
        };
        let services = Self {
            sessions: Sessions {
                store: Arc::clone(&store),
                clock: Arc::clone(&clock),
                rules: Arc::clone(&rules),
                gateway: gateway.clone(),
                purchases: purchases.clone(),
                confirming: Arc::new(Confirming::new(
                    Arc::clone(&store),
                    gateway.clone(),
                    catalogue.clone(),
                    purchases.clone(),
                    Arc::clone(&offers),
                )),
                patience: session_wait,
                merchant_key,
            },
            plans: Plans {
                clock: Arc::clone(&clock),
                rules,
                catalogue: catalogue.clone(),
                store: Arc::clone(&store),
                charging: Arc::clone(&charging),
                offers: Arc::clone(&offers),
                quoting: Arc::clone(&quoting),
                gateway,
                chosen: Chosen::default(),
                previews: Previews::default(),
            },
            resolving: Resolving { store: Arc::clone(&store), clock: Arc::clone(&clock) },
            forgetting,
            signing_keys: SigningKeys { store: Arc::clone(&store), clock: Arc::clone(&clock) },
            webhooks: Webhooks {
                store: Arc::clone(&store),
                clock,
                keys: webhook_keys,
                catalogue: catalogue.clone(),
                purchases,
                charging: Arc::clone(&charging),
                noted: AtomicI64::new(0),
            },
            accepting: Accepting {
                store: Arc::clone(&store),
                offers: Arc::clone(&offers),
                catalogue: catalogue.clone(),
                charging: Arc::clone(&charging),
            },
            offers,
            charging,
            quoting,
            catalogue,
            upstream,
            store,
        };
        (Arc::new(services), workers)
    }
}
