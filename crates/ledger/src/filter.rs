//! Which keys the tables may hold: an answer from memory for the many that they do not. Must never say
//! no to a key that was put in; it says yes to fewer than one in a hundred that were not.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::Digest;

/// With eight probes a full layer says yes wrongly to 0.3 %.
const BITS_A_KEY: usize = 12;
const PROBES: u64 = 8;
/// 1.5 MiB.
const FIRST: usize = 1 << 20;
/// A filter of three layers holds 21 times the first.
const GROWTH: usize = 4;

/// Bloom filters, each some times larger than the one before; the last one is being filled.
pub(crate) struct Filter {
    layers: RwLock<Vec<Layer>>,
}

struct Layer {
    bits: Box<[AtomicU64]>,
    keys: AtomicUsize,
    keys_max: usize,
}

impl Filter {
    /// With room for `keys`.
    pub(crate) fn for_keys(keys: usize) -> Self {
        Self::with_first(keys.max(FIRST))
    }

    fn with_first(keys_max: usize) -> Self {
        Self { layers: RwLock::new(vec![Layer::new(keys_max)]) }
    }

    /// From now on `may_hold` says yes to `key`.
    pub(crate) fn insert(&self, key: Digest) {
        {
            let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(last) = layers.last()
                && last.keys.fetch_add(1, Ordering::Relaxed) < last.keys_max
            {
                return last.insert(key);
            }
        }
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        let keys_max = layers.last().map_or(FIRST, |last| last.keys_max.saturating_mul(GROWTH));
        let layer = Layer::new(keys_max);
        layer.keys.store(1, Ordering::Relaxed);
        layer.insert(key);
        layers.push(layer);
    }

    /// No means no; yes means look.
    pub(crate) fn may_hold(&self, key: Digest) -> bool {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        layers.iter().any(|layer| layer.may_hold(key))
    }
}

impl Layer {
    fn new(keys_max: usize) -> Self {
        let words = keys_max.saturating_mul(BITS_A_KEY).div_ceil(64);
        let bits = std::iter::repeat_with(|| AtomicU64::new(0)).take(words).collect();
        Self { bits, keys: AtomicUsize::new(0), keys_max }
    }

    fn insert(&self, key: Digest) {
        for (word, bit) in self.probes(key) {
            if let Some(word) = self.bits.get(word) {
                word.fetch_or(bit, Ordering::Release);
            }
        }
    }

    fn may_hold(&self, key: Digest) -> bool {
        let set = |(word, bit): (usize, u64)| {
            self.bits.get(word).is_some_and(|word| word.load(Ordering::Acquire) & bit != 0)
        };
        self.probes(key).all(set)
    }

    /// A digest is as random as any hash of it would be: its halves walk through the bits.
    fn probes(&self, key: Digest) -> impl Iterator<Item = (usize, u64)> {
        let (halves, _) = key.0.as_chunks::<8>();
        let half = |which: usize| halves.get(which).copied().map_or(0, u64::from_le_bytes);
        let (start, stride) = (half(0), half(1));
        let bits = self.bits.len() as u128 * 64;
        (0..PROBES).map(move |probe| {
            let point = start.wrapping_add(probe.wrapping_mul(stride | 1));
            // The product's upper half: a point in as many places as there are bits.
            let bit = (u128::from(point) * bits) >> 64;
            (usize::try_from(bit / 64).unwrap_or(0), 1 << (bit % 64))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(number: u64) -> Digest {
        let hash = blake3::hash(&number.to_le_bytes());
        Digest(*hash.as_bytes().first_chunk().unwrap())
    }

    #[test]
    fn a_grown_filter_holds_every_key_and_few_others() {
        let filter = Filter::with_first(1000);
        for number in 0..21_000 {
            filter.insert(key(number));
        }
        assert_eq!(filter.layers.read().unwrap().len(), 3);
        assert!((0..21_000).all(|number| filter.may_hold(key(number))));
        let wrong = (1_000_000..1_100_000).filter(|number| filter.may_hold(key(*number))).count();
        assert!(wrong < 1000, "{wrong} of 100000");
    }

    proptest! {
        #[test]
        fn no_key_that_was_put_in_is_denied(
            keys in prop::collection::vec(any::<[u8; 16]>(), 1..300), first in 1usize..100,
        ) {
            let filter = Filter::with_first(first);
            for key in &keys {
                filter.insert(Digest(*key));
                prop_assert!(filter.may_hold(Digest(*key)));
            }
            prop_assert!(keys.iter().all(|key| filter.may_hold(Digest(*key))));
        }
    }
}
