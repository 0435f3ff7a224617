//! Assigns one of 64 bits to each network. The minimum number of networks of a row refers to these bits.

use crowdfold_beacon::Network;

/// Returns the bit of a network. The result has one bit set, and a keyed hash selects this bit. Workers with the same
/// key select the same bit.
pub(crate) fn bit(key: &[u8; 32], network: &Network) -> u64 {
    let mut message = [0; 32];
    message[..16].copy_from_slice(&key[16..]);
    match network {
        Network::V4(first, length) => {
            message[16] = *length;
            message[17..21].copy_from_slice(&first.octets());
        }
        Network::V6(first, length) => {
            message[16] = *length;
            message[17..24].copy_from_slice(&first.octets()[..7]);
        }
    }
    let half = |at: usize| u64::from_le_bytes(std::array::from_fn(|index| key[at + index]));
    1 << (siphash([half(0), half(8)], &message) >> 58)
}

/// Computes SipHash-2-4 (Aumasson and Bernstein). All workers must compute the same hash, and a library may change its
/// algorithm. Therefore the hash is implemented here.
fn siphash(key: [u64; 2], message: &[u8]) -> u64 {
    let mut state = [
        key[0] ^ 0x736f_6d65_7073_6575,
        key[1] ^ 0x646f_7261_6e64_6f6d,
        key[0] ^ 0x6c79_6765_6e65_7261,
        key[1] ^ 0x7465_6462_7974_6573,
    ];
    let (words, rest) = message.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    last[7] = message.len() as u8;
    for word in words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word)) {
        state[3] ^= word;
        round(&mut state);
        round(&mut state);
        state[0] ^= word;
    }
    state[2] ^= 0xff;
    for _ in 0..4 {
        round(&mut state);
    }
    state[0] ^ state[1] ^ state[2] ^ state[3]
}

const fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[2] = v[2].rotate_left(32);
}

#[cfg(test)]
mod tests;
