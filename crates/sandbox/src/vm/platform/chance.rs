//! `Math.random`: quick, begun anew by the kernel's randomness in each run that asks, and no secret.

use std::cell::Cell;

use rustix::rand::{GetRandomFlags, getrandom};

/// Where one run's numbers stand; 0 before the first.
#[derive(Debug, Default)]
pub(in crate::vm) struct Chance(Cell<u64>);

impl Chance {
    /// The next number, at least 0 and less than 1.
    pub(in crate::vm) fn next(&self) -> f64 {
        let mut state = match self.0.get() {
            0 => seed(),
            state => state,
        };
        // xorshift64* (S. Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled").
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        self.0.set(state);
        // The 53 bits that a double's fraction has room for.
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The next run's numbers have nothing to do with this one's.
    pub(in crate::vm) fn forget(&self) {
        self.0.set(0);
    }
}

fn seed() -> u64 {
    let mut bytes = [0; 8];
    // It may fail early in the machine's life only; then the numbers are as good as a constant's, and still no secret.
    let _ = getrandom(&mut bytes, GetRandomFlags::empty());
    u64::from_ne_bytes(bytes) | 1
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn numbers_are_spread_and_begin_anew() {
        let chance = Chance::default();
        let mut tenths = [0_u32; 10];
        for _ in 0..10_000 {
            tenths[(chance.next() * 10.0) as usize] += 1;
        }
        assert!(tenths.iter().all(|count| (800..1200).contains(count)), "{tenths:?}");
        let first = {
            chance.forget();
            chance.next()
        };
        chance.forget();
        assert!(chance.next() != first);
    }
}
