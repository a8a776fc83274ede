//! What the buyer sees. Plain functions: a slice of the flow's view in, elements out; what the buyer does goes out
//! through [`crate::dispatch::Dispatch`].
//!
//! | file | what |
//! |---|---|
//! | [`widget`] | the two roots: one `match` on the view each, the region, what assistive technology hears |
//! | `offer_card` | the offer |
//! | `plan_comparison` | the plans side by side |
//! | `confirm_dialog` | the preview to confirm, on a native `<dialog>` |
//! | `leaving_dialog` | in its place: what is proposed before a buyer leaves their plan, and cancelling |
//! | `outcome` | waiting, done, failed: the same for offers and plan changes |
//! | `quote_lines`, `price` | amounts |
//! | `notice`, `button` | messages and ways on |
//! | `focus` | who has the focus after a change, and what Escape does |
//! | `locale` | words and formats of one language |
//! | [`words`] | text of elements |
//!
//! Rules of this folder: no business rule, no fetch, no clock, no sentence. Every view is drawn anew from the flow's
//! view and put over the old one in place, so that elements keep their focus; a change of kind, and another amount or timing,
//! replaces them. Text belongs to its element ([`words`]), and is never kept as a text node to be written into later: others
//! write on the page too.
//!
//! Elements are made with the builders of `leptos::html`, not with `view!`: the macro turns fixed markup into
//! `innerHTML`, which pages with Trusted Types forbid.

mod button;
mod confirm_dialog;
mod focus;
mod leaving_dialog;
mod locale;
mod notice;
mod offer_card;
mod outcome;
mod plan_comparison;
mod price;
mod quote_lines;
mod widget;
mod words;

pub use locale::Locale;
pub use widget::{offer, offer_meant, plans, plans_meant, sentence};
