//! Checks of single source files: length, floats where money is, markup from strings, states where none is decided.

use std::sync::LazyLock;

use regex::Regex;

use super::File;

/// Longer files say why in their first lines.
const LONGEST: usize = 400;
/// How far down the reason may stand.
const FIRST_LINES: usize = 12;
/// The words that introduce the reason.
const REASON: &str = "one file because";

/// Where amounts of money pass. Elsewhere (the browser's clock, metrics) other interfaces force floats upon us.
const MONEY: [&str; 10] = [
    "crates/money/src/",
    "crates/wire/src/",
    "crates/core/src/",
    "crates/flow/src/",
    "crates/dodo-client/src/",
    "crates/dodo-sim/src/billing/",
    "crates/proxy/src/gateway/",
    "crates/proxy/src/service/",
    "crates/proxy/src/store/",
    "src/ui/",
];

/// Ways to make markup of a string. Merchants' and Dodo's words are text, always.
const MARKUP: [&str; 6] =
    ["inner_html", "innerHTML", "outerHTML", "insertAdjacentHTML", "insert_adjacent_html", "document.write"];

/// The store, which loads, writes and asks, and decides nothing. What a state means is said in the core, by lists and
/// constants that queries can use.
const STORE: &str = "crates/proxy/src/store/";
/// Where it may name states all the same: loading rows, writing them, and the words in columns.
const NAMES_STATES: [&str; 3] = ["sql/load.rs", "sql/apply/", "sql/codec.rs"];

/// What is wrong with one file, a line each.
pub(super) fn check(file: &File) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(lines) = too_long(file) {
        wrong.push(format!(
            "{}: {lines} lines; split it, or say in the first {FIRST_LINES} lines \"{REASON} …\"",
            file.path
        ));
    }
    for (number, line) in file.text.lines().enumerate().map(|(n, line)| (n + 1, line)) {
        let code = without_comment(line);
        if is_money(&file.path) && mentions_float(code) {
            wrong.push(format!("{}:{number}: a float where money is", file.path));
        }
        if decides_nothing(&file.path) && names_a_state(code) {
            wrong
                .push(format!("{}:{number}: the store names a state; which it is, the core says", file.path));
        }
        if let Some(word) = MARKUP.iter().find(|word| in_a_page(&file.path) && code.contains(**word)) {
            wrong.push(format!("{}:{number}: {word} makes markup of a string", file.path));
        }
    }
    wrong
}

fn is_source(path: &str) -> bool {
    [".rs", ".js", ".mjs", ".ts", ".css", ".html", ".sql"].iter().any(|end| path.ends_with(end))
}

fn too_long(file: &File) -> Option<usize> {
    let lines = file.text.lines().count();
    let has_reason = file.text.lines().take(FIRST_LINES).any(|line| line.to_lowercase().contains(REASON));
    (is_source(&file.path) && lines > LONGEST && !has_reason).then_some(lines)
}

fn is_money(path: &str) -> bool {
    path.ends_with(".rs") && MONEY.iter().any(|start| path.starts_with(start))
}

fn in_a_page(path: &str) -> bool {
    (path.starts_with("src/") && path.ends_with(".rs"))
        || (path.starts_with("embed/") && path.ends_with(".js"))
}

fn mentions_float(code: &str) -> bool {
    #[expect(clippy::expect_used, reason = "a constant that every test compiles")]
    static FLOAT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(^|[^A-Za-z0-9])f(32|64)\b").expect("a pattern"));
    FLOAT.is_match(code)
}

fn decides_nothing(path: &str) -> bool {
    path.strip_prefix(STORE).is_some_and(|inside| {
        let is_test = inside.starts_with("contract/") || inside.ends_with("tests.rs");
        inside.ends_with(".rs") && !is_test && !NAMES_STATES.iter().any(|place| inside.starts_with(place))
    })
}

/// A variant, or its word in a statement.
fn names_a_state(code: &str) -> bool {
    #[expect(clippy::expect_used, reason = "a constant that every test compiles")]
    static STATE: LazyLock<Regex> = LazyLock::new(|| {
        let kinds = "(Attempt(State|Word)|OfferState|OrderState|PaymentStatus|RefundStatus|DisputeStatus|Observation)";
        let words = concat!(
            "(eligible|presented|accepting|charged|declined|expired|claimed|released|sent|unknown|pending|",
            "failed|abandoned|scheduled|succeeded|due|done|refused)"
        );
        Regex::new(&format!(r"{kinds}::[A-Z][a-z]|'{words}'")).expect("a pattern")
    });
    STATE.is_match(code)
}

/// The line up to `//`. A `//` inside a string cuts too much, which no check here minds: addresses hold none of the words.
fn without_comment(line: &str) -> &str {
    line.find("//").and_then(|at| line.get(..at)).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&File { path: path.to_owned(), text: text.to_owned() })
    }

    #[test]
    fn a_long_file_needs_a_reason_near_its_top() {
        let long = "x\n".repeat(LONGEST + 1);
        assert_eq!(found("src/a.rs", &long).len(), 1);
        assert_eq!(found("src/a.rs", &"x\n".repeat(LONGEST)).len(), 0);
        assert_eq!(found("src/a.rs", &format!("//! One file because the table is one.\n{long}")).len(), 0);
        assert_eq!(found("src/a.rs", &format!("{long}// one file because\n")).len(), 1, "too far down");
        assert_eq!(found("Cargo.lock", &long).len(), 0, "generated");
    }

    #[test]
    fn floats_are_found_where_money_is() {
        for code in ["let x: f64 = 0.0;", "fn f() -> f32 {", "x as f64", "1_f64", "Vec<f64>"] {
            assert_eq!(found("crates/wire/src/money.rs", code).len(), 1, "{code}");
        }
        assert_eq!(found("crates/wire/src/money.rs", "// never an f64\nlet surf64 = 1;").len(), 0);
        assert_eq!(found("src/browser/clock.rs", "let now: f64 = now();").len(), 0);
    }

    #[test]
    fn markup_from_strings_is_found_in_what_runs_in_a_page() {
        assert_eq!(found("embed/element.js", "root.innerHTML = text;").len(), 1);
        assert_eq!(found("src/ui/price.rs", "<p inner_html=text/>").len(), 1);
        assert_eq!(found("embed/element.js", "// no innerHTML here").len(), 0);
        assert_eq!(found("e2e/page.mjs", "el.innerHTML").len(), 0, "a test may look");
    }

    #[test]
    fn the_store_names_no_state() {
        let rule = "if row.state == AttemptState::Claimed {";
        assert_eq!(found("crates/proxy/src/store/journal.rs", rule).len(), 1);
        assert_eq!(
            found("crates/proxy/src/store/sql/attempts.rs", "WHERE state = 'sent' AND no = 1").len(),
            1
        );
        assert_eq!(found("crates/proxy/src/store/sql/attempts.rs", "among(&states::LIVE)").len(), 0);
        assert_eq!(
            found("crates/proxy/src/store/sql/offers.rs", "from_table(row, OfferState::parse)").len(),
            0
        );
        assert_eq!(found("crates/proxy/src/store/sql/load.rs", rule).len(), 0, "loads");
        assert_eq!(found("crates/proxy/src/store/contract/claims.rs", rule).len(), 0, "a test");
        assert_eq!(found("crates/core/src/journal/claims.rs", rule).len(), 0, "decides");
    }
}
