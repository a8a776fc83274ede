//! What the standalone page says beside the widget. A table of its own, so that the elements do not carry it.

use super::Language;

/// Words of the standalone page. None of them says anything about money: the page knows nothing of a charge where it says them.
pub struct PagePhrases {
    /// The page was opened without a token.
    pub reopen: &'static str,
    /// The token is over, or belongs to another browser.
    pub session_ended: &'static str,
    /// The backend could not be reached.
    pub unreachable: &'static str,
    /// There is no offer, or not any more.
    pub nothing: &'static str,
}

const ENGLISH: PagePhrases = PagePhrases {
    reopen: "Please open this page from the shop again.",
    session_ended: "This page has been open for too long, or was opened in another browser first. Please open it from the shop again.",
    unreachable: "This page could not be loaded. Please reload it.",
    nothing: "There is nothing to show here at the moment.",
};

const JAPANESE: PagePhrases = PagePhrases {
    reopen: "ショップからこのページをもう一度開いてください。",
    session_ended: "このページの有効期限が切れたか、先に別のブラウザーで開かれています。ショップからもう一度開いてください。",
    unreachable: "ページを読み込めませんでした。再度読み込んでください。",
    nothing: "現在、ここに表示するものはありません。",
};

impl Language {
    /// Its words for the standalone page.
    #[must_use]
    pub fn page_phrases(self) -> &'static PagePhrases {
        match self {
            Self::English => &ENGLISH,
            Self::Japanese => &JAPANESE,
        }
    }
}
