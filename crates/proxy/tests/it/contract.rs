//! The description of the API is a file in the tree: a change of the contract is a change of that file.

/// Print the new one with `cargo run -p upsell-proxy -- openapi > crates/proxy/openapi.json`.
#[test]
fn the_description_of_the_api_is_the_one_in_the_tree() {
    let generated = proxy::http::openapi::document().to_pretty_json().unwrap();
    assert_eq!(generated.trim(), include_str!("../../openapi.json").trim());
}

#[test]
fn the_description_names_every_endpoint_and_its_protection() {
    let document: serde_json::Value =
        serde_json::from_str(&proxy::http::openapi::document().to_json().unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    for (path, method, scheme) in [
        ("/v1/sessions", "post", Some("merchant_key")),
        ("/v1/events", "post", Some("merchant_key")),
        ("/v1/attempts/{id}/resolve", "post", Some("merchant_key")),
        ("/v1/customers/forget", "post", Some("merchant_key")),
        ("/v1/signing-keys/retire", "post", Some("merchant_key")),
        ("/v1/upsell", "get", Some("session_token")),
        ("/v1/upsell/accept", "post", Some("session_token")),
        ("/v1/upsell/attempts/{id}", "get", Some("session_token")),
        ("/v1/upsell/decline", "post", Some("session_token")),
        ("/v1/upsell/seen", "post", Some("session_token")),
        ("/v1/upsell/handover", "post", Some("session_token")),
        ("/v1/plans", "get", Some("session_token")),
        ("/v1/plans/preview", "post", Some("session_token")),
        ("/v1/plans/change", "post", Some("session_token")),
        ("/v1/plans/attempts/{id}", "get", Some("session_token")),
        ("/v1/plans/scheduled", "delete", Some("session_token")),
        ("/v1/plans/payment-method", "post", Some("session_token")),
        ("/v1/plans/stay-offer", "post", Some("session_token")),
        ("/v1/plans/decline", "post", Some("session_token")),
        ("/v1/plans/cancellation", "post", Some("session_token")),
        ("/v1/plans/cancellation", "delete", Some("session_token")),
        ("/v1/plans/handover", "post", Some("session_token")),
        ("/v1/handover/redeem", "post", None),
        ("/v1/checkouts", "post", None),
        ("/v1/upsell/redeem", "post", None),
        ("/webhooks/dodo", "post", None),
    ] {
        let operation = &paths[path][method];
        assert!(operation.is_object(), "{method} {path}");
        let security = operation["security"].as_array();
        let mut named: Vec<_> =
            security.into_iter().flatten().flat_map(|it| it.as_object().unwrap().keys()).collect();
        named.retain(|name| *name != "browser" || scheme != Some("session_token"));
        assert_eq!(named, Vec::from_iter(scheme), "{path}");
        // A token is worth something with its browser's secret only: both, not one of the two.
        let both = security.is_some_and(|all| all.len() == 1 && all[0].get("browser").is_some());
        assert_eq!(both, scheme == Some("session_token"), "{path}");
    }
    assert_eq!(paths.len(), 25);
}
