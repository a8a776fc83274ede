//! Checks of styles: what the oldest browsers of `docs/EMBED.md` do not know stands under `@supports`, behind a plain value.

use std::collections::BTreeSet;

use super::File;

/// What is younger than one of Chromium 115, Firefox 115 and Safari 16.4, with its first versions there (`-` for none yet).
const YOUNG: [(&str, &str); 33] = [
    ("light-dark(", "123, 120, 17.5"),
    ("subgrid", "117, 71, 16.0"),
    ("text-wrap", "114, 121, 17.4"),
    ("auto-phrase", "119, -, -"),
    ("contain-intrinsic-", "95, 107, 17.0"),
    ("size: stretch", "138, -, -"),
    ("width: stretch", "138, -, -"),
    ("height: stretch", "138, -, -"),
    ("content-visibility", "85, 125, 18.0"),
    ("field-sizing", "123, -, 26.2"),
    ("interpolate-size", "129, -, -"),
    ("calc-size(", "129, -, -"),
    ("anchor", "125, 147, 26.0"),
    ("position-area", "129, 147, 26.0"),
    ("-timeline", "115, -, 26.0"),
    ("transition-behavior", "117, 129, 17.4"),
    ("allow-discrete", "117, 129, 17.4"),
    ("@starting-style", "117, 129, 17.5"),
    ("@scope", "118, 146, 17.4"),
    ("@property", "85, 128, 16.4"),
    ("@container style(", "111, -, 18.0"),
    (":has(", "105, 121, 15.4"),
    (":popover-open", "114, 125, 17.0"),
    ("(from ", "119, 128, 16.4"),
    ("&", "120, 117, 17.2"),
    ("text-box", "133, -, 18.2"),
    ("text-spacing-trim", "123, -, -"),
    ("scrollbar-", "121, 97, 18.2"),
    ("backdrop-filter", "76, 103, 18.0"),
    ("image-set(", "113, 89, 17.0"),
    ("linear(", "113, 112, 17.2"),
    ("view-transition-", "111, 144, 18.0"),
    ("corner-shape", "139, -, -"),
];

/// What is wrong with the styles in one file, a line each.
pub(super) fn check(file: &File) -> Vec<String> {
    sheets(file)
        .into_iter()
        .flat_map(|(first_line, css)| {
            Sheet::read(css).wrong.into_iter().map(move |(at, what)| (first_line + at, what))
        })
        .map(|(line, what)| format!("{}:{line}: {what}", file.path))
        .collect()
}

/// The style sheets in a file, each with the line before its first.
fn sheets(file: &File) -> Vec<(usize, &str)> {
    if file.path.starts_with("style/") && file.path.ends_with(".css") {
        return vec![(0, &file.text)];
    }
    if !(file.path.starts_with("embed/") && file.path.ends_with(".js")) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut rest = file.text.as_str();
    while let Some((before, after)) = rest.split_once("replaceSync(`") {
        let line = file.text.len() - rest.len() + before.len();
        let (css, after) = after.split_once('`').unwrap_or((after, ""));
        found.push((lines_in(file.text.get(..line).unwrap_or_default()), css));
        rest = after;
    }
    found
}

fn lines_in(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// A style sheet while it is read: conditions of the `@supports` around, `None` for every other block.
#[derive(Default)]
struct Sheet {
    around: Vec<Option<String>>,
    plain: BTreeSet<String>,
    guarded: Vec<(usize, String)>,
    wrong: Vec<(usize, String)>,
}

impl Sheet {
    fn read(css: &str) -> Self {
        let css = without_comments(css);
        let mut sheet = Self::default();
        let mut start = 0;
        for (end, mark) in css.char_indices().filter(|(_, letter)| matches!(letter, '{' | '}' | ';')) {
            let text = css.get(start..end).unwrap_or_default();
            let blank = text.len() - text.trim_start().len();
            let line = 1 + lines_in(css.get(..start + blank).unwrap_or_default());
            sheet.piece(line, text.trim(), mark);
            start = end + 1;
        }
        let alone = sheet.guarded.iter().filter(|(_, name)| !sheet.plain.contains(name));
        let alone: Vec<_> =
            alone.map(|(line, name)| (*line, format!("{name} has no value outside of @supports"))).collect();
        sheet.wrong.extend(alone);
        sheet
    }

    /// Takes what stands before one of `{`, `}` and `;`.
    fn piece(&mut self, line: usize, text: &str, mark: char) {
        let supports = text.strip_prefix("@supports");
        if supports.is_none() {
            let conditions = || self.around.iter().flatten();
            for (feature, since) in YOUNG {
                if text.contains(feature) && !conditions().any(|condition| condition.contains(feature)) {
                    self.wrong.push((
                        line,
                        format!("{feature} (Chromium, Firefox, Safari: {since}) belongs under its @supports"),
                    ));
                }
            }
            if let Some((name, _)) =
                text.split_once(':').filter(|(name, _)| mark != '{' && name.starts_with("--"))
            {
                if conditions().next().is_some() {
                    self.guarded.push((line, name.to_owned()));
                } else {
                    self.plain.insert(name.to_owned());
                }
            }
        }
        match mark {
            // Where a feature is missing nothing is guarded.
            '{' => {
                self.around.push(supports.filter(|condition| !condition.contains("not ")).map(str::to_owned))
            }
            '}' => _ = self.around.pop(),
            _ => {}
        }
    }
}

/// The same text with spaces for comments, so that lines stay where they are.
fn without_comments(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        let (comment, after) = after.split_once("*/").unwrap_or((after, ""));
        out.push_str(before);
        out.extend(comment.chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&File { path: path.to_owned(), text: text.to_owned() })
    }

    #[test]
    fn every_young_feature_is_found_outside_of_its_condition_only() {
        for (feature, _) in YOUNG {
            let bare = format!("a {{\n  x: {feature} y;\n}}");
            let wrong = found("style/a.css", &bare);
            assert_eq!(wrong.len(), 1, "{feature}: {wrong:?}");
            assert!(wrong[0].starts_with("style/a.css:2: "), "{wrong:?}");
            let guarded = format!("@supports (x: {feature} y) {{ @media print {{ {bare} }} }}");
            assert_eq!(found("style/a.css", &guarded), Vec::<String>::new(), "{feature}");
            assert_eq!(found("style/a.css", &format!("@supports not (x: {feature}) {{ {bare} }}")).len(), 1);
            assert_eq!(found("style/a.css", &format!("@supports (x: other) {{ {bare} }}")).len(), 1);
            assert_eq!(
                found("style/a.css", &format!("@supports (x: {feature}) {{}}\n{bare}")).len(),
                1,
                "after it"
            );
            assert_eq!(found("style/a.css", &format!("/* {feature} */ a {{ b: c; }}")).len(), 0);
            assert_eq!(found("docs/a.css", &bare).len(), 0);
        }
    }

    #[test]
    fn a_custom_property_has_a_plain_value_first() {
        let guarded = "@supports (color: light-dark(#000, #fff)) { :host { --_a: light-dark(#000, #fff); } }";
        assert_eq!(found("style/a.css", guarded).len(), 1);
        assert_eq!(found("style/a.css", &format!(":host {{ --_a: #000; }}\n{guarded}")).len(), 0);
    }

    #[test]
    fn styles_in_scripts_are_read_too() {
        let script =
            "const a = 1;\nsheet.replaceSync(`\n  p { color: red; }\n  p { text-wrap: balance; }`);\n";
        assert_eq!(found("embed/element.js", script).len(), 1);
        assert!(found("embed/element.js", script)[0].starts_with("embed/element.js:4: "));
        assert_eq!(found("embed/element.js", "const text = 'text-wrap';").len(), 0);
    }
}
