//! `cargo xtask fuzz`: the targets of `crates/fuzz-targets` under libFuzzer.
//!
//! They are compiled by the pinned stable compiler with coverage instrumentation and with checks of overflow, without a
//! sanitizer (docs/adr). What the fuzzer comes to know stays in `fuzz/corpus`, and what broke a target in
//! `fuzz/artifacts`; neither is kept in the repository.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::process::{must_run, say};
use crate::repo;
use crate::tools::{Tool, Toolbox, ensure_cpp};

/// Options of `fuzz`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A target's name, or `all`.
    #[arg(default_value = "all")]
    name: String,
    /// How long each target runs.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Runs the target once, on this input.
    #[arg(long)]
    replay: Option<PathBuf>,
}

/// Builds the targets and runs them one after the other. A line for each goes to standard output.
///
/// # Errors
/// When one could not be built or run, or found an input that breaks it.
pub(crate) fn run(args: &Args) -> Result<()> {
    let names = chosen(&std::fs::read_to_string(folder().join("Cargo.toml"))?, &args.name)?;
    let tools = Toolbox::new()?;
    ensure_cpp()?;
    tools.ensure(&[Tool::CargoFuzz])?;
    if let Some(input) = &args.replay {
        let [name] = names.as_slice() else { bail!("`--replay` needs the name of one target") };
        let input = std::path::absolute(input)?;
        return must_run(cargo_fuzz(&tools, "run").arg(name).arg(input));
    }
    say("building the fuzz targets");
    must_run(&mut cargo_fuzz(&tools, "build"))?;
    let mut broken = Vec::new();
    for name in names {
        say(&format!("fuzzing {name} for {} s", args.seconds));
        let found = fuzz(&tools, &name, args.seconds)?;
        println!("{}", found.line(&name));
        if !found.crashes.is_empty() {
            eprintln!("{}", found.log);
            for input in &found.crashes {
                eprintln!("{name} does not survive {input}; again: cargo xtask fuzz {name} --replay {input}");
            }
            broken.push(name);
        }
    }
    if !broken.is_empty() {
        bail!("broken: {}", broken.join(", "));
    }
    Ok(())
}

fn folder() -> PathBuf {
    repo::root().join("fuzz")
}

/// The binaries of the manifest that are meant.
fn chosen(manifest: &str, name: &str) -> Result<Vec<String>> {
    let manifest: toml::Table = manifest.parse().context("fuzz/Cargo.toml cannot be read")?;
    let binaries = manifest.get("bin").and_then(toml::Value::as_array).into_iter().flatten();
    let names: Vec<String> =
        binaries.filter_map(|binary| Some(binary.get("name")?.as_str()?.to_owned())).collect();
    match names.iter().find(|known| *known == name) {
        Some(one) => Ok(vec![one.clone()]),
        None if name == "all" && !names.is_empty() => Ok(names),
        None => bail!("no target `{name}`; there are {}, and `all`", names.join(", ")),
    }
}

/// The same flags for building and running, or everything is compiled twice. `cfg(fuzzing)` stays off: libraries may
/// weaken themselves under it, and what is tried is what is shipped.
fn cargo_fuzz(tools: &Toolbox, command: &str) -> Command {
    let mut fuzz = tools.command(Tool::CargoFuzz);
    fuzz.args([command, "--sanitizer", "none", "--no-cfg-fuzzing"]);
    fuzz
}

/// Runs one target until its time is over, or an input breaks it.
fn fuzz(tools: &Toolbox, name: &str, seconds: u64) -> Result<Found> {
    let (corpus, seeds) = (folder().join("corpus").join(name), folder().join("corpus_seed").join(name));
    let log = folder().join("artifacts").join(format!("{name}.log"));
    std::fs::create_dir_all(&corpus)?;
    std::fs::create_dir_all(folder().join("artifacts"))?;
    let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let began = Instant::now();
    let status = cargo_fuzz(tools, "run")
        .arg(name)
        .args([&corpus, &seeds])
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-dict={}", folder().join("words.dict").display()))
        // An input that takes so long is a crash too.
        .args(["-timeout=10", "-print_final_stats=1"])
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .context("cannot start cargo-fuzz")?;
    let log = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
    let found = Found::read(&log, began.elapsed().as_secs());
    if status.success() != found.crashes.is_empty() || found.executions == 0 {
        bail!("{log}\nfuzzing {name} ended with {status}");
    }
    Ok(found)
}

/// What a run found.
struct Found {
    executions: u64,
    seconds: u64,
    /// Paths of the inputs that break the target.
    crashes: Vec<String>,
    /// How the run ended, in libFuzzer's words.
    log: String,
}

impl Found {
    /// Reads libFuzzer's own account.
    fn read(log: &str, seconds: u64) -> Self {
        let executions = log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
        let crashes = log.lines().filter_map(|line| line.split_once("Test unit written to "));
        let lines: Vec<_> = log.lines().collect();
        Self {
            executions: executions.and_then(|number| number.trim().parse().ok()).unwrap_or(0),
            seconds,
            crashes: crashes.map(|(_, path)| relative(path.trim())).collect(),
            log: lines.get(lines.len().saturating_sub(60)..).unwrap_or_default().join("\n"),
        }
    }

    fn line(&self, name: &str) -> String {
        let (executions, crashes) = (self.executions, self.crashes.len());
        format!("fuzz {name}: execs={executions} seconds={} crashes={crashes}", self.seconds)
    }
}

/// A path as one would type it in the repository's root.
fn relative(path: &str) -> String {
    let path = Path::new(path);
    path.strip_prefix(repo::root()).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[[bin]]\nname = \"webhook\"\n[[bin]]\nname = \"token\"\n";

    #[test]
    fn one_target_or_all_of_them() {
        assert_eq!(chosen(MANIFEST, "token").unwrap(), ["token"]);
        assert_eq!(chosen(MANIFEST, "all").unwrap(), ["webhook", "token"]);
        let error = chosen(MANIFEST, "tokens").unwrap_err().to_string();
        assert_eq!(error, "no target `tokens`; there are webhook, token, and `all`");
        assert!(chosen("", "all").is_err(), "none to run is not all of them");
    }

    #[test]
    fn libfuzzers_account_is_read() {
        let log = "#1 INITED\nDone 12 runs in 3 second(s)\nstat::number_of_executed_units: 12\n";
        let found = Found::read(log, 3);
        assert_eq!(found.line("token"), "fuzz token: execs=12 seconds=3 crashes=0");
        let path = repo::root().join("fuzz/artifacts/token/crash-1");
        let log = format!(
            "artifact_prefix='x'; Test unit written to {}\nstat::number_of_executed_units: 7",
            path.display()
        );
        let found = Found::read(&log, 1);
        assert_eq!(found.line("token"), "fuzz token: execs=7 seconds=1 crashes=1");
        assert_eq!(found.crashes, ["fuzz/artifacts/token/crash-1"]);
    }
}
