//! Forgeries drawn from a seed: a genuine webhook with one to three things changed that a forger, a broken relay or a
//! careless library would change.

use rand::{Rng, RngExt, seq::IndexedRandom};

use super::message::{KEY, Message, NOW, key_bytes, sign};

/// A change of a message, with its name.
type Change = (&'static str, fn(&mut Message, &[Message], &mut dyn Rng));

const CHANGES: &[Change] = &[
    ("id: a character", |m, _, rng| spoil(&mut m.id, rng)),
    ("id: of another message", |m, seen, rng| m.id = other(seen, rng).id),
    ("id: a dot moves to the time", |m, _, rng| {
        // `id.time.body` reads the same with the dot elsewhere.
        let (id, time) = (m.id.take().unwrap_or_default(), m.timestamp.take().unwrap_or_default());
        let cut = rng.random_range(0..=time.chars().count());
        m.id = Some(format!("{id}.{}", time.chars().take(cut).collect::<String>()));
        m.timestamp = Some(time.chars().skip(cut).collect());
    }),
    ("id: empty", |m, _, _| m.id = Some(String::new())),
    ("time: a character", |m, _, rng| spoil(&mut m.timestamp, rng)),
    ("time: another", |m, _, rng| {
        m.timestamp = Some((NOW + rng.random_range(-100_000..=100_000_i64)).to_string());
    }),
    ("time: signed long ago or ahead", |m, _, rng| {
        let away = rng.random_range(301..=10_000_000_i64) * [-1, 1][rng.random_range(0..2)];
        resign(m, (NOW + away).to_string());
    }),
    ("time: signed, in another notation", |m, _, rng| {
        let plain = NOW.to_string();
        let forms = [
            format!("+{plain}"),
            format!(" {plain}"),
            format!("{plain} "),
            format!("{plain}.0"),
            format!("{plain}abc"),
            format!("{plain},{plain}"),
            format!("{NOW:#x}"),
            format!("{plain}e0"),
            format!("-{plain}"),
            i64::MIN.to_string(),
            i64::MAX.to_string(),
            u128::MAX.to_string(),
            "١٦٤٩٣٦٧٥٥٣".to_owned(),
            String::new(),
        ];
        resign(m, forms[rng.random_range(0..forms.len())].clone());
    }),
    ("signature: a character", |m, _, rng| spoil(&mut m.signature, rng)),
    ("signature: of another message", |m, seen, rng| m.signature = other(seen, rng).signature),
    ("signature: another version", |m, _, rng| {
        let bare = bare(m);
        let version = ["v1a", "v2", "V1", "v01", "v1 ", "", "hmac-sha256", "v1,v1"][rng.random_range(0..8)];
        m.signature = Some(format!("{version},{bare}"));
    }),
    ("signature: another alphabet or padding", |m, _, rng| {
        let bare = bare(m);
        let forms = [
            bare.replace('+', "-").replace('/', "_"),
            bare.trim_end_matches('=').to_owned(),
            format!("{bare}="),
            format!("{bare}\n"),
            bare.to_lowercase(),
            bare.chars().rev().collect(),
        ];
        m.signature = Some(format!("v1,{}", forms[rng.random_range(0..forms.len())]));
    }),
    ("signature: cut", |m, _, rng| {
        let signature = m.signature.take().unwrap_or_default();
        let cut = rng.random_range(0..signature.len().max(1));
        m.signature = Some(signature.chars().take(cut).collect());
    }),
    ("signature: by another key", |m, _, rng| {
        let length = rng.random_range(0..=64_usize);
        let key: Vec<u8> = (0..length).map(|_| rng.random()).collect();
        m.signature = Some(format!("v1,{}", sign(&key, &signed_parts(m))));
    }),
    ("signature: by the empty key", |m, _, _| {
        m.signature = Some(format!("v1,{}", sign(b"", &signed_parts(m))))
    }),
    ("signature: by the key as text", |m, _, rng| {
        let text = [KEY, KEY.trim_start_matches("whsec_")][rng.random_range(0..2)];
        m.signature = Some(format!("v1,{}", sign(text.as_bytes(), &signed_parts(m))));
    }),
    ("signature: over other parts", |m, _, rng| {
        let parts = signed_parts(m);
        let key = key_bytes(KEY);
        let [id, time, body] = parts;
        let over: [&[&[u8]]; 6] =
            [&[body], &[time, body], &[id, body], &[id, time], &[time, id, body], &[body, time, id]];
        let signature = sign(&key, over[rng.random_range(0..over.len())]);
        m.signature = Some(format!("v1,{signature}"));
    }),
    ("signature: a crowd of wrong ones", |m, _, rng| {
        let crowd: Vec<String> = (0..rng.random_range(1..300_u32))
            .map(|n| format!("v1,{}", sign(&n.to_le_bytes(), &signed_parts(m))))
            .collect();
        m.signature = Some(crowd.join(" "));
    }),
    ("signature: joined by something else", |m, _, rng| {
        let own = m.signature.take().unwrap_or_default();
        let joint = [",", ";", "\t", "|", "%20", "\u{a0}"][rng.random_range(0..6)];
        m.signature = Some(format!("v1,AAAA{joint}{own}"));
    }),
    ("header: missing", |m, _, rng| {
        *[&mut m.id, &mut m.timestamp, &mut m.signature][rng.random_range(0..3)] = None
    }),
    ("body: a bit", |m, _, rng| {
        if let Some(at) = place(&m.body, rng) {
            m.body[at] ^= 1 << rng.random_range(0..8_u8);
        }
    }),
    ("body: a byte more", |m, _, rng| {
        let at = rng.random_range(0..=m.body.len());
        m.body.insert(at, [b' ', b'\n', 0, b'0', 0xff][rng.random_range(0..5)]);
    }),
    ("body: a byte less", |m, _, rng| {
        if let Some(at) = place(&m.body, rng) {
            m.body.remove(at);
        }
    }),
    ("body: cut", |m, _, rng| {
        if let Some(at) = place(&m.body, rng) {
            m.body.truncate(at);
        }
    }),
    ("body: two bytes change places", |m, _, rng| {
        if let (Some(a), Some(b)) = (place(&m.body, rng), place(&m.body, rng)) {
            m.body.swap(a, b);
        }
    }),
    ("body: of another message", |m, seen, rng| m.body = other(seen, rng).body),
    ("body: written again", |m, _, _| m.body = spaced(&m.body)),
    ("body: a byte-order mark", |m, _, _| {
        m.body.splice(0..0, *b"\xef\xbb\xbf");
    }),
    ("body: in UTF-16", |m, _, _| {
        m.body = String::from_utf8_lossy(&m.body).encode_utf16().flat_map(u16::to_le_bytes).collect();
    }),
    ("body: another amount", |m, _, rng| {
        let text =
            String::from_utf8_lossy(&m.body).replace("4900", &rng.random_range(0..4900_u32).to_string());
        m.body = text.into_bytes();
    }),
    ("body: another buyer", |m, _, _| {
        m.body = String::from_utf8_lossy(&m.body).replace("cus_genuine", "cus_victim").into_bytes();
    }),
    ("body: said twice", |m, _, _| m.body = m.body.repeat(2)),
];

/// A forgery made of what the forger has `seen`, and what was done to make it one.
pub(super) fn forgery(seen: &[Message], rng: &mut dyn Rng) -> (Message, Vec<&'static str>) {
    loop {
        let (mut message, mut what) = (other(seen, rng), Vec::new());
        for _ in 0..rng.random_range(1..=3_u8) {
            if let Some((name, change)) = CHANGES.choose(rng) {
                change(&mut message, seen, rng);
                what.push(*name);
            }
        }
        // Some changes cancel out, or change nothing: two bytes that were alike, the same message's body.
        if !message.is_genuine(seen, NOW) {
            return (message, what);
        }
    }
}

fn other(seen: &[Message], rng: &mut dyn Rng) -> Message {
    seen[rng.random_range(0..seen.len())].clone()
}

fn signed_parts(m: &Message) -> [&[u8]; 3] {
    let text = |part: &'static str| part.as_bytes();
    [
        m.id.as_deref().map_or(text(""), str::as_bytes),
        m.timestamp.as_deref().map_or(text(""), str::as_bytes),
        &m.body,
    ]
}

/// Signed with the right key at another time: it is the time that must be refused.
fn resign(m: &mut Message, timestamp: String) {
    m.timestamp = Some(timestamp);
    m.signature = Some(format!("v1,{}", sign(&key_bytes(KEY), &signed_parts(m))));
}

fn bare(m: &Message) -> String {
    m.signature.as_deref().unwrap_or_default().trim_start_matches("v1,").to_owned()
}

fn place(bytes: &[u8], rng: &mut dyn Rng) -> Option<usize> {
    (!bytes.is_empty()).then(|| rng.random_range(0..bytes.len()))
}

/// Takes away, adds or changes one character.
fn spoil(text: &mut Option<String>, rng: &mut dyn Rng) {
    let mut chars: Vec<char> = text.take().unwrap_or_default().chars().collect();
    let strange = ['0', 'A', '=', ' ', '\t', '.', ',', '\u{0}', '\u{7f}', 'é', '\r', '\n'];
    let new = strange[rng.random_range(0..strange.len())];
    let at = rng.random_range(0..=chars.len());
    match rng.random_range(0..3_u8) {
        0 => chars.insert(at, new),
        1 if at < chars.len() => chars[at] = new,
        _ if at < chars.len() => drop(chars.remove(at)),
        _ => chars.push(new),
    }
    *text = Some(chars.into_iter().collect());
}

/// The same JSON with a space behind every comma, as many libraries write it.
fn spaced(body: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(body).replace(',', ", ").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{campaigns::webhook_forgery::message::originals, plan::rng};

    #[test]
    fn every_change_makes_forgeries_and_none_is_genuine() {
        let (seen, mut made) = (originals(), Vec::<&str>::new());
        for seed in 0..3000 {
            let (message, what) = forgery(&seen, &mut rng(seed));
            assert!(!message.is_genuine(&seen, NOW), "{what:?}");
            made.extend(what);
        }
        for (name, _) in CHANGES {
            assert!(made.contains(name), "{name}");
        }
    }
}
