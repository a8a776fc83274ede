//! Faults on demand: which requests they hit and what becomes of those.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Nothing listens for `delay_ms` (default 1000). Hits every path, and the control plane with it.
    ConnectRefused,
    /// The connection is reset (RST).
    Reset,
    /// No answer, ever; the connection stays open.
    Hang,
    /// The answer comes byte by byte, `delay_ms` apart (default 50).
    SlowDrip,
    /// This status and an error body.
    Status(u16),
    /// Half of the answer's body, then the connection ends.
    TruncatedBody,
    /// HTML under a 200.
    NonJsonBody,
    /// A 200 without a body.
    Empty200,
    /// The ordinary answer, `delay_ms` late.
    Delay,
}

/// Whether the request has had its effect when the fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Nothing has happened.
    Before,
    /// Everything has happened.
    After,
}

/// A fault to set, as on the control plane.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewFault {
    /// Method to hit; any when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// Path to hit; `*` stands for one segment, a last `**` for any rest. A parameter may follow, as in
    /// `/payments?customer_id=cus_1`. Absent: any path.
    #[serde(default)]
    pub path: Option<String>,
    /// `reset_before`, `timeout_after`, `status_500`, `{"status": 502, "before": false}`, …
    pub kind: Value,
    /// How many requests are hit; all until the faults are deleted when absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// How many matching requests pass first.
    #[serde(default)]
    pub skip: u32,
    /// Wait before the fault strikes; for some kinds its pace or length.
    #[serde(default)]
    pub delay_ms: Option<u64>,
    /// Value of a `Retry-After` header, in seconds.
    #[serde(default)]
    pub retry_after: Option<u64>,
    /// Body to send instead of the fault's own.
    #[serde(default)]
    pub body: Option<Value>,
}

/// A fault that is set.
#[derive(Debug, Clone, Serialize)]
pub struct Fault {
    /// Name for the ledger.
    pub name: String,
    /// Method that is hit.
    pub method: Option<String>,
    /// Pattern that is hit.
    pub path: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// Before or after the request takes effect.
    pub when: When,
    /// Hits that are left; unlimited when `None`.
    pub times: Option<u32>,
    /// Passes that are left.
    pub skip: u32,
    /// Wait, pace or length.
    pub delay_ms: Option<u64>,
    /// `Retry-After`.
    pub retry_after: Option<u64>,
    /// Body instead of the fault's own.
    pub body: Option<Value>,
}

/// A fault that cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such fault: {0}")]
pub struct UnknownFault(String);

impl Fault {
    /// Reads the kind and fills in what is not said.
    ///
    /// # Errors
    /// The kind is not one of the known ones.
    pub fn new(new: NewFault) -> Result<Self, UnknownFault> {
        let (kind, when) = parse_kind(&new.kind).ok_or_else(|| UnknownFault(new.kind.to_string()))?;
        let name = match &new.kind {
            Value::String(name) => name.clone(),
            other => other.to_string(),
        };
        Ok(Self {
            name,
            method: new.method,
            path: new.path.unwrap_or_else(|| "**".to_owned()),
            kind,
            when,
            times: new.times,
            skip: new.skip,
            delay_ms: new.delay_ms,
            retry_after: new.retry_after,
            body: new.body,
        })
    }

    /// Says whether a request of this method, path and query is hit.
    fn hits(&self, method: &str, target: &str) -> bool {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (wanted, parameter) = match self.path.split_once('?') {
            Some((wanted, parameter)) => (wanted, Some(parameter)),
            None => (self.path.as_str(), None),
        };
        self.kind != FaultKind::ConnectRefused
            && self.method.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(method))
            && path_matches(wanted, path)
            && parameter.is_none_or(|wanted| query.split('&').any(|given| given == wanted))
    }
}

/// A kind alone, with `_before` or `_after` behind it, or as an object.
fn parse_kind(kind: &Value) -> Option<(FaultKind, When)> {
    let from_bool = |before: Option<&Value>, usual| match before.and_then(Value::as_bool) {
        Some(true) => When::Before,
        Some(false) => When::After,
        None => usual,
    };
    match kind {
        Value::Object(fields) => {
            let (kind, usual) = match (fields.get("status"), fields.get("kind")) {
                (Some(status), None) => (status_kind(&status.to_string())?, When::Before),
                (None, Some(Value::String(name))) => named_kind(name)?,
                _ => return None,
            };
            Some((kind, from_bool(fields.get("before"), usual)))
        }
        Value::String(name) => {
            if let Some((kind, usual)) = named_kind(name) {
                return Some((kind, usual));
            }
            let (base, when) = match name.strip_suffix("_before") {
                Some(base) => (base, When::Before),
                None => (name.strip_suffix("_after")?, When::After),
            };
            Some((named_kind(base)?.0, when))
        }
        _ => None,
    }
}

fn status_kind(text: &str) -> Option<FaultKind> {
    text.parse().ok().filter(|status| (200..=599).contains(status)).map(FaultKind::Status)
}

/// Kinds by name with the moment that is usual for them.
fn named_kind(name: &str) -> Option<(FaultKind, When)> {
    Some(match name {
        "connect_refused" => (FaultKind::ConnectRefused, When::Before),
        "reset" => (FaultKind::Reset, When::Before),
        "hang" => (FaultKind::Hang, When::Before),
        "timeout" => (FaultKind::Hang, When::Before),
        "slow_drip" => (FaultKind::SlowDrip, When::After),
        "truncated_body" => (FaultKind::TruncatedBody, When::After),
        "non_json_body" => (FaultKind::NonJsonBody, When::After),
        "empty_200" => (FaultKind::Empty200, When::After),
        "delay" => (FaultKind::Delay, When::Before),
        status => (status_kind(status.strip_prefix("status_")?)?, When::Before),
    })
}

fn path_matches(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.trim_matches('/').split('/'), path.trim_matches('/').split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(_) | None, _) => return false,
        }
    }
}

/// The faults that are set, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn set(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn list(&self) -> &[Fault] {
        &self.0
    }

    /// The fault for this request, if one hits; it is used up by one.
    pub(crate) fn strike(&mut self, method: &str, target: &str) -> Option<Fault> {
        for fault in &mut self.0 {
            if fault.times == Some(0) || !fault.hits(method, target) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.times = fault.times.map(|left| left - 1);
            return Some(fault.clone());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fault(value: Value) -> Fault {
        Fault::new(serde_json::from_value(value).unwrap()).unwrap()
    }

    #[test]
    fn kinds_say_what_and_when() {
        let kind = |value: Value| {
            let fault = fault(json!({ "kind": value }));
            (fault.kind, fault.when)
        };
        assert_eq!(kind(json!("reset_before")), (FaultKind::Reset, When::Before));
        assert_eq!(kind(json!("reset_after")), (FaultKind::Reset, When::After));
        assert_eq!(kind(json!("timeout_after")), (FaultKind::Hang, When::After));
        assert_eq!(kind(json!("status_504_after")), (FaultKind::Status(504), When::After));
        assert_eq!(kind(json!({"status": 500, "before": false})), (FaultKind::Status(500), When::After));
        assert_eq!(kind(json!("status_429")), (FaultKind::Status(429), When::Before));
        assert_eq!(kind(json!({"kind": "empty_200", "before": true})), (FaultKind::Empty200, When::Before));
        for nonsense in [json!("explode"), json!("status_99"), json!("_after"), json!(5), json!({})] {
            let new: NewFault = serde_json::from_value(json!({ "kind": nonsense })).unwrap();
            assert!(Fault::new(new).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn strikes_by_method_path_count_and_skip() {
        let mut faults = Faults::default();
        faults.set(fault(json!({
            "method": "POST", "path": "/subscriptions/*/change-plan", "kind": "hang", "times": 1, "skip": 1
        })));
        assert!(faults.strike("POST", "/subscriptions/sub_1/change-plan/preview").is_none());
        assert!(faults.strike("GET", "/subscriptions/sub_1/change-plan").is_none());
        assert!(faults.strike("POST", "/subscriptions/sub_1/change-plan").is_none());
        assert!(faults.strike("POST", "/subscriptions/sub_1/change-plan").is_some());
        assert!(faults.strike("POST", "/subscriptions/sub_1/change-plan").is_none());
        faults.set(fault(json!({"path": "/payments/**", "kind": "status_500"})));
        assert!(faults.strike("GET", "/payments/pay_1/line-items?x=1").is_some());
    }

    #[test]
    fn strikes_by_a_parameter() {
        let mut faults = Faults::default();
        faults.set(fault(json!({"path": "/payments?customer_id=cus_1", "kind": "status_500"})));
        assert!(faults.strike("GET", "/payments?page_size=9&customer_id=cus_1").is_some());
        for other in ["/payments", "/payments?customer_id=cus_11", "/refunds?customer_id=cus_1"] {
            assert!(faults.strike("GET", other).is_none(), "{other}");
        }
    }
}
