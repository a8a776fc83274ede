//! Documentation names files that exist: relative links, and code spans that look like a path of this repository.

use std::sync::LazyLock;

use regex::Regex;

use super::File;

/// Folders whose names begin a path of ours. `dist/` and `target/` are made by commands and may be absent.
const TOP: [&str; 11] = [
    "crates/",
    "src/",
    "docs/",
    "xtask/",
    "e2e/",
    "embed/",
    "style/",
    "tests/",
    "examples/",
    "bench/",
    "fuzz/",
];

/// Names in `file` that lead nowhere, a line each. `exists` is asked with paths relative to the root.
pub(super) fn check(file: &File, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    if !file.path.ends_with(".md") {
        return Vec::new();
    }
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut wrong = Vec::new();
    for (number, line) in file.text.lines().enumerate().map(|(n, line)| (n + 1, line)) {
        for target in links(line) {
            if !join(folder, target).is_some_and(|path| exists(&path)) {
                wrong.push(format!("{}:{number}: the link to {target} leads nowhere", file.path));
            }
        }
        for span in spans(line) {
            let beside = join(folder, span).is_some_and(|path| exists(&path));
            if !exists(span.trim_end_matches('/')) && !beside {
                wrong.push(format!("{}:{number}: there is no {span}", file.path));
            }
        }
    }
    wrong
}

/// Targets of relative links, without their fragments.
fn links(line: &str) -> impl Iterator<Item = &str> {
    #[expect(clippy::expect_used, reason = "a constant that every test compiles")]
    static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\(([^)\s]+)").expect("a pattern"));
    LINK.captures_iter(line).filter_map(|captures| {
        let target = captures.get(1)?.as_str();
        let path = target.split('#').next()?;
        (!path.is_empty() && !path.contains(':')).then_some(path)
    })
}

/// Code spans that are a path of ours: begin with one of our folders and hold nothing but a path. Patterns and
/// placeholders (`src/*.rs`, `e2e/<name>`) are not paths.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    #[expect(clippy::expect_used, reason = "a constant that every test compiles")]
    static SPAN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"`([A-Za-z0-9_./-]+)`").expect("a pattern"));
    SPAN.captures_iter(line).filter_map(|captures| {
        let span = captures.get(1)?.as_str();
        // What a test run leaves behind is not kept in the repository.
        let left_behind = span.starts_with("e2e/artefacts") || span.contains("node_modules");
        (TOP.iter().any(|top| span.starts_with(top)) && !left_behind).then_some(span)
    })
}

/// `docs/adr` + `../API.md` → `docs/API.md`; `None` when it leaves the repository.
fn join(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        let exists = |path: &str| ["docs/API.md", "docs", "crates/wire", "src/main.rs"].contains(&path);
        check(&File { path: path.to_owned(), text: text.to_owned() }, &exists).len()
    }

    #[test]
    fn what_exists_may_be_named() {
        for text in [
            "[api](docs/API.md)",
            "[api](docs/API.md#accept)",
            "see `crates/wire` and `crates/wire/`",
            "[web](https://example.org/docs/none.md)",
            "[here](#below)",
            "`src/*.rs`, `src/<name>.rs`, `POST /v1/sessions`, `cargo xtask demo`",
            "screenshots in `e2e/artefacts/`",
        ] {
            assert_eq!(found("README.md", text), 0, "{text}");
        }
        assert_eq!(found("docs/adr/one.md", "[api](../API.md) and `docs/API.md`"), 0);
        assert_eq!(found("crates/proxy/README.md", "`src/main.rs` of the root"), 0);
    }

    #[test]
    fn what_does_not_exist_is_found() {
        assert_eq!(found("README.md", "[api](docs/OLD.md)"), 1);
        assert_eq!(found("README.md", "`docs/OLD.md` and `crates/gone/src/lib.rs`"), 2);
        assert_eq!(found("docs/adr/one.md", "[api](API.md)"), 1);
        assert_eq!(found("README.md", "[out](../secrets.md)"), 1);
        assert_eq!(found("src/main.rs", "`docs/OLD.md`"), 0, "documentation only");
    }
}
