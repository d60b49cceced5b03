//! Small changes of a stream: of bytes, and of instructions on their boundaries.

use pickleproof_core::{Decoder, Dialect, Opcode, Version};

use crate::generate::Entropy;

/// Offsets at which instructions begin, and where the last one that can be decoded ends.
pub(super) fn boundaries(stream: &[u8]) -> Vec<usize> {
    let mut decoder = Decoder::new(stream, 0, Dialect::C, Version::CLASSIC);
    let mut offsets = vec![0];
    while let Ok(instruction) = decoder.read() {
        offsets.push(instruction.end);
    }
    offsets
}

/// One to four changes; `donor` is where other instructions come from.
pub(super) fn mutate(entropy: &mut Entropy, stream: &[u8], donor: &[u8]) -> Vec<u8> {
    let mut bytes = stream.to_vec();
    for _ in 0..=entropy.below(4) {
        change(entropy, &mut bytes, donor);
    }
    bytes
}

fn change(entropy: &mut Entropy, bytes: &mut Vec<u8>, donor: &[u8]) {
    let length = bytes.len();
    match entropy.below(12) {
        0 | 1 => set(entropy, bytes, Entropy::byte),
        2 => set(entropy, bytes, |entropy| {
            entropy.pick(b"\0\x01\x02\x7f\x80\xff\n0(.").unwrap_or(0)
        }),
        3 => set(entropy, bytes, |entropy| {
            entropy.pick(&Opcode::ALL).map_or(0, Opcode::byte)
        }),
        4 => {
            let bit = entropy.below(8);
            let at = entropy.below(length);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1_u8
                    .checked_shl(u32::try_from(bit).unwrap_or(0))
                    .unwrap_or(1);
            }
        }
        5 => {
            let at = entropy.below(length.saturating_add(1));
            bytes.insert(at, entropy.byte());
        }
        6 if length > 0 => {
            bytes.remove(entropy.below(length));
        }
        7 => replace(entropy, bytes, |_, _| Vec::new()),
        8 => replace(entropy, bytes, |_, piece| [piece, piece].concat()),
        9 => replace(entropy, bytes, |entropy, piece| {
            [&run(entropy, donor), piece].concat()
        }),
        10 => {
            // What is behind the cut comes from the donor, behind one of its instructions.
            let offsets = boundaries(bytes);
            let cut = entropy.pick(&offsets).unwrap_or(0);
            bytes.truncate(cut);
            let tail = entropy.pick(&boundaries(donor)).unwrap_or(0);
            bytes.extend_from_slice(donor.get(tail..).unwrap_or_default());
        }
        _ => bytes.truncate(entropy.below(length.saturating_add(1))),
    }
}

fn set(entropy: &mut Entropy, bytes: &mut [u8], value: impl Fn(&mut Entropy) -> u8) {
    let at = entropy.below(bytes.len());
    let value = value(entropy);
    if let Some(byte) = bytes.get_mut(at) {
        *byte = value;
    }
}

/// Some instructions of a stream, one behind the other.
fn run(entropy: &mut Entropy, stream: &[u8]) -> Vec<u8> {
    let offsets = boundaries(stream);
    let first = entropy.below(offsets.len());
    let count = entropy.below(4).saturating_add(1);
    let last = first
        .saturating_add(count)
        .min(offsets.len().saturating_sub(1));
    let start = offsets.get(first).copied().unwrap_or(0);
    let end = offsets.get(last).copied().unwrap_or(0);
    stream.get(start..end).unwrap_or_default().to_vec()
}

/// Puts something in the place of one instruction.
fn replace(
    entropy: &mut Entropy,
    bytes: &mut Vec<u8>,
    with: impl Fn(&mut Entropy, &[u8]) -> Vec<u8>,
) {
    let offsets = boundaries(bytes);
    let place = entropy.below(offsets.len().saturating_sub(1));
    let (Some(&start), Some(&end)) = (offsets.get(place), offsets.get(place.saturating_add(1)))
    else {
        return;
    };
    let piece = bytes.get(start..end).unwrap_or_default().to_vec();
    let with = with(entropy, &piece);
    bytes.splice(start..end, with);
}
