//! The hash of `demand::hash` for many rows: MD5 (RFC 1321) of 16 texts at a time, one per lane, in one block of 64 bytes each.
//!
//! Longer texts go the usual way. Every split, fold, bucket and panel is a hash per row, so this is where passes spend their time.

use std::sync::LazyLock;

use crate::demand::{HASH_BITS, hash};
use crate::scalar::wide;

const LANES: usize = 16;
/// Bytes that fit into one block beside the end mark and the length.
const SHORT_MAX: usize = 55;

type Lanes = [u32; LANES];

/// K[i] = floor(2^32 |sin(i + 1)|)
static SINES: LazyLock<[u32; 64]> =
    LazyLock::new(|| std::array::from_fn(|i| (libm::fabs(libm::sin((i + 1) as f64)) * (1u64 << 32) as f64) as u32));

/// Hashes of salt '|' key for every row; `write` appends the key of a row.
pub fn hashes(salt: &str, rows: usize, mut write: impl FnMut(&mut String, usize)) -> Vec<u64> {
    let mut hashes = Vec::with_capacity(rows);
    let mut blocks = [[0; LANES]; 16];
    let mut text = format!("{salt}|");
    let start = text.len();
    for first in (0..rows).step_by(LANES) {
        let mut long = [None; LANES];
        let lanes = LANES.min(rows - first);
        for (lane, long) in long[..lanes].iter_mut().enumerate() {
            text.truncate(start);
            write(&mut text, first + lane);
            match text.len() <= SHORT_MAX {
                true => fill(&mut blocks, lane, text.as_bytes()),
                false => *long = Some(hash(salt, &text.as_bytes()[start..])),
            }
        }
        let short = compress(&blocks, &SINES);
        hashes.extend(long[..lanes].iter().zip(short).map(|(long, short)| long.unwrap_or(short)));
    }
    hashes
}

/// The only block of a short text, in the words of one lane.
fn fill(blocks: &mut [Lanes; 16], lane: usize, text: &[u8]) {
    let mut block = [0u8; 64];
    block[..text.len()].copy_from_slice(text);
    block[text.len()] = 0x80;
    block[56..].copy_from_slice(&(8 * text.len() as u64).to_le_bytes());
    for (word, bytes) in blocks.iter_mut().zip(block.chunks_exact(4)) {
        word[lane] = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
}

wide! {
    /// First 60 bits of the digests.
    fn compress(block: &[Lanes; 16], k: &[u32; 64]) -> [u64; LANES] {
        const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
        let mut state = START.map(|word| [word; LANES]);
        for i in (0..16).step_by(4) {
            let f = |b: u32, c: u32, d: u32| d ^ (b & (c ^ d));
            four::<7, 12, 17, 22>(&mut state, f, |j| (k[i + j], &block[i + j]));
        }
        for i in (0..16).step_by(4) {
            let f = |b: u32, c: u32, d: u32| c ^ (d & (b ^ c));
            four::<5, 9, 14, 20>(&mut state, f, |j| (k[16 + i + j], &block[(5 * (i + j) + 1) % 16]));
        }
        for i in (0..16).step_by(4) {
            let f = |b: u32, c: u32, d: u32| b ^ c ^ d;
            four::<4, 11, 16, 23>(&mut state, f, |j| (k[32 + i + j], &block[(3 * (i + j) + 5) % 16]));
        }
        for i in (0..16).step_by(4) {
            let f = |b: u32, c: u32, d: u32| c ^ (b | !d);
            four::<6, 10, 15, 21>(&mut state, f, |j| (k[48 + i + j], &block[7 * (i + j) % 16]));
        }
        std::array::from_fn(|lane| {
            let word = |i: usize| u64::from(state[i][lane].wrapping_add(START[i]).swap_bytes());
            (word(0) << 32 | word(1)) >> (64 - HASH_BITS)
        })
    }
}

/// Four steps, after which every word of the state is new and at its place again.
#[inline(always)]
fn four<'b, const S0: u32, const S1: u32, const S2: u32, const S3: u32>(
    [a, b, c, d]: &mut [Lanes; 4],
    f: impl Fn(u32, u32, u32) -> u32 + Copy,
    of: impl Fn(usize) -> (u32, &'b Lanes),
) {
    step::<S0>(a, b, c, d, f, of(0));
    step::<S1>(d, a, b, c, f, of(1));
    step::<S2>(c, d, a, b, f, of(2));
    step::<S3>(b, c, d, a, f, of(3));
}

/// a = b + rotate(a + f(b, c, d) + word + k, S)
#[inline(always)]
fn step<const S: u32>(
    a: &mut Lanes,
    b: &Lanes,
    c: &Lanes,
    d: &Lanes,
    f: impl Fn(u32, u32, u32) -> u32,
    (k, word): (u32, &Lanes),
) {
    for lane in 0..LANES {
        let sum = a[lane].wrapping_add(f(b[lane], c[lane], d[lane])).wrapping_add(word[lane]).wrapping_add(k);
        a[lane] = b[lane].wrapping_add(sum.rotate_left(S));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Any number of rows, short and long texts mixed.
        #[test]
        fn many_hashes_are_the_hashes_of_each(salt in "[a-z0-9:]{0,12}", keys in proptest::collection::vec("\\PC{0,24}|[0-9]{0,80}", 0..20)) {
            let many = hashes(&salt, keys.len(), |text, row| text.push_str(&keys[row]));
            let each: Vec<u64> = keys.iter().map(|key| hash(&salt, key.as_bytes())).collect();
            prop_assert_eq!(many, each);
        }
    }
}
