//! Commits that the old primary has answered and a failover takes back.
//!
//! The primary is cut off from the other nodes and from etcd, with a client on its side of the cut. The client writes one
//! number after the other until another node is the primary; then the cut is healed, and the numbers are looked for.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use super::cluster::{Cluster, Replication};

/// Longest time until another node is the primary.
const PATIENCE: Duration = Duration::from_secs(90);

/// Commits of one measurement.
pub(super) struct Loss {
    /// Commits that the old primary answered after the cut.
    pub(super) answered: usize,
    /// Those of them that are nowhere any more.
    pub(super) lost: usize,
}

/// Cuts the primary off and counts.
pub(super) async fn measured(cluster: &Cluster, replication: Replication) -> anyhow::Result<Loss> {
    let primary = cluster.whole(replication).await?;
    cluster.sql(primary, "CREATE TABLE IF NOT EXISTS answered (number BIGINT)")?;
    cluster.cut_off(primary, true);
    let until = Instant::now() + PATIENCE;
    let mut answered = BTreeSet::new();
    for number in 0_u64.. {
        if cluster.sql(primary, &format!("INSERT INTO answered VALUES ({number})")).is_ok() {
            answered.insert(number);
        }
        if cluster.primary_beside(primary).is_some() {
            break;
        }
        anyhow::ensure!(Instant::now() < until, "no other node took over");
        tokio::task::yield_now().await;
    }
    cluster.cut_off(primary, false);
    let now = cluster.whole(replication).await?;
    let kept = cluster.sql(now, "SELECT number FROM answered")?;
    let kept: BTreeSet<u64> = kept.lines().map(|line| line.trim().parse()).collect::<Result<_, _>>()?;
    Ok(Loss { answered: answered.len(), lost: answered.difference(&kept).count() })
}
