//! Chance by hashing: every decision follows from a seed and the names of what is decided. Must never
//! keep state between decisions.

/// A row of random numbers that belongs to one decision.
#[derive(Debug)]
pub(super) struct Draw(fastrand::Rng);

impl Draw {
    /// The row for `about` under `seed`.
    pub(super) fn new(seed: u64, about: &[&str]) -> Self {
        // FNV-1a: `std`'s hasher may change from one release to the next.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut eat =
            |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        seed.to_le_bytes().into_iter().for_each(&mut eat);
        for part in about {
            part.bytes().for_each(&mut eat);
            eat(0xff); // never in UTF-8, so parts cannot run together
        }
        // FNV leaves the high bits of short texts alike.
        hash ^= hash >> 32;
        hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
        Self(fastrand::Rng::with_seed(hash ^ (hash >> 32)))
    }

    /// A number, both ends included. Takes exactly one number off the row, whatever the range, so that
    /// a change to one setting leaves the other draws as they were.
    pub(super) fn between(&mut self, min: u64, max: u64) -> u64 {
        let width = u128::from(max.saturating_sub(min)) + 1;
        let part = (u128::from(self.0.u64(..)) * width) >> 64;
        min + u64::try_from(part).unwrap_or(0)
    }

    /// True in `per_mille` of a thousand cases.
    pub(super) fn happens(&mut self, per_mille: u16) -> bool {
        self.between(0, 999) < u64::from(per_mille)
    }

    /// Sixteen hexadecimal digits.
    pub(super) fn token(&mut self) -> String {
        format!("{:016x}", self.0.u64(..))
    }
}
