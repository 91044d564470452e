//! A file's bytes: as they were written, and as they are durable.

use super::Dice;

/// What a disk writes as one.
const SECTOR: usize = 512;

/// A file without its name.
#[derive(Debug, Default)]
pub(super) struct Inode {
    /// What a process reads.
    now: Vec<u8>,
    /// What a loss of power leaves for certain.
    durable: Vec<u8>,
    /// What has led from there to here.
    since: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
}

impl Inode {
    /// A file that is durable.
    pub(super) fn durable(bytes: Vec<u8>) -> Self {
        Self { durable: bytes.clone(), now: bytes, since: Vec::new() }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.now
    }

    /// Says how much could be read; the rest of the buffer is left alone.
    pub(super) fn read(&self, offset: usize, buffer: &mut [u8]) -> usize {
        let rest = self.now.get(offset..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        count
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        put(&mut self.now, offset, bytes);
        self.since.push(Change::Write { offset, bytes: bytes.to_vec() });
    }

    /// Makes it shorter, or longer with zeros.
    pub(super) fn truncate(&mut self, length: usize) {
        self.now.resize(length, 0);
        self.since.push(Change::Truncate(length));
    }

    pub(super) fn sync(&mut self) {
        for change in self.since.drain(..) {
            change.make(&mut self.durable);
        }
    }

    /// Of what was not synced, each piece is there or not, each sector for itself.
    pub(super) fn lose_power(&mut self, dice: &mut Dice) {
        for change in self.since.drain(..) {
            match dice.below(3) {
                0 => {}
                1 => change.make(&mut self.durable),
                _ => change.make_partly(&mut self.durable, dice),
            }
        }
        self.now.clone_from(&self.durable);
    }
}

impl Change {
    fn make(self, file: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => put(file, offset, &bytes),
            Self::Truncate(length) => file.resize(length, 0),
        }
    }

    /// A sector is written, or not, or was just being written. What lies beside it in the file stays
    /// (SQLite's "powersafe overwrite", which it takes for granted unless told otherwise).
    fn make_partly(self, file: &mut Vec<u8>, dice: &mut Dice) {
        let Self::Write { offset, bytes } = self else { return };
        let mut at = offset;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (sector, behind) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
            match dice.below(8) {
                0..=3 => put(file, at, sector),
                4..=6 => {}
                _ => put(file, at, &noise(sector.len(), dice)),
            }
            at += sector.len();
            rest = behind;
        }
    }
}

fn noise(length: usize, dice: &mut Dice) -> Vec<u8> {
    std::iter::repeat_with(|| dice.roll().to_le_bytes()).flatten().take(length).collect()
}

pub(super) fn put(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    if let Some(place) = file.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}
