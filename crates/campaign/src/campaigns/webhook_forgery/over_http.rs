//! The same over the wire, to a whole proxy: what it answers, and what it holds afterwards.

use std::{collections::BTreeMap, sync::Arc};

use dodo_client::{Mode, ids::CustomerId};
use proxy::{
    clock::ManualClock,
    store::{self, AttemptFilter, InboxInsert, Store},
};
use testkit::{Dodo, Proxy, Setup, exchange};
use upsell_core::domain::Tenant;
use wire::UnixSeconds;

use super::{
    ACCEPTED, EFFECTS, REFUSED, SERVER_ERRORS,
    cases::{Case, Fate},
    message::{KEY, Message, NOW, OLD_KEY, PAID, key_bytes},
};
use crate::report::{Broken, Report};

/// Whose webhooks are signed and no nonsense, and what they have bought.
const GENUINE: (&str, &str) = ("cus_genuine", "pay_genuine");
/// The same of the last one.
const LAST: (&str, &str) = ("cus_last", "pay_last");
/// Who is named by forgeries and by nonsense.
const VICTIM: &str = "cus_victim";

/// What came under one webhook id.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    /// Something was taken that has to be applied.
    applied: bool,
    /// Something was taken.
    taken: bool,
    /// Something was signed.
    signed: bool,
}

/// A proxy that hears what others say in Dodo's name.
pub(super) struct Ear {
    proxy: Proxy,
    setup: Setup,
    /// Every webhook id that it was told, and what came under it.
    told: BTreeMap<String, Told>,
}

impl Ear {
    /// Starts it, at the time of the messages and with both of their keys.
    ///
    /// # Errors
    /// When it does not start.
    pub(super) async fn open(dodo: &Dodo) -> anyhow::Result<Self> {
        let setup = Setup {
            clock: Some(Arc::new(ManualClock::at(UnixSeconds(NOW)))),
            webhook_keys: vec![KEY.to_owned(), OLD_KEY.to_owned()],
            ..Setup::new()?
        };
        Ok(Self { proxy: Proxy::start(dodo, &setup).await?, setup, told: BTreeMap::new() })
    }

    /// Sends a case and judges the answer.
    ///
    /// # Errors
    /// When the proxy cannot be reached.
    pub(super) async fn hear(&mut self, case: &Case, seed: u64, report: &mut Report) -> anyhow::Result<()> {
        let answer = exchange(self.proxy.url(), &case.request()).await?;
        let taken = answer.is_some_and(|status| (200..300).contains(&status));
        // Nonsense that was signed is not called a forgery.
        let refused = match answer {
            Some(401) => !case.verifies,
            Some(status) => (400..500).contains(&status),
            None => case.transport,
        };
        if let Some(id) = case.message().id {
            let told = self.told.entry(id).or_default();
            told.applied |= taken && case.fate == Fate::Take;
            told.taken |= taken;
            told.signed |= case.verifies;
        }
        let question = match (answer, case.fate) {
            (Some(500..), _) => SERVER_ERRORS,
            (_, Fate::Take | Fate::Keep) if !taken => REFUSED,
            (_, Fate::Refuse) if taken => ACCEPTED,
            (_, Fate::Refuse) if !refused => SERVER_ERRORS,
            (_, Fate::Either) if !taken && !refused => SERVER_ERRORS,
            _ => return Ok(()),
        };
        report.broken(Broken::Other(question), seed, format_args!("{}: answered {answer:?}", case.name));
        Ok(())
    }

    /// Has it take one more that is genuine, stops it, and looks at what it holds: what was taken, and nothing else.
    ///
    /// # Errors
    /// When it does not stop, or its store cannot be read.
    pub(super) async fn close(mut self, seed: u64, report: &mut Report) -> anyhow::Result<()> {
        let body = PAID.replace(GENUINE.0, LAST.0).replace(GENUINE.1, LAST.1);
        let last = Message::signed(&key_bytes(KEY), "msg_last", &NOW.to_string(), body.as_bytes());
        let last = Case { fate: Fate::Take, verifies: true, ..Case::from_message("the last", &last) };
        self.hear(&last, seed, report).await?;
        self.proxy.stop().await?;
        let tenant = Tenant { merchant: testkit::MERCHANT.to_owned(), mode: Mode::Test };
        let store = store::open(&self.setup.database.parsed()?, &tenant).await?.store;
        for wrong in effects(&*store, &self.told).await? {
            report.broken(Broken::Other(EFFECTS), seed, wrong);
        }
        store.close().await;
        Ok(())
    }
}

/// What is in the store and should not be, or the other way round.
async fn effects(store: &dyn Store, told: &BTreeMap<String, Told>) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for (buyer, wanted) in [(GENUINE.0, Some(GENUINE.1)), (LAST.0, Some(LAST.1)), (VICTIM, None)] {
        let bought = store.purchases_of(&CustomerId::parse(buyer)?).await?;
        let bought: Vec<&str> = bought.iter().map(|purchase| purchase.payment_id.as_str()).collect();
        if bought != wanted.into_iter().collect::<Vec<_>>() {
            wrong.push(format!("{buyer} has bought {bought:?}"));
        }
    }
    let attempts = store.list_attempts(&AttemptFilter { limit: 10, ..AttemptFilter::default() }).await?;
    let news = store.backlog().await?.waiting;
    if !attempts.is_empty() || news > 0 {
        wrong.push(format!("{news} pieces of news, and {attempts:?}"));
    }
    for (id, told) in told {
        // What is signed and cannot be read is kept unapplied, for a version that reads it.
        let wanted: &[InboxInsert] = match told {
            Told { applied: true, .. } => &[InboxInsert::Duplicate],
            Told { taken: true, .. } => &[InboxInsert::Duplicate, InboxInsert::Unapplied],
            Told { signed: true, .. } => &[InboxInsert::New, InboxInsert::Unapplied],
            Told { .. } => &[InboxInsert::New],
        };
        let found = store.inbox_insert(id, "asked", b"{}", UnixSeconds(NOW), UnixSeconds(NOW)).await?;
        if !wanted.contains(&found) {
            wrong.push(format!("{id:.80}: {found:?} instead of {wanted:?}"));
        }
    }
    Ok(wrong)
}

impl Case {
    /// A forgery.
    pub(super) fn from_message(name: &str, message: &Message) -> Self {
        let Message { id, timestamp, signature, body } = message;
        let header = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| (name.to_owned(), value.clone().into_bytes()))
        };
        let headers =
            [("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signature)];
        Self {
            name: name.to_owned(),
            headers: headers.iter().filter_map(|(name, value)| header(name, value)).collect(),
            body: body.clone(),
            verifies: false,
            fate: Fate::Refuse,
            transport: false,
            chunked: false,
        }
    }

    /// All of it, byte for byte.
    fn request(&self) -> Vec<u8> {
        let mut request = b"POST /webhooks/dodo HTTP/1.1\r\nhost: proxy\r\nconnection: close\r\n\
            content-type: application/json\r\n"
            .to_vec();
        let framing = match self.chunked {
            true => "transfer-encoding: chunked\r\n".to_owned(),
            false => format!("content-length: {}\r\n", self.body.len()),
        };
        request.extend(framing.into_bytes());
        for (name, value) in &self.headers {
            request.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        request.extend(b"\r\n");
        if self.chunked {
            for chunk in self.body.chunks(100) {
                request.extend([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
            }
            request.extend(b"0\r\n\r\n");
        } else {
            request.extend(&self.body);
        }
        request
    }
}

/// A message as it arrives over HTTP, which takes away blanks around a value. `None`: its headers would end a line, so
/// that it would be another message.
pub(super) fn arriving(message: &Message) -> Option<Message> {
    let trimmed =
        |value: &Option<String>| value.as_ref().map(|value| value.trim_matches([' ', '\t']).to_owned());
    let whole = Message {
        id: trimmed(&message.id),
        timestamp: trimmed(&message.timestamp),
        signature: trimmed(&message.signature),
        body: message.body.clone(),
    };
    let headers = [&whole.id, &whole.timestamp, &whole.signature];
    let ends_a_line = headers.into_iter().flatten().any(|value| value.contains(['\r', '\n']));
    (!ends_a_line).then_some(whole)
}
