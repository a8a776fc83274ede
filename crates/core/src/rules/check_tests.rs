//! The example is good; every way to spoil it is refused with line and field.

use super::*;
use crate::rules::Recommendation;

const EXAMPLE: &str = include_str!("../../../proxy/upsell.toml");

#[test]
fn the_shipped_example_is_good() {
    let rules = Rules::parse(EXAMPLE).unwrap();
    let pairs: Vec<_> = rules
        .campaigns
        .iter()
        .filter_map(|c| Some((c.when.as_ref()?.bought.first()?.as_str(), c.product_id.as_str())))
        .collect();
    for pair in [
        ("prod_basic_plan", "prod_pro_plan"),
        ("prod_starter_course", "prod_complete_bundle"),
        ("prod_single_license", "prod_team_license"),
    ] {
        assert!(pairs.contains(&pair), "{pair:?}");
    }
    let bundle = rules.campaign("starter-to-bundle").unwrap();
    assert_eq!(bundle.after_decline, DeclinePolicy::NeverAgain);
    assert_eq!(bundle.valid_for, 72 * 3600);
    assert_eq!(rules.campaign(bundle.downsell.as_deref().unwrap()).unwrap().kind, OfferKind::Downsell);
    assert_eq!(
        rules.campaign("toolkit").unwrap().after_decline,
        DeclinePolicy::UntilPriceDrops { percent: 25 }
    );
    for campaign in &rules.campaigns {
        assert_ne!(campaign.words.get(Some("ja")), campaign.words.get(None), "{}", campaign.name);
    }
    let products = rules.products();
    assert_eq!(products.iter().filter(|id| id.as_str() == "prod_pro_plan").count(), 1);
    assert!(products.iter().any(|id| id.as_str() == "prod_single_license"));
}

const GOOD: &str = r#"
[merchant]
name = "M"
[[campaign]]
name = "a"
bought = ["p1"]
kind = "upsell"
product_id = "p2"
downsell = "d"
text.en = { headline = "H" }
[[campaign]]
name = "d"
kind = "downsell"
product_id = "p3"
text.en = { headline = "H" }
[[plan]]
product_id = "p1"
features = ["f"]
[feature.f]
en = "F"
"#;

/// What is replaced by what, and where that is refused as what.
fn refused(from: &str, to: &str) -> RulesError {
    assert!(GOOD.contains(from), "{from}");
    let text = GOOD.replacen(from, to, 1);
    Rules::parse(&text).expect_err(&text)
}

#[test]
fn refusals_name_line_field_and_flaw() {
    assert!(Rules::parse(GOOD).is_ok());
    let long = format!("name = \"{}\"", "x".repeat(401));
    let table: [(&str, &str, usize, &str, Flaw); 29] = [
        ("name = \"M\"", "name = \" \"", 3, "merchant.name", Flaw::BadText),
        ("name = \"M\"", &long, 3, "merchant.name", Flaw::BadText),
        ("name = \"d\"", "name = \"a\"", 12, "campaign[1].name", Flaw::Duplicate),
        ("product_id = \"p2\"", "product_id = \"p/2\"", 8, "campaign[0].product_id", Flaw::BadId),
        ("bought = [\"p1\"]", "bought = [\"p1\", \"\"]", 6, "campaign[0].bought", Flaw::BadId),
        ("bought = [\"p1\"]", "", 7, "campaign[0].kind", Flaw::Condition),
        (
            "kind = \"downsell\"",
            "kind = \"downsell\"\ntrigger = \"purchase\"",
            13,
            "campaign[1].kind",
            Flaw::Condition,
        ),
        ("downsell = \"d\"", "downsell = \"x\"", 9, "campaign[0].downsell", Flaw::NoSuchCampaign),
        ("downsell = \"d\"", "downsell = \"a\"", 9, "campaign[0].downsell", Flaw::NotADownsell),
        (
            "product_id = \"p3\"",
            "product_id = \"p3\"\ndownsell = \"d\"",
            15,
            "campaign[1].downsell",
            Flaw::DownsellOfDownsell,
        ),
        (
            "product_id = \"p2\"",
            "product_id = \"p2\"\nproration = \"do_not_bill\"",
            9,
            "campaign[0].proration",
            Flaw::NotForKind,
        ),
        (
            "kind = \"upsell\"",
            "kind = \"upgrade\"\ndiscount_codes = [\"X\"]",
            8,
            "campaign[0].discount_codes",
            Flaw::NotForKind,
        ),
        ("bought = [\"p1\"]", "trigger = \"cancel_intent\"", 7, "campaign[0].kind", Flaw::NotForTrigger),
        (
            "product_id = \"p2\"",
            "product_id = \"p2\"\nquantity = 0",
            9,
            "campaign[0].quantity",
            Flaw::OutOfBounds { from: 1, to: 1000 },
        ),
        (
            "product_id = \"p2\"",
            "product_id = \"p2\"\nvalid_for_hours = 0",
            9,
            "campaign[0].valid_for_hours",
            Flaw::OutOfBounds { from: 1, to: 8760 },
        ),
        (
            "product_id = \"p2\"",
            "product_id = \"p2\"\nafter_decline = { until_price_drops = 100 }",
            9,
            "campaign[0].after_decline",
            Flaw::OutOfBounds { from: 1, to: 99 },
        ),
        (
            "product_id = \"p2\"",
            "product_id = \"p2\"\nafter_decline = { cool_down_days = 0 }",
            9,
            "campaign[0].after_decline",
            Flaw::OutOfBounds { from: 1, to: 65535 },
        ),
        (
            "text.en = { headline = \"H\" }",
            "text.ja = { headline = \"H\" }",
            10,
            "campaign[0].text",
            Flaw::NoDefaultLocale("en".into()),
        ),
        (
            "text.en = { headline = \"H\" }",
            "text.en = { headline = \"\" }",
            10,
            "campaign[0].text.en.headline",
            Flaw::BadText,
        ),
        ("features = [\"f\"]", "features = [\"f\", \"g\"]", 18, "plan[0].features", Flaw::NoSuchFeature),
        (
            "features = [\"f\"]",
            "features = [\"f\"]\nlimits = { g = 5 }",
            19,
            "plan[0].limits.g",
            Flaw::NotAFeatureOfThisPlan,
        ),
        (
            "features = [\"f\"]",
            "features = [\"f\"]\nlimits = { f = 0 }",
            19,
            "plan[0].limits.f",
            Flaw::NoLimit(9_007_199_254_740_991),
        ),
        ("en = \"F\"", "ja = \"F\"", 19, "feature.f", Flaw::NoDefaultLocale("en".into())),
        ("en = \"F\"", "en = \"\"", 19, "feature.f", Flaw::BadText),
        (
            "features = [\"f\"]",
            "features = [\"f\"]\n[[plan]]\nproduct_id = \"p1\"",
            20,
            "plan[1].product_id",
            Flaw::Duplicate,
        ),
        (
            "[feature.f]",
            "[static_shop]\nproducts = [\"?\"]\n[feature.f]",
            20,
            "static_shop.products",
            Flaw::BadId,
        ),
        (
            "features = [\"f\"]",
            "recommended = true\nfeatures = [\"f\"]\n[recommendation]",
            18,
            "plan[0].recommended",
            Flaw::NotWithRecommendation,
        ),
        (
            "[feature.f]",
            "[recommendation]\nwindow_days = 366\n[feature.f]",
            20,
            "recommendation.window_days",
            Flaw::OutOfBounds { from: 1, to: 365 },
        ),
        (
            "[feature.f]",
            "[recommendation]\nat_least = 9\n[feature.f]",
            20,
            "recommendation.at_least",
            Flaw::OutOfBounds { from: 10, to: 10_000 },
        ),
    ];
    for (from, to, line, field, flaw) in table {
        assert_eq!(refused(from, to), RulesError { line, field: field.into(), flaw }, "{to}");
    }
}

#[test]
fn what_is_counted_has_defaults_and_a_plan_may_say_that_it_is_not_marked() {
    let with = |table: &str| {
        let text = GOOD.replacen("features = [\"f\"]", "recommended = false\nfeatures = [\"f\"]", 1);
        Rules::parse(&format!("{text}\n{table}")).unwrap().recommendation
    };
    assert_eq!(with(""), None);
    let (default, least) = ("[recommendation]", "[recommendation]\nwindow_days = 1\nat_least = 10");
    assert_eq!(with(default), Some(Recommendation { window_days: 90, at_least: 30 }));
    assert_eq!(with(least), Some(Recommendation { window_days: 1, at_least: 10 }));
}

#[test]
fn what_is_not_the_right_shape_is_placed_too() {
    for (from, to, line, field) in [
        ("kind = \"upsell\"", "kind = \"free\"", 7, "campaign[0].kind"),
        ("name = \"M\"", "name = 7", 3, "merchant.name"),
        ("bought = [\"p1\"]", "bougth = [\"p1\"]", 6, "campaign[0].bougth"),
        ("product_id = \"p2\"", "", 4, "campaign[0]"),
        ("bought = [\"p1\"]", "bought = [", 7, "."),
    ] {
        let error = refused(from, to);
        assert!(matches!(error.flaw, Flaw::Shape(_)), "{error}");
        assert_eq!((error.line, error.field.as_str()), (line, field), "{error}");
    }
}
