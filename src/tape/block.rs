//! The bytes of a tape: the preface, and blocks that each decode alone.

use std::io::Read;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::domain::Time;

/// The words that every tape begins with.
const MAGIC: &[u8; 14] = b"wardroom-tape\n";
/// The version of the form that this program writes, and the only one it reads.
pub const VERSION: u16 = 1;
/// Bytes before the first block.
pub const PREFACE: u64 = 16;
/// Bytes of a block's head.
pub const HEAD: usize = 24;
/// A block that claims to be larger than this, packed or not, is not one, bytes.
const LARGEST: u64 = 2 << 30;
/// How hard zstd tries.
const EFFORT: i32 = 3;

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The whole state.
    Whole,
    /// What came, in order.
    Items,
}

/// The head of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Bytes of the payload.
    pub len: u32,
    /// What the block holds.
    pub kind: Kind,
    /// The room's moment at the end of the block.
    pub at: Time,
    hash: [u8; 8],
}

/// The bytes before the first block.
pub fn preface() -> [u8; PREFACE as usize] {
    let mut bytes = [0; PREFACE as usize];
    bytes[..MAGIC.len()].copy_from_slice(MAGIC);
    bytes[MAGIC.len()..].copy_from_slice(&VERSION.to_le_bytes());
    bytes
}

/// The version of a tape by its preface; `None`: it is no tape.
pub fn version(preface: &[u8]) -> Option<u16> {
    let rest = preface.strip_prefix(MAGIC.as_slice())?;
    Some(u16::from_le_bytes([*rest.first()?, *rest.get(1)?]))
}

/// A block of these contents.
///
/// # Errors
/// Contents that cannot be written down, or too large.
pub fn encode<T: Serialize>(kind: Kind, at: Time, contents: &T) -> Result<Vec<u8>, String> {
    let plain = rmp_serde::to_vec_named(contents).map_err(|error| error.to_string())?;
    encode_plain(kind, at, &plain)
}

/// A block of contents that are MessagePack already.
///
/// # Errors
/// Contents that are too large.
pub fn encode_plain(kind: Kind, at: Time, plain: &[u8]) -> Result<Vec<u8>, String> {
    let payload = zstd::encode_all(plain, EFFORT).map_err(|error| error.to_string())?;
    let len = u32::try_from(payload.len()).ok().filter(|&len| u64::from(len) <= LARGEST);
    let len = len.ok_or_else(|| format!("a block of {} bytes is too large", payload.len()))?;
    let mut bytes = Vec::with_capacity(HEAD + payload.len());
    bytes.extend_from_slice(&len.to_le_bytes());
    bytes.extend_from_slice(&[if kind == Kind::Whole { b'W' } else { b'I' }, 0, 0, 0]);
    bytes.extend_from_slice(&at.timestamp_micros().to_le_bytes());
    let hash = hash(&bytes, &payload);
    bytes.extend_from_slice(&hash);
    bytes.extend_from_slice(&payload);
    Ok(bytes)
}

impl Head {
    /// Reads a head; `None` when these bytes are none.
    pub fn read(bytes: &[u8; HEAD]) -> Option<Self> {
        let len = u32::from_le_bytes(bytes[..4].try_into().ok()?);
        let kind = match &bytes[4..8] {
            b"W\0\0\0" => Kind::Whole,
            b"I\0\0\0" => Kind::Items,
            _ => return None,
        };
        let at = Time::from_timestamp_micros(i64::from_le_bytes(bytes[8..16].try_into().ok()?))?;
        let hash = bytes[16..].try_into().ok()?;
        (u64::from(len) <= LARGEST).then_some(Self { len, kind, at, hash })
    }

    /// Whether this is the payload that was written with this head.
    pub fn fits(&self, bytes: &[u8; HEAD], payload: &[u8]) -> bool {
        hash(&bytes[..16], payload) == self.hash
    }
}

/// The contents of a payload.
///
/// # Errors
/// A payload of another form: says what of it.
pub fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, String> {
    let mut plain = Vec::new();
    zstd::Decoder::new(payload)
        .and_then(|decoder| decoder.take(LARGEST).read_to_end(&mut plain))
        .map_err(|error| error.to_string())?;
    rmp_serde::from_slice(&plain).map_err(|error| error.to_string())
}

fn hash(head: &[u8], payload: &[u8]) -> [u8; 8] {
    let digest = Sha256::new().chain_update(head).chain_update(payload).finalize();
    let mut short = [0; 8];
    short.copy_from_slice(&digest[..8]);
    short
}
