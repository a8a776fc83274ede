//! Small values in one word.

/// A word filled from below; what was put last is taken first.
#[derive(Clone, Copy, Default)]
pub(super) struct Bits(pub(super) u64);

impl Bits {
    pub(super) fn put(&mut self, value: u64, width: u32) {
        debug_assert!(value < 1 << width, "{value} does not fit into {width} bits");
        self.0 = self.0 << width | value;
    }

    pub(super) fn take(&mut self, width: u32) -> u64 {
        let value = self.0 & ((1 << width) - 1);
        self.0 >>= width;
        value
    }
}

/// Returns the place of a value in a table that has it.
pub(super) fn place<T: PartialEq>(table: &[T], value: &T) -> u64 {
    table.iter().position(|known| known == value).unwrap_or_default() as u64
}
