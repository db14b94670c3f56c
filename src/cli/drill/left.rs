//! What drills that were killed left behind is cleaned up before another one begins.

use crate::cli::out;
use crate::drill::keep::Drills;
use crate::drill::stage;

/// Cleans up after every drill that did not.
///
/// # Errors
/// One that cannot be cleaned up: no other drill begins before that.
pub async fn clean(drills: &Drills) -> Result<(), String> {
    for left in drills.left()? {
        let id = left.id();
        match stage::undo(&left.undo).await {
            Ok(words) => {
                out::complain(&format!("drill {id} was cut off: {words}"));
                left.done()?;
            }
            Err(why) => {
                return Err(format!(
                    "drill {id} was cut off and cannot be cleaned up: {why}; no other begins before that"
                ));
            }
        }
    }
    Ok(())
}
