//! Tokens in a file.

use std::collections::HashMap;
use std::path::Path;

use ring::digest::{SHA256, digest};

use super::watched::{SecretFileError, Watched};
use super::{Attempt, Authenticate, Decision, Denied, Grant, Identity, Rights, covers, decided};

/// Tokens in a file, which is read again when it changes.
///
/// A line is `TOKEN STORES RIGHTS`: the rights are `read`, `write` or `read,write`, and `*` in the
/// stores matches any text. A token may have several lines. `#` begins a comment.
///
/// ```text
/// s3cret-of-the-team   team-*   read,write
/// s3cret-of-a-display  team-1   read
/// ```
#[derive(Debug)]
pub struct TokenFile(Watched<Tokens, String>);

/// Tokens are found by their hash, so that no comparison with a secret can be timed.
type Tokens = HashMap<[u8; 32], Vec<(String, Rights)>>;

impl TokenFile {
    /// Reads the file.
    ///
    /// # Errors
    /// If the file cannot be read, or a line is malformed.
    pub fn open(path: &Path) -> Result<Self, SecretFileError> {
        Watched::open(path, parse).map(Self)
    }

    fn grant(&self, attempt: &Attempt<'_>) -> Result<Grant, Denied> {
        let denied = || Denied("the token does not open this store".to_owned());
        let tokens = self.0.get();
        let lines = tokens.get(&hash(&attempt.token()?)).ok_or_else(denied)?;
        let rights = lines
            .iter()
            .filter(|(stores, _)| covers(stores, attempt.store.as_str()))
            .map(|(_, rights)| *rights)
            .reduce(Rights::or)
            .ok_or_else(denied)?;
        Ok(Grant { rights, until: None, identity: Identity::UNKNOWN })
    }
}

impl Authenticate for TokenFile {
    fn authenticate<'a>(&'a self, attempt: &'a Attempt<'a>) -> Decision<'a> {
        decided(self.grant(attempt))
    }

    fn revision(&self) -> u64 {
        self.0.revision()
    }
}

fn parse(text: &str) -> Result<Tokens, String> {
    let mut tokens = Tokens::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let (token, stores, rights) = parse_line(line).ok_or_else(|| {
            let number = index + 1;
            format!("line {number} is not `TOKEN STORES RIGHTS` (read, write or read,write)")
        })?;
        tokens.entry(hash(token)).or_default().push((stores.to_owned(), rights));
    }
    Ok(tokens)
}

fn parse_line(line: &str) -> Option<(&str, &str, Rights)> {
    let mut words = line.split_whitespace();
    let (token, stores, rights) = (words.next()?, words.next()?, words.next()?);
    let rights = Rights::parse(rights)?;
    words.next().is_none().then_some((token, stores, rights))
}

fn hash(token: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}
