use xxhash_rust::xxh3::xxh3_64;

use crate::bytes::Bytes;
use crate::home::{Home, original, use_all};

/// The place of the checksum in the header, which ends with it.
const CHECKSUM: usize = 80;

/// The length of the pieces of the body that are hashed.
const PIECE: usize = 256 * 1024;

/// A file, or changes of a true snapshot. The store opens, and its state is that of its log.
///
/// In the third way the checksum is made to fit: then the state is any, and nothing may panic.
pub fn snapshot(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let way = bytes.byte() % 3;
    let mut file = if way == 0 { bytes.0.to_vec() } else { changed(&mut bytes) };
    if way == 2 {
        seal(&mut file);
    }
    let home = Home::with(&original().log, Some(&file));
    if way == 2 {
        if let Ok(store) = home.open() {
            use_all(&store);
        }
        return;
    }
    let store = home.open().unwrap();
    assert_eq!(store.state_hash().unwrap(), original().hash);
}

fn changed(bytes: &mut Bytes<'_>) -> Vec<u8> {
    let mut file = original().snapshot.clone();
    for _ in 0..8 {
        if bytes.is_empty() {
            break;
        }
        let at = bytes.below(file.len().max(1));
        match bytes.byte() % 8 {
            0 => file.truncate(at),
            1 => file.extend(bytes.text()),
            _ => file.iter_mut().skip(at).zip(bytes.text()).for_each(|(old, new)| *old = *new),
        }
    }
    file
}

/// Makes length and checksum fit. The checksum is over the header, as if it were 0 there, and the hash
/// of each piece of the rest.
fn seal(file: &mut [u8]) {
    let Some(length) = file.len().checked_sub(CHECKSUM + 8) else { return };
    file[CHECKSUM - 8..CHECKSUM].copy_from_slice(&(length as u64).to_le_bytes());
    file[CHECKSUM..CHECKSUM + 8].fill(0);
    let (header, body) = file.split_at(CHECKSUM + 8);
    let digests = body.chunks(PIECE).flat_map(|piece| xxh3_64(piece).to_le_bytes());
    let checksum = xxh3_64(&header.iter().copied().chain(digests).collect::<Vec<u8>>());
    file[CHECKSUM..CHECKSUM + 8].copy_from_slice(&checksum.to_le_bytes());
}
