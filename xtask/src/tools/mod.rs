//! Getting what is missing, once: each tool goes to a folder of its own version under the user's cache, where it can be
//! checked and then skipped. Everything comes from package registries; nothing downloads a binary from elsewhere.

mod browser;
mod cargo_tools;
mod chromium;
mod cpp;
mod node;
mod packages;
mod postgres;
mod python;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process::{self, program, say};

/// A command-line tool that this project pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// `wasm-bindgen` and `wasm-bindgen-test-runner`; must be the very version of the crate.
    WasmBindgen,
    /// Runs the browser tests.
    WasmPack,
    /// Builds the standalone page.
    Trunk,
    /// `wasm-opt`, from the npm package `binaryen`.
    WasmOpt,
    /// Makes requests out of the API's description.
    Schemathesis,
    /// Builds targets with libFuzzer and runs them.
    CargoFuzz,
    /// The oldest Chromium that the widget supports.
    Chromium115,
    /// A Chromium without `light-dark()` in custom properties.
    Chromium119,
}

/// Where a tool comes from.
enum Source {
    /// `cargo install`; `locked` with the lockfile that the tool was published with.
    Cargo { locked: bool },
    /// `npm ci` of `xtask/npm`.
    Npm,
    /// `npm ci` of this folder, and a browser that the package unpacks.
    Chromium(&'static str),
    /// `pip install` of `xtask/python/requirements.txt`, in an environment of its own.
    Pip,
}

impl Tool {
    fn package(self) -> &'static str {
        match self {
            Self::WasmBindgen => "wasm-bindgen-cli",
            Self::WasmPack => "wasm-pack",
            Self::Trunk => "trunk",
            Self::WasmOpt => "binaryen",
            Self::Schemathesis => "schemathesis",
            Self::CargoFuzz => "cargo-fuzz",
            Self::Chromium115 | Self::Chromium119 => chromium::PACKAGE,
        }
    }

    /// The one version that is used.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::WasmBindgen => "0.2.130",
            Self::WasmPack => "0.15.1",
            // 0.22 wants a newer compiler than the pinned one.
            Self::Trunk => "0.21.14",
            Self::WasmOpt => "132.0.0",
            Self::Schemathesis => "4.32.5",
            Self::CargoFuzz => "0.13.2",
            Self::Chromium115 => "115.0.0",
            Self::Chromium119 => "119.0.2",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::WasmBindgen => "wasm-bindgen",
            Self::WasmPack => "wasm-pack",
            Self::Trunk => "trunk",
            Self::WasmOpt => "wasm-opt",
            Self::Schemathesis => "schemathesis",
            Self::CargoFuzz => "cargo-fuzz",
            Self::Chromium115 | Self::Chromium119 => chromium::PROGRAM,
        }
    }

    /// What `--version` prints when it is the right one.
    fn version_word(self) -> &'static str {
        match self {
            // wasm-opt counts whole versions.
            Self::WasmOpt => "version_132",
            other => other.version(),
        }
    }

    fn source(self) -> Source {
        match self {
            // Its published lockfile names a crate version that not every registry mirror has.
            Self::WasmBindgen => Source::Cargo { locked: false },
            Self::WasmPack | Self::Trunk | Self::CargoFuzz => Source::Cargo { locked: true },
            Self::WasmOpt => Source::Npm,
            Self::Schemathesis => Source::Pip,
            Self::Chromium115 => Source::Chromium("xtask/chromium/115"),
            Self::Chromium119 => Source::Chromium("xtask/chromium/119"),
        }
    }
}

/// The tools' folders, and a `PATH` that finds them first.
pub(crate) struct Toolbox {
    root: PathBuf,
}

impl Toolbox {
    /// The toolbox under `$XDG_CACHE_HOME` or `~/.cache`.
    ///
    /// # Errors
    /// When neither that nor `HOME` is set.
    pub(crate) fn new() -> Result<Self> {
        let cache = match std::env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()) {
            Some(dir) => PathBuf::from(dir),
            None => {
                PathBuf::from(std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?)
                    .join(".cache")
            }
        };
        Ok(Self { root: cache.join("upsell-widget").join("tools") })
    }

    /// Installs those of `tools` that are not there.
    ///
    /// # Errors
    /// When one cannot be installed, or is not what it should be afterwards.
    pub(crate) fn ensure(&self, tools: &[Tool]) -> Result<()> {
        for &tool in tools {
            if self.works(tool) {
                continue;
            }
            let (package, version) = (tool.package(), tool.version());
            say(&format!("installing {package} {version}, once, into {}", self.home(tool).display()));
            match tool.source() {
                Source::Cargo { locked } => {
                    cargo_tools::install(package, version, locked, &self.home(tool), &self.root)?;
                }
                Source::Npm => node::install("xtask/npm", &self.home(tool))?,
                Source::Chromium(folder) => chromium::install(folder, &self.home(tool))?,
                Source::Pip => python::install(&self.home(tool))?,
            }
            if !self.works(tool) {
                bail!(
                    "{package} {version} was installed into {} and does not run; remove that folder and try again",
                    self.home(tool).display()
                );
            }
        }
        Ok(())
    }

    /// A pinned tool, ready to be given arguments. It finds the others on its `PATH`.
    pub(crate) fn command(&self, tool: Tool) -> Command {
        let mut command = program(self.program(tool));
        command.env("PATH", self.path());
        command
    }

    /// `PATH` with the pinned tools in front.
    fn path(&self) -> OsString {
        let all = [Tool::WasmBindgen, Tool::WasmPack, Tool::Trunk, Tool::WasmOpt];
        let ours = all.into_iter().map(|tool| self.bin(tool));
        let theirs = std::env::var_os("PATH").unwrap_or_default();
        std::env::join_paths(ours.chain(std::env::split_paths(&theirs))).unwrap_or(theirs)
    }

    fn home(&self, tool: Tool) -> PathBuf {
        // A scoped package has a slash in its name.
        self.root.join(format!("{}-{}", tool.package().replace('/', "-"), tool.version()))
    }

    /// Where its program is, once it is installed.
    pub(crate) fn program(&self, tool: Tool) -> PathBuf {
        self.bin(tool).join(tool.program())
    }

    fn bin(&self, tool: Tool) -> PathBuf {
        match tool.source() {
            Source::Cargo { .. } | Source::Pip => self.home(tool).join("bin"),
            Source::Npm => self.home(tool).join("node_modules").join(".bin"),
            Source::Chromium(_) => chromium::folder(&self.home(tool)),
        }
    }

    fn works(&self, tool: Tool) -> bool {
        if matches!(tool.source(), Source::Chromium(_)) {
            // This build has no `--version`. The end-to-end run compares the version after the start.
            return self.program(tool).is_file();
        }
        self.command(tool)
            .arg("--version")
            .output()
            .is_ok_and(|output| says_version(&String::from_utf8_lossy(&output.stdout), tool.version_word()))
    }
}

/// Whether `word` stands in `printed` as a word of its own: 0.2.13 is not 0.2.130.
fn says_version(printed: &str, word: &str) -> bool {
    printed.split(|c: char| c.is_whitespace() || c == '(' || c == ')').any(|w| w == word)
}

/// The compiler's WebAssembly half.
///
/// # Errors
/// When it is missing and rustup cannot add it.
pub(crate) fn ensure_wasm_target() -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let sysroot = process::read(program("rustc").args(["--print", "sysroot"]))?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("lib").is_dir() {
        return Ok(());
    }
    say(&format!("adding the compiler's target {TARGET}"));
    process::must_run(program("rustup").args(["target", "add", TARGET])).with_context(|| {
        format!("the compiler cannot build for {TARGET}; install it with `rustup target add {TARGET}`")
    })
}

pub(crate) use browser::{ensure_browser, ensure_firefox, ensure_webkit};
pub(crate) use cpp::ensure_cpp;
pub(crate) use node::{ensure_node, ensure_packages};
pub(crate) use postgres::ensure_postgres;

/// Whether a program of that name is on the `PATH`.
fn on_path(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(name).is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The command-line tool and the crate must be the same version, or the glue does not fit the module.
    #[test]
    fn wasm_bindgen_is_the_version_of_the_crate() {
        let manifest = std::fs::read_to_string(crate::repo::root().join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let pinned = manifest["workspace"]["dependencies"]["wasm-bindgen"].as_str().unwrap();
        assert_eq!(pinned, format!("={}", Tool::WasmBindgen.version()));
    }

    #[test]
    fn binaryen_is_the_version_of_the_package_file() {
        let package = std::fs::read_to_string(crate::repo::root().join("xtask/npm/package.json")).unwrap();
        let package: serde_json::Value = serde_json::from_str(&package).unwrap();
        assert_eq!(package["dependencies"]["binaryen"], Tool::WasmOpt.version());
    }

    #[test]
    fn chromium_is_the_version_of_the_package_files() {
        for tool in [Tool::Chromium115, Tool::Chromium119] {
            let Source::Chromium(folder) = tool.source() else { panic!("{tool:?}") };
            let package =
                std::fs::read_to_string(crate::repo::root().join(folder).join("package.json")).unwrap();
            let package: serde_json::Value = serde_json::from_str(&package).unwrap();
            assert_eq!(package["dependencies"][chromium::PACKAGE], tool.version());
        }
    }

    #[test]
    fn schemathesis_is_the_version_of_the_requirements() {
        let pinned = std::fs::read_to_string(python::requirements()).unwrap();
        let wanted = format!("schemathesis=={}", Tool::Schemathesis.version());
        assert!(pinned.lines().any(|line| line == wanted));
    }

    /// Trunk would otherwise take any version that it finds.
    #[test]
    fn trunk_asks_for_the_same_versions() {
        let config = std::fs::read_to_string(crate::repo::root().join("Trunk.toml")).unwrap();
        let config: toml::Table = config.parse().unwrap();
        assert_eq!(config["tools"]["wasm_bindgen"].as_str(), Some(Tool::WasmBindgen.version_word()));
        assert_eq!(config["tools"]["wasm_opt"].as_str(), Some(Tool::WasmOpt.version_word()));
    }

    #[test]
    fn a_version_is_a_whole_word() {
        assert!(says_version("wasm-bindgen 0.2.130", "0.2.130"));
        assert!(says_version("wasm-opt version 132 (version_132)", "version_132"));
        assert!(!says_version("wasm-bindgen 0.2.1301", "0.2.130"));
        assert!(!says_version("", "0.2.130"));
    }
}
