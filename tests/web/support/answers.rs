//! Bodies that the scripted backend answers with. Written as JSON, as the wire has it. Decline keys differ from test to
//! test, because the browser remembers them.

/// An offer of $50.00 on a Visa.
pub(crate) fn offer(id: &str, quote: &str, total: i64) -> String {
    format!(
        r#"{{"eligible":true,
        "offer":{{"id":"{id}","kind":"upsell","headline":"Get more","benefits":["More room"],"quantity":1,"decline_key":"dk_{id}"}},
        "product":{{"id":"prod_pro","name":"Pro","price":{total},"currency":"USD"}},
        "quote":{},
        "payment_method":{{"brand":"visa","last4":"4242"}},
        "merchant":{{"name":"Shop"}}}}"#,
        quote_of(quote, total)
    )
}

pub(crate) fn quote_of(id: &str, total: i64) -> String {
    format!(
        r#"{{"id":"{id}","currency":"USD",
        "lines":[{{"kind":"product","name":"Pro","quantity":1,"amount":{total}}}],
        "tax":0,"tax_inclusive":false,"credit":0,"total":{total},"expires_at":4102444800,"expires_in":300}}"#
    )
}

pub(crate) const SUCCEEDED: &str = r#"{"success":true,"status":"succeeded","attempt_id":"att_1",
    "receipt":{"reference":"pay_77","name":"Pro","amount":5000,"currency":"USD","at":1767225600}}"#;

pub(crate) const PROCESSING: &str = r#"{"success":false,"status":"processing","attempt_id":"att_1"}"#;

pub(crate) const CARD_DECLINED: &str = r#"{"success":false,"status":"failed","attempt_id":"att_1",
    "failure":"declined","hosted_checkout_offered":true}"#;

pub(crate) const CHECKOUT: &str = r#"{"success":false,"status":"checkout_required","attempt_id":"att_2",
    "checkout_url":"https://checkout.test/s/1"}"#;

pub(crate) fn quote_changed(quote: &str, total: i64) -> String {
    format!(r#"{{"status":409,"code":"quote_changed","title":"","quote":{}}}"#, quote_of(quote, total))
}

/// What a basic backend offers. Its products differ from test to test, because the browser remembers them.
pub(crate) fn basic(product: &str) -> String {
    format!(
        r#"{{"eligible":true,"reason":null,"paymentMethodId":"pm_1",
        "product":{{"id":"{product}","name":"Bundle","price":4900,"currency":"USD","anything":{{"else":1}}}}}}"#
    )
}

pub(crate) const PLANS: &str = r#"{"merchant":{"name":"Shop"},
    "current":{"product_id":"prod_basic","name":"Basic","status":"active","quantity":1,"next_billing_date":1767225600,
        "recurring_amount":3000,"currency":"USD","period":{"interval":"month","count":1},"can_change":true},
    "plans":[
        {"product_id":"prod_basic","name":"Basic","price":3000,"currency":"USD","period":{"interval":"month","count":1},"kind":"current"},
        {"product_id":"prod_pro","name":"Pro","price":8000,"currency":"USD","period":{"interval":"month","count":1},"kind":"upgrade",
         "difference":{"amount":5000,"currency":"USD","period":{"interval":"month","count":1}}}],
    "payment_method":{"brand":"visa","last4":"4242"}}"#;

pub(crate) fn preview(quote: &str, total: i64) -> String {
    format!(
        r#"{{"product_id":"prod_pro","name":"Pro","quote":{},"payment_method":{{"brand":"visa","last4":"4242"}}}}"#,
        quote_of(quote, total)
    )
}
