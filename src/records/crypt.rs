//! Encryption at rest: a row is one age payload, for the recipient of the configured identity.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use age::x25519::{Identity, Recipient};

use super::error::LedgerError;

/// What every age payload begins with. A plain row begins with `{`.
const HEADER: &[u8] = b"age-encryption.org/v1\n";
/// An identity file is a few lines.
const LONGEST_FILE: u64 = 65_536;

/// The configured identities: rows are encrypted for the first, and read with any.
pub(super) struct Keys {
    file: PathBuf,
    identities: Vec<Identity>,
    recipient: Recipient,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Keys {
    /// Reads an identity file as `age-keygen` writes it.
    pub(super) fn read(file: &Path) -> Result<Self, LedgerError> {
        let remedy = "set control.age_identity to a file of `age-keygen`, or leave it out";
        let mut text = String::new();
        std::fs::File::open(file)
            .and_then(|open| open.take(LONGEST_FILE).read_to_string(&mut text))
            .map_err(|why| {
                LedgerError::at(file, format!("the age identity cannot be read: {why}"), remedy)
            })?;
        let mut identities = Vec::new();
        for (index, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            // The line is a secret: only its number is said.
            identities.push(line.parse::<Identity>().map_err(|_| {
                LedgerError::at(file, format!("line {} is no AGE-SECRET-KEY-1…", index + 1), remedy)
            })?);
        }
        let recipient = identities.first().map(Identity::to_public);
        match recipient {
            Some(recipient) => Ok(Self { file: file.to_owned(), identities, recipient }),
            None => Err(LedgerError::at(file, "there is no AGE-SECRET-KEY-1… in it", remedy)),
        }
    }

    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let decryptor = age::Decryptor::new_buffered(sealed).ok()?;
        let mut reader =
            decryptor.decrypt(self.identities.iter().map(|identity| identity as &dyn age::Identity)).ok()?;
        let mut plain = Vec::new();
        reader.read_to_end(&mut plain).ok()?;
        Some(plain)
    }
}

/// Whether bytes are an age payload.
pub(super) fn is_sealed(bytes: &[u8]) -> bool {
    bytes.starts_with(HEADER)
}

/// The bytes as they are kept: encrypted with a key, as they are without.
pub(super) fn seal(keys: Option<&Keys>, path: &Path, plain: Vec<u8>) -> Result<Vec<u8>, LedgerError> {
    let Some(keys) = keys else { return Ok(plain) };
    age::encrypt(&keys.recipient, &plain)
        .map_err(|why| LedgerError::at(path, format!("an entry cannot be encrypted: {why}"), "try again"))
}

/// The plain bytes of what is kept.
pub(super) fn unseal(keys: Option<&Keys>, path: &Path, kept: Vec<u8>) -> Result<Vec<u8>, LedgerError> {
    match keys {
        _ if !is_sealed(&kept) => Ok(kept),
        None => Err(LedgerError::at(
            path,
            "it is encrypted and no key is configured",
            "set control.age_identity to the key that it was written with",
        )),
        Some(keys) => keys.open(&kept).ok_or_else(|| {
            LedgerError::at(
                path,
                format!("it is encrypted for another key than the one in {}", keys.file.display()),
                "set control.age_identity to the key that it was written with; several may stand in one file, \
                 new entries are for the first",
            )
        }),
    }
}
