//! Records what a process executes, out of what sqlx logs.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use anyhow::Context as _;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::{Context, SubscriberExt as _},
    util::SubscriberInitExt as _,
};

use super::{of_source, plain, source::of_tests};
use crate::history::Engine;

/// Environment variable that names the folder in which processes leave what they executed.
pub const FOLDER: &str = "UPSELL_STATEMENTS";
/// Where sqlx logs each statement once it was executed.
const TARGET: &str = "sqlx::query";

/// Compares each statement with the source. A layer of `tracing`, beside others.
pub struct Recorder {
    known: BTreeSet<String>,
    of_tests: String,
    seen: Mutex<Seen>,
}

struct Seen {
    texts: BTreeSet<String>,
    file: Option<File>,
}

impl Recorder {
    /// Reads the source.
    ///
    /// # Errors
    /// When it cannot be read, or the folder cannot be written.
    pub fn new() -> anyhow::Result<Self> {
        let mut known = BTreeSet::new();
        for engine in [Engine::Sqlite, Engine::Postgres] {
            known.extend(of_source(engine)?.into_iter().map(|found| found.text));
        }
        let file = std::env::var_os(FOLDER).map(open).transpose()?;
        let seen = Mutex::new(Seen { texts: BTreeSet::new(), file });
        Ok(Self { known, of_tests: of_tests()?, seen })
    }

    /// Returns the filter under which this layer sees what it needs and nothing else.
    #[must_use]
    pub fn filter() -> Targets {
        Targets::new().with_target(TARGET, LevelFilter::TRACE)
    }

    fn note(&self, text: &str) {
        let text = plain(text);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.texts.contains(&text) {
            return;
        }
        if !self.known.contains(&text) && self.is_the_stores(&text) {
            // Whoever executed it may be a task that no test waits for: nothing less ends the test.
            let told = format!("a statement was executed that is not in the source of the store: {text}\n");
            drop(std::io::stderr().write_all(told.as_bytes()));
            std::process::abort();
        }
        if let Some(file) = &mut seen.file {
            drop(writeln!(file, "{text}"));
        }
        seen.texts.insert(text);
    }

    /// Every statement of the store binds something, the tenant at least. Tests and migrations execute their own.
    fn is_the_stores(&self, text: &str) -> bool {
        let of_sqlx = ["_sqlx_", "pg_catalog", "pg_try_advisory_lock", "pg_advisory"];
        let asks_for_a_plan = ["EXPLAIN ", "PREPARE "].iter().any(|word| text.starts_with(word));
        text.contains('$')
            && !asks_for_a_plan
            && !of_sqlx.iter().any(|part| text.contains(part))
            && !self.of_tests.contains(text)
    }
}

fn open(folder: std::ffi::OsString) -> anyhow::Result<File> {
    let folder = PathBuf::from(folder);
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{}.txt", std::process::id()));
    OpenOptions::new().create(true).append(true).open(&path).with_context(|| path.display().to_string())
}

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        if event.metadata().target() == TARGET {
            let mut text = Text::default();
            event.record(&mut text);
            self.note(text.whole());
        }
    }
}

/// What an event says of a statement: its first words, and all of it where it has more.
#[derive(Default)]
struct Text {
    summary: String,
    statement: String,
}

impl Text {
    fn whole(&self) -> &str {
        if self.statement.trim().is_empty() { &self.summary } else { &self.statement }
    }
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.statement),
            _ => {}
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn std::fmt::Debug) {}
}

/// Records everything that this process executes from now on. Where something else listens to `tracing` already, nothing:
/// it has a [`Recorder`] among its layers.
///
/// # Errors
/// When the source cannot be read.
pub fn record() -> anyhow::Result<()> {
    static ONCE: Mutex<bool> = Mutex::new(false);
    let mut done = ONCE.lock().unwrap_or_else(PoisonError::into_inner);
    if !*done {
        drop(
            tracing_subscriber::registry().with(Recorder::new()?.with_filter(Recorder::filter())).try_init(),
        );
        *done = true;
    }
    drop(done);
    debug_assert!(tracing::enabled!(target: TARGET, Level::DEBUG));
    Ok(())
}
