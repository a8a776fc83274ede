//! Running other programs: one way to start them, with an environment that does not depend on who started us.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result, bail};

/// What `cargo run` and a developer's shell set that would change how nested builds behave, or make cargo rebuild.
fn leaks(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "CARGO",
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_MAKEFLAGS",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTFLAGS",
        // Trunk 0.21 refuses the usual value 1.
        "NO_COLOR",
        // wasm-pack and cargo would build for it.
        "CARGO_BUILD_TARGET",
    ];
    const PREFIXES: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_PROFILE_", "CARGO_BUILD_RUSTFLAGS"];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// A program to run in the repository's root.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(crate::repo::root());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(leaks) {
            command.env_remove(name);
        }
    }
    command
}

/// Cargo itself.
pub(crate) fn cargo() -> Command {
    program("cargo")
}

/// Says what is about to happen, so that minutes of silence have a name.
pub(crate) fn say(what: &str) {
    eprintln!("==> {what}");
}

/// The command as one would type it, for messages.
pub(crate) fn line_of(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line
}

/// Runs to the end. All it prints is progress and goes to standard error: standard output is for results.
///
/// # Errors
/// When it cannot be started or ends with anything but success.
pub(crate) fn must_run(command: &mut Command) -> Result<()> {
    let line = line_of(command);
    let status =
        command.stdout(std::io::stderr()).status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// Runs to the end and gives what it printed.
///
/// # Errors
/// When it cannot be started or ends with anything but success.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let line = line_of(command);
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        bail!("`{line}` ended with {}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed something that is not UTF-8"))
}

/// Runs to the end, shows what it prints to standard output while it runs, and gives that with how it ended.
///
/// # Errors
/// When it cannot be started or its output cannot be read. Ending badly is not an error here.
pub(crate) fn watch(command: &mut Command) -> Result<(ExitStatus, String)> {
    let line = line_of(command);
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{line}`"))?;
    let mut printed = String::new();
    if let Some(stdout) = child.stdout.take() {
        let mut ours = std::io::stdout().lock();
        let mut reader = BufReader::new(stdout);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes)? > 0 {
            ours.write_all(&bytes)?;
            printed.push_str(&String::from_utf8_lossy(&bytes));
            bytes.clear();
        }
    }
    Ok((child.wait()?, printed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_run_sets_is_taken_away_and_the_rest_is_kept() {
        for name in
            ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "RUSTFLAGS", "NO_COLOR", "CARGO_PROFILE_DEV_DEBUG"]
        {
            assert!(leaks(name), "{name}");
        }
        for name in ["PATH", "CARGO_HOME", "CARGO_TARGET_DIR", "RUSTUP_TOOLCHAIN", "CARGO_NET_OFFLINE"] {
            assert!(!leaks(name), "{name}");
        }
    }

    #[test]
    fn a_program_that_fails_is_an_error_with_its_name() {
        let error = must_run(Command::new("false").arg("--why")).unwrap_err().to_string();
        assert!(error.contains("false --why"), "{error}");
        assert!(read(&mut Command::new("no-such-program-here")).is_err());
    }

    #[test]
    fn watching_gives_the_output_of_a_program_that_fails() {
        let (status, printed) = watch(Command::new("sh").args(["-c", "echo one; exit 3"])).unwrap();
        assert_eq!((status.code(), printed.as_str()), (Some(3), "one\n"));
    }
}
