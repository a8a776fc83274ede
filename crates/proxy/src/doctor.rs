//! `upsell-proxy doctor`: everything that can be found wrong with a set-up before a buyer does, each with its remedy.
//!
//! It changes nothing at Dodo and nothing in the store, and may run beside the proxy. What it prints holds no secret.

mod kept;

use std::{fmt, sync::Arc};

use dodo_client::{
    Client, Error,
    types::{catalogue::Price, webhooks::WebhookEndpoint},
};
use secrecy::ExposeSecret;
use upsell_core::rules::Rules;
use wire::{OfferKind, UnixSeconds};

use crate::{
    clock::{Clock, SystemClock},
    gateway::Gateway,
    settings::{Origin, Settings},
    store::{self, Condition, Database},
    webhook_signature::{self, SignedHeaders, WebhookKey},
};

/// Where Dodo's webhooks have to arrive.
const WEBHOOK_PATH: &str = "/webhooks/dodo";

/// Types of webhooks without which something is learnt late or not at all.
const WANTED: [&str; 15] = [
    "payment.succeeded",
    "payment.failed",
    "payment.processing",
    "payment.cancelled",
    "refund.succeeded",
    "refund.failed",
    "dispute.opened",
    "dispute.lost",
    "dispute.won",
    "subscription.active",
    "subscription.renewed",
    "subscription.updated",
    "subscription.plan_changed",
    "subscription.on_hold",
    "subscription.cancelled",
];

/// Seconds between two clocks above which somebody should look.
const NOTICEABLE: u64 = 10;
/// Seconds above which webhooks may be refused: a part of the tolerance of their signatures, since the way takes time too.
const TOO_FAR: u64 = webhook_signature::TOLERANCE / 2;

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Works, and may not be meant.
    Doubtful,
    /// Does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub verdict: Verdict,
    /// What was looked at.
    pub what: &'static str,
    /// What was found, and what to do about it.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Good => "good",
            Verdict::Doubtful => "look",
            Verdict::Bad => "BAD ",
        };
        write!(f, "{verdict}  {:<9} {}", self.what, self.text)
    }
}

fn good(what: &'static str, text: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Good, what, text: text.into() }
}

fn doubtful(what: &'static str, text: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Doubtful, what, text: text.into() }
}

fn bad(what: &'static str, text: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Bad, what, text: text.into() }
}

/// Looks at everything. The settings themselves were checked when they were read.
///
/// # Errors
/// When no client for Dodo can be made.
pub async fn examine(settings: &Settings) -> Result<Vec<Finding>, dodo_client::ConfigError> {
    let dodo = Gateway::new(Client::new(&settings.dodo)?, None, Arc::new(settings.tag_keys.clone()));
    let mut findings = pages(settings);
    let now = store(settings, &mut findings).await;
    findings.extend(kept::kept(settings).await);
    match dodo.read_clock().await {
        Err(error) => findings.push(bad("Dodo", refusal(&error, settings))),
        Ok(theirs) => {
            findings.push(good("Dodo", format!("answers; the key is good in {} mode", settings.dodo.mode)));
            findings.push(clocks(now, theirs));
            products(&dodo, &settings.rules, &mut findings).await;
            webhooks(&dodo, settings, &mut findings).await;
        }
    }
    Ok(findings)
}

/// What follows from the settings alone.
fn pages(settings: &Settings) -> Vec<Finding> {
    let rules = &settings.rules;
    let mut findings = vec![good(
        "settings",
        format!(
            "{} campaigns, {} plans, {} mode",
            rules.campaigns.len(),
            rules.plans.len(),
            settings.dodo.mode
        ),
    )];
    if settings.public_url.is_none() {
        findings.push(doubtful(
            "settings",
            "UPSELL_PUBLIC_URL is not set: links begin with http:// and --listen",
        ));
    }
    if settings.allowed_origins.is_empty() {
        let text = "UPSELL_ALLOWED_ORIGINS is not set: no shop on another origin can show the widget";
        findings.push(doubtful("settings", text));
    }
    if settings.return_url.is_none() {
        let text =
            "UPSELL_RETURN_URL is not set: buyers do not come back from Dodo's hosted page by themselves";
        findings.push(doubtful("settings", text));
    }
    findings
}

/// Looks at the store. Returns the time that the proxy would go by.
async fn store(settings: &Settings, findings: &mut Vec<Finding>) -> UnixSeconds {
    let tenant = settings.tenant();
    let engine = match settings.database {
        Database::Sqlite(_) => "SQLite",
        Database::Postgres(_) => "PostgreSQL",
    };
    match store::examine(&settings.database, &tenant).await {
        Err(error) => findings.push(bad("store", error.to_string())),
        Ok(Condition { known, now }) => {
            let rows = if known { "with rows of this merchant" } else { "without rows of this merchant yet" };
            findings.push(good("store", format!("{engine}, durable, {rows}")));
            if let Some(now) = now {
                return now;
            }
        }
    }
    SystemClock.now()
}

/// Signatures of webhooks hold for so long only.
fn clocks(ours: UnixSeconds, theirs: Option<UnixSeconds>) -> Finding {
    let Some(theirs) = theirs else {
        return doubtful("clock", "Dodo's answer does not say what time it is there");
    };
    let apart = ours.0.abs_diff(theirs.0);
    let text = format!("{apart} s from Dodo's");
    if apart > TOO_FAR {
        bad("clock", format!("{text}: webhooks will be refused; let the machine synchronise its clock"))
    } else if apart > NOTICEABLE {
        doubtful("clock", format!("{text}; let the machine synchronise its clock"))
    } else {
        good("clock", text)
    }
}

/// Every product of the rules is there, and is of the kind that its place needs.
async fn products(dodo: &Gateway, rules: &Rules, findings: &mut Vec<Finding>) {
    let before = findings.len();
    let products = rules.products();
    for id in &products {
        match dodo.product(id).await {
            Ok(product) => findings.extend(misplaced(rules, id, &product.price)),
            Err(error) if error.is_not_found() => {
                findings.push(bad("offers", format!("{id} does not exist at Dodo in this mode")));
            }
            Err(error) => findings.push(bad("offers", format!("{id} could not be looked at: {error}"))),
        }
    }
    if findings.len() == before {
        findings.push(good("offers", format!("all {} products exist and can be sold", products.len())));
    }
}

/// Why a product cannot stand where the rules put it.
fn misplaced(rules: &Rules, id: &wire::ProductId, price: &Price) -> Vec<Finding> {
    let recurring = match price {
        Price::OneTime(price) if price.pay_what_you_want => {
            return vec![bad("offers", format!("{id}: the buyer names its price, so it cannot be offered"))];
        }
        Price::OneTime(_) => false,
        Price::Recurring(_) | Price::UsageBased(_) => true,
        Price::Unknown => return vec![bad("offers", format!("{id}: its price is of an unknown kind"))],
    };
    let mut wrong = Vec::new();
    for campaign in rules.campaigns.iter().filter(|campaign| campaign.product_id == *id) {
        let changes_plan = matches!(campaign.kind, OfferKind::Upgrade | OfferKind::Downgrade);
        if changes_plan && !recurring {
            let text = format!("{id}: campaign {} changes a plan to it, and it is no plan", campaign.name);
            wrong.push(bad("offers", text));
        }
    }
    if !recurring && rules.plan(id).is_some() {
        wrong.push(bad("offers", format!("{id}: is listed under plans, and is none")));
    }
    wrong
}

/// Dodo sends webhooks to this proxy, all types that matter, signed with a key that is known here.
async fn webhooks(dodo: &Gateway, settings: &Settings, findings: &mut Vec<Finding>) {
    let endpoints = match dodo.webhook_endpoints().await {
        Ok(endpoints) => endpoints,
        Err(error) => {
            let text = format!("Dodo does not say where it sends them ({error}); look at its dashboard");
            return findings.push(doubtful("webhooks", text));
        }
    };
    let Some(endpoint) = endpoints.iter().find(|endpoint| comes_here(endpoint, settings.public_url.as_ref()))
    else {
        let wanted = settings.public_url.as_ref().map_or("https://…", Origin::as_str);
        let text = format!("Dodo sends none here; add {wanted}{WEBHOOK_PATH} in its dashboard");
        return findings.push(bad("webhooks", text));
    };
    findings.extend(shape(endpoint));
    match dodo.webhook_secret(&endpoint.id).await {
        Ok(secret) if known(secret.expose_secret(), &settings.webhook_keys) => {
            findings
                .push(good("webhooks", format!("come to {}, signed with a key known here", endpoint.url)));
        }
        Ok(_) => findings.push(bad(
            "webhooks",
            "are signed with a key that is not in DODO_PAYMENTS_WEBHOOK_KEY: all of them will be refused",
        )),
        Err(error) => {
            findings
                .push(doubtful("webhooks", format!("Dodo does not tell the key to compare with ({error})")));
        }
    }
}

/// Without a public address of its own the proxy may be behind any host.
fn comes_here(endpoint: &WebhookEndpoint, public_url: Option<&Origin>) -> bool {
    let url = endpoint.url.trim_end_matches('/');
    match (url.strip_suffix(WEBHOOK_PATH), public_url) {
        (Some(origin), Some(ours)) => Origin::parse(origin).is_ok_and(|origin| origin == *ours),
        (found, _) => found.is_some(),
    }
}

fn shape(endpoint: &WebhookEndpoint) -> Vec<Finding> {
    let mut findings = Vec::new();
    if endpoint.disabled {
        findings.push(bad("webhooks", "are switched off in Dodo's dashboard"));
    }
    let sent = |wanted: &&str| endpoint.filter_types.iter().any(|sent| sent == wanted);
    let missing: Vec<&str> = WANTED.into_iter().filter(|wanted| !sent(wanted)).collect();
    if !endpoint.filter_types.is_empty() && !missing.is_empty() {
        findings.push(doubtful("webhooks", format!("these types are not sent: {}", missing.join(", "))));
    }
    findings
}

/// Whether what is signed with the one is taken with the others.
fn known(secret: &str, keys: &[WebhookKey]) -> bool {
    let Ok(theirs) = WebhookKey::parse(secret) else { return false };
    let signature = webhook_signature::sign(&[theirs], "doctor", 0, b"{}");
    let headers =
        SignedHeaders { id: Some("doctor"), timestamp: Some("0"), signature: Some(signature.as_str()) };
    webhook_signature::verify(keys, headers, b"{}", 0).is_ok()
}

fn refusal(error: &Error, settings: &Settings) -> String {
    let mode = settings.dodo.mode;
    match error {
        Error::Api(answer) if answer.status == 401 => {
            format!("refuses the key: it is wrong, revoked, or not of {mode} mode")
        }
        Error::Api(answer) if answer.status == 403 => {
            "the key may not read payments, which looking up what became of a charge needs".to_owned()
        }
        _ => format!("cannot be asked: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> WebhookEndpoint {
        let id = dodo_client::ids::WebhookEndpointId::parse("ep_1").unwrap();
        WebhookEndpoint { id, url: url.to_owned(), disabled: false, filter_types: Vec::new() }
    }

    #[test]
    fn clocks_may_differ_by_less_than_what_signatures_put_up_with() {
        let verdict = |ours, theirs| clocks(UnixSeconds(ours), Some(UnixSeconds(theirs))).verdict;
        assert_eq!(verdict(1_000, 1_010), Verdict::Good);
        assert_eq!(verdict(1_011, 1_000), Verdict::Doubtful);
        assert_eq!(verdict(1_000, 1_150), Verdict::Doubtful);
        assert_eq!(verdict(1_000, 1_151), Verdict::Bad);
        assert_eq!(clocks(UnixSeconds(0), None).verdict, Verdict::Doubtful);
    }

    #[test]
    fn an_address_is_this_proxys_when_origin_and_path_are() {
        let ours = Origin::parse("https://pay.shop.example").unwrap();
        for (url, here) in [
            ("https://pay.shop.example/webhooks/dodo", true),
            ("https://pay.shop.example/webhooks/dodo/", true),
            ("https://pay.shop.example/other", false),
            ("https://evil.example/webhooks/dodo", false),
            ("https://evil.example/https://pay.shop.example/webhooks/dodo", false),
        ] {
            assert_eq!(comes_here(&endpoint(url), Some(&ours)), here, "{url}");
        }
        assert!(comes_here(&endpoint("https://any.example/webhooks/dodo"), None));
    }

    #[test]
    fn missing_types_and_a_switched_off_address_are_told() {
        let mut endpoint = endpoint("https://x.example/webhooks/dodo");
        assert_eq!(shape(&endpoint), [], "no filter sends everything");
        endpoint.filter_types = WANTED.iter().skip(1).map(ToString::to_string).collect();
        endpoint.disabled = true;
        let found = shape(&endpoint);
        assert_eq!(found.iter().map(|finding| finding.verdict).max(), Some(Verdict::Bad));
        assert!(found.iter().any(|finding| finding.text.ends_with("sent: payment.succeeded")), "{found:?}");
    }

    #[test]
    fn keys_are_compared_by_what_they_sign() {
        let key = |text: &str| WebhookKey::parse(text).unwrap();
        let (one, other) =
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        assert!(known(one, &[key(other), key(one)]));
        assert!(!known(one, &[key(other)]));
        assert!(!known("nonsense", &[key(one)]));
    }
}
