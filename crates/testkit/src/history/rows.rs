//! The rows of a fill, one statement a kind. `i` counts the charges.

use wire::UnixSeconds;

use super::Engine;

/// Seconds over which the history is spread.
const SPAN: u64 = 400 * 86_400;
/// Seconds between the end of the history and the present: everything that a charge set off is over.
const REST: i64 = 8 * 86_400;

/// What a one-time product is charged as.
const PLAN: &str =
    r#"{"checkout":{"product_id":"prod_toolkit","quantity":1,"billing":null,"discount_codes":[]}}"#;
/// A quote but for its id and its end.
const QUOTE: &str = r#""currency":"USD","lines":[{"kind":"product","name":"Toolkit","quantity":1,"amount":1900}],"tax":0,"credit":0,"total":1900,"effective_at":"immediately","expires_in":300"#;
/// What a buyer agreed to.
const CONSENT: &str = r#"{"amount":1900,"currency":"USD","at":100,"shown":null}"#;
/// What a buyer got.
const RECEIPT: &str = r#"{"reference":"pay","name":"Toolkit","amount":1900,"currency":"USD","tax":0,"credit":0,"at":100,"payment_method":null,"renewal":null}"#;
/// Where a buyer lives.
const BILLING: &str =
    r#"{"country":"US","street":"1 Market Street","city":"Springfield","state":"CA","zipcode":"94105"}"#;

/// Returns the statements that write the history of so many charges up to now.
pub(super) fn statements(engine: Engine, charges: u64, now: UnixSeconds) -> Vec<String> {
    if charges == 0 {
        return Vec::new();
    }
    let first = now.0.saturating_sub(REST).saturating_sub(i64::try_from(SPAN).unwrap_or(0));
    let fill = Fill { engine, charges, first, now: now.0 };
    [fill.people(), fill.offers(), fill.attempts(), fill.money(), fill.news(), fill.gone()].concat()
}

struct Fill {
    engine: Engine,
    charges: u64,
    first: i64,
    now: i64,
}

impl Fill {
    /// `INSERT` of one row for each charge.
    fn each(&self, into: &str, values: &str) -> String {
        self.some(1, into, values)
    }

    /// `INSERT` of one row for each `nth` charge.
    fn some(&self, nth: u64, into: &str, values: &str) -> String {
        let Self { charges, first, .. } = self;
        let spread = SPAN.checked_div(*charges).unwrap_or(0).max(1);
        let values = values.replace("@at", &format!("({first} + i * {spread})"));
        format!(
            "WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + {nth} FROM numbers WHERE i + {nth} <= {charges})
             INSERT INTO {into} SELECT (SELECT MIN(id) FROM tenants), {values} FROM numbers"
        )
    }

    fn people(&self) -> Vec<String> {
        let Self { engine, now, .. } = self;
        let hash = engine.hash("i");
        let stored = if *engine == Engine::Postgres { "TRUE" } else { "1" };
        let mut statements = vec![
            self.each(
                "sessions (tenant, token_hash, customer_id, purpose, trigger_kind, expires_at, browser_hash,
                           browser_outlives_page, handover_hash, handover_until)",
                &format!(
                    "{hash}, 'cus_old_' || i, 'offer', 'purchase', {now} + 600, {hash}, {stored}, {hash}, {now} + 120"
                ),
            ),
            self.each(
                "nonces (tenant, nonce_hash, checkout_session_id, expires_at)",
                &format!("{hash}, 'cks_nonce_' || i, {now} + 600"),
            ),
            self.each(
                "triggers (tenant, id, customer_id, kind, at)",
                "'ev_old_' || i, 'cus_old_' || i, 'usage_milestone', @at",
            ),
        ];
        for (kind, payment) in [("old", "pay_old_"), ("open", "pay_open_"), ("dec", "pay_dec_")] {
            statements.push(self.each(
                "purchases (tenant, payment_id, customer_id, product_ids, billing, email, payment_method_id, paid_at)",
                &format!(
                    "'{payment}' || i, 'cus_{kind}_' || i, '[\"prod_starter_course\"]', '{BILLING}', \
                     'mail_{kind}_' || i, 'pm_' || i, @at"
                ),
            ));
            if *engine == Engine::Postgres {
                statements.push(
                    self.each("buyers (tenant, customer_id, changes)", &format!("'cus_{kind}_' || i, 3")),
                );
            }
        }
        statements
    }

    fn offers(&self) -> Vec<String> {
        let Self { now, .. } = self;
        let mut statements = Vec::new();
        for (kind, state, tries) in [("old", "charged", 1), ("dec", "declined", 0), ("open", "presented", 0)]
        {
            statements.push(self.each(
                "offers (tenant, id, customer_id, campaign, trigger_ref, purchase, equivalence, kind, plan, state,
                         attempt_no, created_at, seen_at, expires_at, email)",
                &format!(
                    "'of_{kind}_' || i, 'cus_{kind}_' || i, 'toolkit', 'pay_{kind}_' || i, 'pay_{kind}_' || i, \
                     'product:prod_toolkit', 'cross_sell', '{PLAN}', '{state}', {tries}, @at, @at, @at + 604800, \
                     'mail_{kind}_' || i"
                ),
            ));
        }
        statements.push(self.each(
            "declines (tenant, customer_id, offer_id, equivalence, campaign, price_amount, price_currency, at, email)",
            "'hash:dec_' || i, 'of_dec_' || i, 'product:prod_toolkit', 'toolkit', 1900, 'USD', @at, 'mail_dec_' || i",
        ));
        let quote = |kind: &str, end: &str| {
            format!(
                "'qt_{kind}_' || i, 'cus_{kind}_' || i, 'of_{kind}_' || i, \
                 '{{\"id\":\"qt_{kind}_' || i || '\",{QUOTE},\"expires_at\":' || ({end}) || '}}', '{PLAN}', 'Toolkit', \
                 '', 'pm_' || i, {end}"
            )
        };
        let into = "quotes (tenant, id, customer_id, offer_id, quote, plan, name, basis_hash, payment_method_id, expires_at)";
        statements.push(self.each(into, &quote("old", "@at + 300")));
        // Of the last week: nobody tried to collect them, and they are not to be purged yet.
        statements.push(self.some(10, into, &quote("open", &format!("{now} - 3600 - i % 500000"))));
        statements
    }

    fn attempts(&self) -> Vec<String> {
        let hash = self.engine.hash("i");
        let mut statements = vec![
            self.each(
                "attempts (tenant, id, offer_id, subscription_id, no, customer_id, quote_id, kind, idem_key, fingerprint,
                           state, checkout_session_id, payment_id, receipt, consent, agreed, created_at, lease_until,
                           lease_owner)",
                &format!(
                    "'at_old_' || i, CASE WHEN i % 10 = 1 THEN NULL ELSE 'of_old_' || i END, \
                     CASE WHEN i % 10 = 1 THEN 'sub_old_' || i END, 1, 'cus_old_' || i, 'qt_old_' || i, \
                     CASE i % 10 WHEN 1 THEN 'plan_change' WHEN 2 THEN 'hosted' ELSE 'one_click' END, 'key_' || i, {hash}, \
                     'succeeded', 'cks_' || i, 'pay_new_' || i, '{RECEIPT}', '{CONSENT}', 1900, @at, @at + 60, 'px_old'"
                ),
            ),
            self.some(
                10,
                "attempts (tenant, id, offer_id, no, customer_id, quote_id, kind, idem_key, fingerprint, state, failure,
                           consent, created_at, lease_until, lease_owner)",
                &format!(
                    "'at_fail_' || i, 'of_open_' || i, 1, 'cus_open_' || i, 'qt_open_' || i, 'one_click', 'key_' || i, {hash}, \
                     'failed', 'declined', '{CONSENT}', @at, @at + 60, 'px_old'"
                ),
            ),
        ];
        for (event, seconds) in [("claimed", 0), ("sent", 1), ("succeeded", 2), ("notified", 3)] {
            statements.push(self.each(
                "attempt_history (tenant, attempt_id, at, event, source, instance)",
                &format!("'at_old_' || i, @at + {seconds}, '{event}', 'reply', 'px_old'"),
            ));
        }
        statements.push(self.some(
            10,
            "booking_ends (tenant, attempt_id, ended, at)",
            "'at_old_' || i, 'made', @at + 86400",
        ));
        statements
    }

    fn money(&self) -> Vec<String> {
        vec![
            self.each(
                "payments (tenant, payment_id, attempt_id, status, amount, currency, subscription_id, seen_at)",
                "'pay_new_' || i, 'at_old_' || i, 'succeeded', 1900, 'USD', \
                 CASE WHEN i % 5 = 0 THEN 'sub_new_' || i END, @at + 2",
            ),
            self.some(
                10,
                "refunds (tenant, refund_id, payment_id, status, amount, currency, at)",
                "'ref_' || i, 'pay_new_' || i, 'succeeded', 1900, 'USD', @at + 86400",
            ),
            self.some(
                10,
                "disputes (tenant, dispute_id, payment_id, status, at)",
                "'dis_' || i, 'pay_new_' || i, 'won', @at + 86400",
            ),
            self.each(
                "refund_orders (tenant, payment_id, cause, amount, state, refund_id, created_at, sent_at)",
                "'pay_new_' || i, 'late', 1900, 'done', 'ref_' || i, @at, @at",
            ),
            self.some(
                10,
                "foreign_payments (tenant, payment_id, attempt_id, why, at)",
                "'pay_foreign_' || i, 'at_old_' || i, 'buyer', @at",
            ),
            self.each(
                "payment_links (tenant, subscription_id, pays_dues, version, url, payment_id, until)",
                &format!(
                    "'sub_old_' || i, FALSE, 1, 'https://test.checkout.dodopayments.com/session/cks_' || i, 'pay_link_' || i, \
                     {} - 3600",
                    self.now
                ),
            ),
        ]
    }

    /// What outlives rows that have gone.
    fn gone(&self) -> Vec<String> {
        vec![
            self.each(
                "tombstones (tenant, kind, id, begun_at)",
                "'attempt', 'at_gone_' || i, @at - 63072000",
            ),
            self.each(
                "tombstones (tenant, kind, id, begun_at)",
                "'payment', 'pay_gone_' || i, @at - 63072000",
            ),
            self.each("owned (tenant, subject, product_id)", "'hash:gone_' || i, 'prod_toolkit'"),
            self.some(10, "forgotten (tenant, customer, at)", "'hash:forgotten_' || i, @at"),
        ]
    }

    /// Webhooks in and out, of the last weeks.
    fn news(&self) -> Vec<String> {
        let recent = format!("({} - 3600 - i % 2000000)", self.now);
        let raw = match self.engine {
            Engine::Sqlite => "CAST('{\"type\":\"payment.succeeded\",\"data\":{}}' AS BLOB)",
            Engine::Postgres => "convert_to('{\"type\":\"payment.succeeded\",\"data\":{}}', 'UTF8')",
        };
        vec![
            self.each(
                "outbox (tenant, id, kind, body, created_at, sent_at)",
                &format!("'evt_' || i, 'attempt.succeeded', '{{}}', {recent}, {recent}"),
            ),
            self.each(
                "inbox (tenant, webhook_id, kind, raw, received_at, applied_at, state)",
                &format!("'msg_' || i, 'payment.succeeded', {raw}, {recent}, {recent}, 'applied'"),
            ),
        ]
    }
}
