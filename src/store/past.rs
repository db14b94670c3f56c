//! A past moment of the whole room.

use super::Store;
use crate::domain::Time;

/// The room as it was.
#[derive(Debug, Clone)]
pub struct Past {
    /// The moment that was asked for.
    pub asked: Time,
    /// The moment that is shown: the newest known one that is not after it.
    pub at: Time,
    /// The store of that moment; judge its freshness at [`Self::at`].
    pub store: Store,
    /// What to know about it, in words: `nothing was recorded from 13:00 to 13:20`. Empty: nothing.
    pub note: String,
    /// The oldest moment that is known.
    pub oldest: Time,
}
