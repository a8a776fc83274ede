//! Tags join a reply or a timer to the request that caused it, so that stale ones can be told apart.

/// Names one request, timer or watch. Never given out twice by one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag(u32);

/// Gives out tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(u32);

impl Tags {
    /// A tag that no earlier call returned.
    #[must_use = "a tag that is not kept matches no reply"]
    pub fn fresh(&mut self) -> Tag {
        // Four billion requests from one page: wrapping is out of reach, and must not panic.
        self.0 = self.0.wrapping_add(1);
        Tag(self.0)
    }
}
