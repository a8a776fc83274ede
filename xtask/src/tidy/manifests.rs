//! Versions of dependencies are said once, in the root manifest's `[workspace.dependencies]`.

use toml::{Table, Value};

use super::File;

const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Dependencies of a manifest that do not say `workspace = true`, a line each.
pub(super) fn check(file: &File) -> Vec<String> {
    if file.path != "Cargo.toml" && !file.path.ends_with("/Cargo.toml") {
        return Vec::new();
    }
    let manifest: Table = match file.text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![format!("{}: {error}", file.path)],
    };
    let for_targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = std::iter::once(&manifest).chain(for_targets.filter_map(Value::as_table));
    tables
        .flat_map(|table| KINDS.iter().filter_map(|kind| table.get(*kind)?.as_table()))
        .flat_map(Table::iter)
        .filter(|(_, dependency)| dependency.get("workspace") != Some(&Value::Boolean(true)))
        .map(|(name, _)| {
            format!("{}: the version of {name} belongs in the workspace's Cargo.toml", file.path)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        check(&File { path: "crates/a/Cargo.toml".to_owned(), text: text.to_owned() }).len()
    }

    #[test]
    fn versions_of_members_are_found_wherever_they_stand() {
        assert_eq!(
            found("[dependencies]\na.workspace = true\nb = { workspace = true, features = [\"x\"] }"),
            0
        );
        assert_eq!(found("[dependencies]\na = \"1\""), 1);
        assert_eq!(found("[dev-dependencies]\na = { version = \"1\" }"), 1);
        assert_eq!(found("[target.'cfg(unix)'.dependencies]\na = \"1\""), 1);
        assert_eq!(found("[workspace.dependencies]\na = \"1\""), 0);
        assert_eq!(found("not toml"), 1);
    }
}
