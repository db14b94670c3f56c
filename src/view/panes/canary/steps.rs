//! The ladder of steps, where it stands, and what is left of its timer.

use super::super::Cx;
use super::super::brush::Brush;
use super::super::effect::{self, Stretch};
use crate::domain::{Phase, Rollout, Situation};
use crate::view::look::Role;
use crate::view::text;

/// `5 ━━━ 10 ━━━ 25 ◉┄┄ 50 ┄┄ 100   3 of 5   paused, 17:49 left`
pub fn draw(brush: &mut Brush, cx: &Cx, rollout: &Rollout) {
    let weights: Vec<f64> = rollout.steps.iter().map(|step| step.weight).collect();
    let stops = effect::steps(&weights, rollout.step);
    let numbers: usize = stops.iter().map(|(weight, _)| format!("{weight:.0}").len() + 2).sum();
    let stretches = stops.len() - 1;
    let length = |state: &str| {
        let room = brush.columns().saturating_sub(numbers + 2 + text::width(state));
        room.checked_div(stretches).unwrap_or(0).min(7)
    };
    // The finest words for which the line keeps its stretches: the count goes first, the line shows it too.
    let state = wordings(cx, rollout);
    let fits = |state: &&String| stretches == 0 || length(state) >= 2;
    let state = state.iter().find(fits).or(state.last()).cloned().unwrap_or_default();
    let (length, state) = (length(&state), format!("  {state}"));
    let mut x = 0;
    if length >= 2 && stretches > 0 {
        let glyphs = cx.look.glyphs();
        for (place, (weight, stretch)) in stops.iter().enumerate() {
            let is_here = place == rollout.step;
            let role = if is_here { Role::Strong } else { Role::Dim };
            x = brush.put(x, 0, &format!("{weight:.0} "), role);
            let (head, tail) = match stretch {
                None => continue,
                Some(Stretch::Done) => (glyphs.bar_full.repeat(length), String::new()),
                Some(Stretch::Ahead) if is_here => {
                    (glyphs.bar_head.to_owned(), glyphs.bar_empty.repeat(length - 1))
                }
                Some(Stretch::Ahead) => (String::new(), glyphs.bar_empty.repeat(length)),
            };
            x = brush.put(x, 0, &head, Role::Canary);
            x = brush.put(x, 0, &format!("{tail} "), Role::Dim);
        }
    } else {
        x = brush.put(0, 0, &format!("{:.0} %", rollout.asked), Role::Canary);
    }
    let level = match rollout.phase {
        Phase::Degraded => Role::Critical,
        Phase::Aborted => Role::Warning,
        _ => Role::Text,
    };
    brush.put(x, 0, &state, level);
}

/// `3 of 5   `
fn count_words(rollout: &Rollout) -> String {
    match rollout.steps.len() {
        0 => String::new(),
        count => format!("{} of {count}   ", (rollout.step + 1).min(count)),
    }
}

/// What the line says at its end, the fullest first.
fn wordings(cx: &Cx, rollout: &Rollout) -> [String; 4] {
    let count = count_words(rollout);
    // A controller that tells no situation tells a phase.
    let told = rollout.situation != Situation::Idle && rollout.situation.phase() == rollout.phase;
    let fine = state_words(cx, rollout, if told { rollout.situation.word() } else { rollout.phase.word() });
    let rough = state_words(cx, rollout, rollout.phase.word());
    [format!("{count}{fine}"), fine, format!("{count}{rough}"), rough]
}

/// `paused by its step, 17:49 left`
pub fn state_words(cx: &Cx, rollout: &Rollout, word: &str) -> String {
    let mark = match rollout.phase {
        Phase::Degraded => format!("{} ", cx.look.glyphs().critical),
        Phase::Aborted => format!("{} ", cx.look.glyphs().warning),
        _ => String::new(),
    };
    let mut words = format!("{mark}{word}");
    let left = rollout.until.map(|until| (until - cx.app.now).num_seconds());
    match (left, rollout.since) {
        (Some(left), _) if left >= 0 => words.push_str(&format!(", {} left", countdown(left))),
        (Some(_), _) => words.push_str(", its time is over"),
        (None, _) if rollout.waits => words.push_str(", waits for you"),
        (None, Some(since)) => {
            words.push_str(&format!(" for {}", text::age((cx.app.now - since).as_seconds_f64())));
        }
        (None, None) => {}
    }
    words
}

/// `17:49`, `1:02:03`.
fn countdown(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_reads_like_a_clock() {
        assert_eq!([0, 59, 1_069, 3_723].map(countdown), ["0:00", "0:59", "17:49", "1:02:03"]);
    }
}
