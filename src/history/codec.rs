//! How points are packed: single-precision values, their bytes sorted by place and compressed; a gap takes a bit.

use zstd::bulk::Decompressor;

/// The form of a chunk; another number is not read.
const FORM: u8 = 1;
/// zstd's level for chunks, which are written once and read seldom.
const LEVEL: i32 = 3;
/// More columns or points than any chunk has: a block that claims them is damaged.
const MOST: usize = 1 << 20;

/// One series of a chunk: its number, and a value for each point of the window; NaN is a gap.
pub(super) type Column = (i64, Vec<f32>);

/// Packs the series of a window, all of the same length.
pub(super) fn pack(columns: &[Column]) -> Vec<u8> {
    let points = columns.first().map_or(0, |(_, values)| values.len());
    let mut head = Vec::new();
    put(&mut head, columns.len() as u64);
    put(&mut head, points as u64);
    let mut bits = Vec::new();
    let mut kept: Vec<[u8; 4]> = Vec::new();
    for (id, values) in columns {
        put(&mut head, u64::try_from(*id).unwrap_or_default());
        let is_full = values.iter().all(|value| value.is_finite());
        head.push(u8::from(is_full));
        if !is_full {
            let start = bits.len();
            bits.resize(start + points.div_ceil(8), 0u8);
            for (place, _) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
                bits[start + place / 8] |= 1 << (place % 8);
            }
        }
        kept.extend(values.iter().filter(|value| value.is_finite()).map(|value| value.to_be_bytes()));
    }
    let mut raw = head;
    raw.extend(bits);
    for place in 0..4 {
        raw.extend(kept.iter().map(|bytes| bytes[place]));
    }
    seal(&raw, LEVEL)
}

/// Reads what [`pack`] wrote; `None` when it is damaged.
pub(super) fn unpack(block: &[u8]) -> Option<Vec<Column>> {
    let mut columns = Vec::new();
    let mut each = |id, values: &[f32]| columns.push((id, values.to_vec()));
    unpack_some(&mut Decompressor::new().ok()?, block, |_| true, &mut each)?;
    Some(columns)
}

/// Calls `each` with every wanted series of what [`pack`] wrote; `None` when it is damaged.
pub(super) fn unpack_some(
    decompressor: &mut Decompressor<'_>,
    block: &[u8],
    is_wanted: impl Fn(i64) -> bool,
    each: &mut dyn FnMut(i64, &[f32]),
) -> Option<()> {
    let raw = unseal(decompressor, block)?;
    let mut rest = raw.as_slice();
    let count = size(take(&mut rest)?)?;
    let points = size(take(&mut rest)?)?;
    if count.saturating_mul(points) > 16 * MOST {
        return None;
    }
    let mut heads = Vec::new();
    for _ in 0..count {
        let id = i64::try_from(take(&mut rest)?).ok()?;
        let (&is_full, tail) = rest.split_first()?;
        rest = tail;
        heads.push((id, is_full != 0));
    }
    let mut columns = Vec::with_capacity(heads.len());
    let mut total = 0;
    for (id, is_full) in heads {
        let length = if is_full { 0 } else { points.div_ceil(8) };
        let (bits, tail) = rest.split_at_checked(length)?;
        rest = tail;
        let there = |place: &usize| bits[place / 8] & (1 << (place % 8)) != 0;
        let held = if is_full { points } else { (0..points).filter(there).count() };
        columns.push((id, bits, total, held));
        total += held;
    }
    if rest.len() != 4 * total {
        return None;
    }
    let mut values = Vec::with_capacity(points);
    for (id, bits, first, held) in columns.into_iter().filter(|(id, ..)| is_wanted(*id)) {
        let place = |place: usize| &rest[place * total + first..][..held];
        let [a, b, c, d] = [place(0), place(1), place(2), place(3)];
        let kept = a.iter().zip(b).zip(c.iter().zip(d));
        let mut kept = kept.map(|((a, b), (c, d))| f32::from_be_bytes([*a, *b, *c, *d]));
        values.clear();
        if bits.is_empty() {
            values.extend(kept);
        } else {
            let is_there = |place: usize| bits[place / 8] & (1 << (place % 8)) != 0;
            let value = |place| if is_there(place) { kept.next().unwrap_or(f32::NAN) } else { f32::NAN };
            values.extend((0..points).map(value));
        }
        each(id, &values);
    }
    Some(())
}

/// Packs the values of one moment: number of the series and value.
pub(super) fn pack_moment(points: &[(i64, f32)]) -> Vec<u8> {
    let mut raw = Vec::with_capacity(points.len() * 6);
    put(&mut raw, points.len() as u64);
    for (id, value) in points {
        put(&mut raw, u64::try_from(*id).unwrap_or_default());
        raw.extend(value.to_be_bytes());
    }
    seal(&raw, 1)
}

/// Reads what [`pack_moment`] wrote; `None` when it is damaged.
pub(super) fn unpack_moment(block: &[u8]) -> Option<Vec<(i64, f32)>> {
    let raw = unseal(&mut Decompressor::new().ok()?, block)?;
    let mut rest = raw.as_slice();
    let count = size(take(&mut rest)?)?;
    let mut points = Vec::with_capacity(count);
    for _ in 0..count {
        let id = i64::try_from(take(&mut rest)?).ok()?;
        let (bytes, tail) = rest.split_first_chunk::<4>()?;
        rest = tail;
        points.push((id, f32::from_be_bytes(*bytes)));
    }
    rest.is_empty().then_some(points)
}

fn seal(raw: &[u8], level: i32) -> Vec<u8> {
    let mut block = vec![FORM];
    put(&mut block, raw.len() as u64);
    // Compression into memory cannot fail; an empty block would read back as damaged, not as wrong values.
    block.extend(zstd::bulk::compress(raw, level).unwrap_or_default());
    block
}

fn unseal(decompressor: &mut Decompressor<'_>, block: &[u8]) -> Option<Vec<u8>> {
    let (&form, mut rest) = block.split_first()?;
    if form != FORM {
        return None;
    }
    let length = usize::try_from(take(&mut rest)?).ok().filter(|&length| length <= 64 * MOST)?;
    let raw = decompressor.decompress(rest, length).ok()?;
    (raw.len() == length).then_some(raw)
}

fn size(number: u64) -> Option<usize> {
    usize::try_from(number).ok().filter(|&number| number <= MOST)
}

/// Seven bits a byte, the lowest first.
fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number as u8 & 0x7f) | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, tail) = rest.split_first()?;
        *rest = tail;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(a: &[Column], b: &[Column]) -> bool {
        let bits = |columns: &[Column]| -> Vec<(i64, Vec<Option<u32>>)> {
            let value = |v: &f32| v.is_finite().then(|| v.to_bits());
            columns.iter().map(|(id, values)| (*id, values.iter().map(value).collect())).collect()
        };
        bits(a) == bits(b)
    }

    proptest! {
        #[test]
        fn what_is_packed_is_read_back(
            columns in (0usize..60).prop_flat_map(|points| {
                let value = prop_oneof![any::<f32>(), Just(f32::NAN), Just(0.871f32)];
                prop::collection::vec((0i64..1 << 40, prop::collection::vec(value, points)), 0..8)
            }),
        ) {
            let back = unpack(&pack(&columns)).unwrap();
            prop_assert!(same(&columns, &back), "{columns:?} {back:?}");
        }

        #[test]
        fn a_moment_is_read_back(points in prop::collection::vec((0i64..1 << 40, -1e9f32..1e9), 0..50)) {
            prop_assert_eq!(unpack_moment(&pack_moment(&points)), Some(points));
        }

        #[test]
        fn a_damaged_block_is_refused_or_read_but_never_ends_the_program(
            mut block in Just(pack(&[(1, vec![1.0, f32::NAN, 3.0]), (2, vec![4.0, 5.0, 6.0])])),
            place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
        ) {
            let place = place.index(block.len());
            block[place] = byte;
            block.truncate(cut.index(block.len()) + 1);
            let _ = unpack(&block);
            let _ = unpack_moment(&block);
        }
    }
}
