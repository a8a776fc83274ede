//! What the shop sells. A real shop has a database; ids are those of the products at Dodo.

/// One article.
pub struct Article {
    /// `product_id` at Dodo.
    pub product_id: &'static str,
    /// Name.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub summary: &'static str,
    /// Price as the shop writes it; what is charged is decided at Dodo.
    pub price: &'static str,
    /// Per what, for subscriptions.
    pub per: Option<&'static str>,
}

/// Everything on the shelf.
pub const ARTICLES: [Article; 3] = [
    Article {
        product_id: "prod_basic_plan",
        name: "Basic plan",
        summary: "The basic courses and the learners' forum. Change or end it at any time.",
        price: "$30.00",
        per: Some("month"),
    },
    Article {
        product_id: "prod_starter_course",
        name: "Starter course",
        summary: "The first course, from the beginning, at your own pace. Yours to keep.",
        price: "$49.00",
        per: None,
    },
    Article {
        product_id: "prod_single_license",
        name: "Single license",
        summary: "Every lesson offline, for one person, with a year of updates.",
        price: "$99.00",
        per: None,
    },
];

/// The article with that id.
#[must_use]
pub fn article(product_id: &str) -> Option<&'static Article> {
    ARTICLES.iter().find(|article| article.product_id == product_id)
}
