//! One running server of the stack: started, awaited, watched, ended with us.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long a server may take to say that it listens.
const START: Duration = Duration::from_secs(30);
/// How long a server may take to end after it was asked to, before it is killed.
const END: Duration = Duration::from_secs(3);

/// A started server. Dropping it ends the process.
pub(super) struct Service {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Service {
    /// Starts `command` and waits for its line `… listening on …`. What it prints goes to `<name>.log` in `logs`.
    ///
    /// # Errors
    /// When it cannot be started, ends at once, or says nothing within the time allowed; with the end of its log.
    pub(super) fn start(name: &'static str, command: &mut Command, logs: &Path) -> Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file.try_clone()?)
            .spawn()
            .with_context(|| format!("cannot start {name} ({})", command.get_program().to_string_lossy()))?;
        let ready = child.stdout.take().map(|stdout| copy_and_watch(stdout, file));
        let mut service = Self { name, child, log };
        match ready.map(|ready| ready.recv_timeout(START)) {
            Some(Ok(())) => Ok(service),
            Some(Err(RecvTimeoutError::Timeout)) => {
                bail!("{name} did not listen within {} s:\n{}", START.as_secs(), service.last_words())
            }
            Some(Err(RecvTimeoutError::Disconnected)) | None => {
                let status = service.child.wait()?;
                bail!("{name} ended with {status} before it listened:\n{}", service.last_words())
            }
        }
    }

    /// Its name, for messages.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// How it ended, when it has.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// The end of its log.
    pub(super) fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(20)).map(|line| format!("  {line}\n")).collect()
    }

    /// Asks it to end, as a process manager would, so that it finishes what it has begun.
    fn ask_to_end(&self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).stderr(Stdio::null()).status();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // After Ctrl-C in a terminal it is ending already: the signal went to the whole group.
        self.ask_to_end();
        let deadline = Instant::now() + END;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies everything to the log; the receiver hears once, when the server says that it listens, and is disconnected
/// when it ends without.
fn copy_and_watch(stdout: impl std::io::Read + Send + 'static, mut log: File) -> Receiver<()> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut sender = Some(sender);
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = writeln!(log, "{line}");
            if line.contains("listening on")
                && let Some(sender) = sender.take()
            {
                let _ = sender.send(());
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(script: &str) -> Result<Service> {
        let dir = tempfile::tempdir().unwrap();
        Service::start("shell", Command::new("sh").args(["-c", script]), dir.path())
    }

    #[test]
    fn a_server_is_started_when_it_says_so_and_ended_when_dropped() {
        let mut service = start("echo shell listening on nowhere; exec sleep 60").unwrap();
        assert!(service.ended().unwrap().is_none());
        let id = service.child.id();
        drop(service);
        let alive =
            Command::new("kill").args(["-0", &id.to_string()]).stderr(Stdio::null()).status().unwrap();
        assert!(!alive.success());
    }

    #[test]
    fn a_server_that_ends_early_is_an_error_with_its_last_words() {
        let error = start("echo no merchant key >&2; exit 2").map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("no merchant key") && error.contains('2'), "{error}");
    }
}
