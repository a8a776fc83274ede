//! The description of the API. `upsell-proxy openapi` prints it; `openapi.json` next to the crate's manifest is a
//! snapshot of it, so that a change of the contract shows as a change of that file.

use utoipa::openapi::{
    InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder, RefOr, Schema,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};

/// Name of the scheme for the merchant's key.
pub(super) const MERCHANT: &str = "merchant_key";
/// Name of the scheme for a buyer's token.
pub(super) const BUYER: &str = "session_token";
/// Name of the scheme for the secret of the buyer's browser.
pub(super) const BROWSER: &str = "browser";

/// Words that requests hold and that have to be known here: `Other` is how a newer peer's word reads, and is refused.
const CLOSED: [&str; 4] = ["EffectiveAt", "PayWith", "Purpose", "Trigger"];
/// Words that requests hold and of which every one is taken.
const OPEN: &str = "DeclineReason";

/// The whole description.
#[must_use]
pub fn document() -> OpenApi {
    let mut document = super::api().into_openapi();
    let schemas = document.components.iter_mut().flat_map(|components| &mut components.schemas);
    for (name, schema) in schemas {
        let RefOr::T(Schema::Object(words)) = schema else { continue };
        if CLOSED.contains(&name.as_str()) {
            words.enum_values.iter_mut().for_each(|words| words.retain(|word| word != "other"));
        } else if name == OPEN {
            words.examples = words.enum_values.take().unwrap_or_default();
        }
    }
    document
}

/// What stands around the routes.
pub(super) fn frame() -> OpenApi {
    let bearer = |description: &str| {
        let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description));
        SecurityScheme::Http(http.build())
    };
    let browser = ApiKeyValue::with_description(
        wire::BROWSER_HEADER,
        "A secret that the browser made up, 32 to 128 characters of `[A-Za-z0-9_-]`. The token belongs to the first that uses it.",
    );
    let components = utoipa::openapi::ComponentsBuilder::new()
        .schema_from::<wire::IdempotencyKey>()
        .security_scheme(MERCHANT, bearer("The merchant's secret key. Server to server only."))
        .security_scheme(BUYER, bearer("A session token: one buyer, one purpose, minutes of life."))
        .security_scheme(BROWSER, SecurityScheme::ApiKey(ApiKey::Header(browser)))
        .build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("upsell-proxy")
                .version("1")
                .description(Some("The contract between the upsell widget and its backend, version 1."))
                .build(),
        )
        .paths(PathsBuilder::new().build())
        .components(Some(components))
        .build()
}
