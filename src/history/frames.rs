//! Frames: the whole room at a moment, without series and timeline. A frame is compressed against the last key frame,
//! from which it mostly does not differ.

use std::collections::VecDeque;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use zstd::zstd_safe::{self, CCtx, CParameter, DCtx};

use super::observer::Frame;
use crate::domain::Time;
use crate::parallel;
use crate::store::ModelState;

/// Frames that lean on one key frame.
const LEAN: u32 = 60;
/// zstd's level: a frame is written every minute by a thread that shares its cores with the room.
const LEVEL: i32 = 1;
/// The window of compression: a key frame and its follower, as a power of two.
const WINDOW: u32 = 24;
/// Frames that are held for the next questions: the one that is shown, and that of a step to each side.
const HELD: usize = 3;
/// More than any frame has, bytes.
const MOST: usize = 1 << 30;

/// The last key frame of this room.
#[derive(Debug, Default)]
pub(super) struct Keys {
    last: Option<(i64, Vec<u8>)>,
    leaning: u32,
    read: Option<(i64, Vec<u8>)>,
    /// The frame that was written last: mostly the first that is asked for.
    newest: Option<(i64, Arc<Frame>)>,
    /// The frames that were read last, the newest of them last.
    frames: VecDeque<(i64, Arc<Frame>)>,
}

impl Keys {
    /// Forgets what a transaction that was not committed may have taught.
    pub(super) fn forget(&mut self) {
        (self.last, self.newest) = (None, None);
    }

    /// Lets go of what only the past needed.
    pub(super) fn rest(&mut self) {
        self.read = None;
        self.frames.clear();
    }

    /// Writes a frame. One that is only due, not news, is left out when another room has just written one.
    pub(super) fn write(
        &mut self,
        transaction: &Transaction<'_>,
        environment: i64,
        frame: &Arc<Frame>,
        frame_s: f64,
    ) -> rusqlite::Result<()> {
        let at = frame.at.timestamp_millis();
        let newest: Option<i64> = transaction.query_row(
            "SELECT max(at) FROM frames WHERE environment = ?1 AND at <= ?2",
            [environment, at],
            |row| row.get(0),
        )?;
        let gap_s = newest.map_or(f64::MAX, |newest| (at - newest) as f64 / 1_000.0);
        if gap_s < if frame.is_news { 1.0 } else { 0.8 * frame_s } {
            return Ok(());
        }
        let Some(raw) = encode(frame) else { return Ok(()) };
        let size = i64::try_from(raw.len()).unwrap_or(i64::MAX);
        let mut insert = transaction.prepare_cached(
            "INSERT INTO frames (environment, at, key, news, size, block) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        if self.leaning < LEAN
            && let Some((key, last)) = &self.last
            && let Some(block) = squeeze(&raw, last)
            && self.is_there(transaction, *key)?
        {
            self.leaning += 1;
            insert.execute(params![environment, at, *key, frame.is_news, size, block])?;
            self.newest = Some((transaction.last_insert_rowid(), frame.clone()));
            return Ok(());
        }
        let Some(block) = squeeze(&raw, &[]) else { return Ok(()) };
        insert.execute(params![environment, at, None::<i64>, frame.is_news, size, block])?;
        self.last = Some((transaction.last_insert_rowid(), raw));
        self.newest = Some((transaction.last_insert_rowid(), frame.clone()));
        self.leaning = 0;
        Ok(())
    }

    /// Another room may have dropped it for want of space.
    fn is_there(&self, connection: &Connection, key: i64) -> rusqlite::Result<bool> {
        let found = connection
            .prepare_cached("SELECT 1 FROM frames WHERE id = ?1")?
            .query_row([key], |_| Ok(()))
            .optional()?;
        Ok(found.is_some())
    }

    /// The newest frame that is not after a moment; `Err` inside: it cannot be read, and why.
    pub(super) fn read(
        &mut self,
        connection: &Connection,
        environment: i64,
        at: Time,
    ) -> rusqlite::Result<Option<Result<Arc<Frame>, String>>> {
        let mut statement = connection.prepare_cached(
            "SELECT id, key, size, block FROM frames WHERE environment = ?1 AND at <= ?2 ORDER BY at DESC, id DESC \
             LIMIT 1",
        )?;
        let found = statement
            .query_row([environment, at.timestamp_millis()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()?;
        let Some((id, key, size, block)) = found else { return Ok(None) };
        let (id, key, size, block): (i64, Option<i64>, i64, Vec<u8>) = (id, key, size, block);
        if let Some((_, frame)) = self.frames.iter().chain(&self.newest).find(|(known, _)| *known == id) {
            return Ok(Some(Ok(frame.clone())));
        }
        let raw = match key {
            None => expand(&block, &[], size),
            Some(key) => self.base(connection, key)?.and_then(|base| expand(&block, base, size)),
        };
        let frame =
            raw.ok_or_else(|| "it does not unpack".to_owned()).and_then(|raw| decode(&raw)).map(Arc::new);
        if let Ok(frame) = &frame {
            self.frames.push_back((id, frame.clone()));
            if self.frames.len() > HELD {
                self.frames.pop_front();
            }
        }
        Ok(Some(frame))
    }

    /// The key frame that another leans on, unpacked.
    fn base(&mut self, connection: &Connection, key: i64) -> rusqlite::Result<Option<&[u8]>> {
        let is_last = self.last.as_ref().is_some_and(|(known, _)| *known == key);
        if !is_last && self.read.as_ref().is_none_or(|(known, _)| *known != key) {
            let (size, block): (i64, Vec<u8>) =
                connection.query_row("SELECT size, block FROM frames WHERE id = ?1", [key], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            self.read = expand(&block, &[], size).map(|raw| (key, raw));
        }
        let held = if is_last { &self.last } else { &self.read };
        Ok(held.as_ref().map(|(_, raw)| raw.as_slice()))
    }
}

/// What a frame begins with. Its models follow in parts that each decode alone, so that the cores share them.
#[derive(Serialize, Deserialize)]
struct Head {
    /// The frame without its models.
    frame: Frame,
    /// The length of each part, bytes.
    parts: Vec<u32>,
}

/// Models of a part.
const PART: usize = 32;

fn encode(frame: &Frame) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    let mut parts = Vec::new();
    for models in frame.models.chunks(PART) {
        let part = rmp_serde::to_vec_named(models).ok()?;
        parts.push(u32::try_from(part.len()).ok()?);
        body.extend(part);
    }
    let mut raw = rmp_serde::to_vec_named(&Head { frame: frame.without_models(), parts }).ok()?;
    raw.extend(body);
    Some(raw)
}

fn decode(raw: &[u8]) -> Result<Frame, String> {
    let other = |why: rmp_serde::decode::Error| format!("it is of another form: {why}");
    let mut rest = raw;
    let Head { mut frame, parts }: Head = rmp_serde::from_read(&mut rest).map_err(other)?;
    let mut slices = Vec::with_capacity(parts.len());
    for length in parts {
        let split = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
        let (part, tail) = split.ok_or("it is cut off")?;
        slices.push(part);
        rest = tail;
    }
    let decoded = parallel::map(slices, |part| rmp_serde::from_slice::<Vec<ModelState>>(part).map_err(other));
    for models in decoded {
        frame.models.append(&mut models?);
    }
    Ok(frame)
}

/// The oldest moment of which there is a frame.
pub(super) fn oldest(connection: &Connection, environment: i64) -> rusqlite::Result<Option<Time>> {
    let at: Option<i64> =
        connection.query_row("SELECT min(at) FROM frames WHERE environment = ?1", [environment], |row| {
            row.get(0)
        })?;
    Ok(at.and_then(Time::from_timestamp_millis))
}

/// The first frame behind a moment.
pub(super) fn next(connection: &Connection, environment: i64, at: Time) -> rusqlite::Result<Option<Time>> {
    let at: Option<i64> = connection.query_row(
        "SELECT min(at) FROM frames WHERE environment = ?1 AND at > ?2",
        [environment, at.timestamp_millis()],
        |row| row.get(0),
    )?;
    Ok(at.and_then(Time::from_timestamp_millis))
}

fn squeeze(raw: &[u8], base: &[u8]) -> Option<Vec<u8>> {
    let mut context = CCtx::create();
    context.set_parameter(CParameter::CompressionLevel(LEVEL)).ok()?;
    if !base.is_empty() {
        context.set_parameter(CParameter::WindowLog(WINDOW)).ok()?;
        context.set_parameter(CParameter::EnableLongDistanceMatching(true)).ok()?;
        context.ref_prefix(base).ok()?;
    }
    let mut block = Vec::with_capacity(zstd_safe::compress_bound(raw.len()));
    context.compress2(&mut block, raw).ok()?;
    Some(block)
}

fn expand(block: &[u8], base: &[u8], size: i64) -> Option<Vec<u8>> {
    let size = usize::try_from(size).ok().filter(|&size| size <= MOST)?;
    let mut context = DCtx::create();
    if !base.is_empty() {
        context.ref_prefix(base).ok()?;
    }
    let mut raw = Vec::with_capacity(size);
    context.decompress(&mut raw, block).ok()?;
    (raw.len() == size).then_some(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leans_on_a_key_is_small_and_reads_back() {
        let mut key: Vec<u8> =
            (0..200_000u32).flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
        let base = key.clone();
        key[1_000] ^= 1;
        let block = squeeze(&key, &base).unwrap();
        assert!(block.len() < 2_000, "{}", block.len());
        assert_eq!(expand(&block, &base, key.len() as i64).as_deref(), Some(key.as_slice()));
        assert!(expand(&block, &base[1..], key.len() as i64).is_none_or(|raw| raw != key));
    }
}
