//! Text of elements.

use leptos::prelude::PropAttribute;
use leptos::tachys::html::property::IntoProperty;
use leptos::web_sys::Element;

/// Gives an element its text, as a whole.
///
/// Translators and other extensions replace text nodes on the page with nodes of their own. A text node that is kept to be
/// written into later is then not on the page any more, and what it says is never seen. So the text belongs to the element:
/// another one replaces everything that stands in it, whoever put it there.
pub(super) trait Words: Sized {
    /// The element with its text.
    type Output;

    /// Gives the element this text. It has no other children.
    fn text(self, words: impl Into<String>) -> Self::Output;
}

impl<T: PropAttribute<&'static str, Text>> Words for T {
    type Output = T::Output;

    fn text(self, words: impl Into<String>) -> Self::Output {
        self.prop(TEXT_CONTENT, Text(words.into()))
    }
}

/// The property that a [`Text`] is.
pub(super) const TEXT_CONTENT: &str = "textContent";

/// All of an element's text. Written only where it is another one: a translation of the same words stays, and assistive
/// technology does not hear them twice.
#[derive(Clone)]
pub(super) struct Text(pub(super) String);

impl IntoProperty for Text {
    type State = (Element, String);
    type Cloneable = Self;
    type CloneableOwned = Self;

    fn hydrate<const FROM_SERVER: bool>(self, element: &Element, key: &str) -> Self::State {
        self.build(element, key)
    }

    fn build(self, element: &Element, _: &str) -> Self::State {
        element.set_text_content(Some(&self.0));
        (element.clone(), self.0)
    }

    fn rebuild(self, (element, written): &mut Self::State, _: &str) {
        if self.0 != *written {
            element.set_text_content(Some(&self.0));
            *written = self.0;
        }
    }

    fn into_cloneable(self) -> Self::Cloneable {
        self
    }

    fn into_cloneable_owned(self) -> Self::CloneableOwned {
        self
    }
}
