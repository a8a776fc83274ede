//! Dodo's lists: pages counted from 0, without a total.

use serde::{Deserialize, Serialize};

/// The largest page that Dodo serves.
pub const MAX_PAGE_SIZE: u8 = 100;

/// Which page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PageRequest {
    page_number: u32,
    page_size: u8,
}

impl PageRequest {
    /// The first page with `size` items, which is brought into 1..=100.
    #[must_use]
    pub fn first(size: u8) -> Self {
        Self { page_number: 0, page_size: size.clamp(1, MAX_PAGE_SIZE) }
    }

    /// Counted from 0.
    #[must_use]
    pub fn number(self) -> u32 {
        self.page_number
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What it holds.
    pub items: Vec<T>,
    /// The page after it; `None` when this one was short, and so the last. A list whose last page is full
    /// ends with an empty one.
    pub next: Option<PageRequest>,
}

impl<T> Page<T> {
    pub(crate) fn new(items: Items<T>, request: PageRequest) -> Self {
        let full = items.items.len() >= usize::from(request.page_size);
        let next = request.page_number.checked_add(1).filter(|_| full);
        let next = next.map(|page_number| PageRequest { page_number, ..request });
        Self { items: items.items, next }
    }
}

/// The query string of a list.
#[derive(Serialize)]
pub(crate) struct Paged<'a, F> {
    #[serde(flatten)]
    pub(crate) filter: &'a F,
    #[serde(flatten)]
    pub(crate) page: PageRequest,
}

/// `{"items": [...]}`, the shape of every list answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Items<T> {
    pub(crate) items: Vec<T>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_page_is_the_last() {
        let request = PageRequest::first(2);
        assert_eq!(Page::new(Items { items: vec![1] }, request).next, None);
        let next = Page::new(Items { items: vec![1, 2] }, request).next.unwrap();
        assert_eq!((next.page_number, next.page_size), (1, 2));
        assert_eq!(Page::new(Items { items: Vec::<u8>::new() }, next).next, None);
    }

    #[test]
    fn sizes_stay_within_dodos_limits() {
        assert_eq!(PageRequest::first(0).page_size, 1);
        assert_eq!(PageRequest::first(255).page_size, 100);
    }
}
