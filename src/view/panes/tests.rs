//! Every pane at every size, with everything known and with nothing; and the words that must be on it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::fixture::{ago, app, empty, history, id, now, report, rich};
use super::{Cx, draw, title};
use crate::app::Pane;
use crate::domain::{Fact, Fault, FaultKind, Kpi, Reading, Time};
use crate::store::Store;
use crate::view::look::{Depth, Look};
use crate::view::theme::Theme;

fn screen(pane: Pane, store: &Store, look: &Look, zoomed: bool, size: (u16, u16), offset: u16) -> String {
    screen_at(now(), pane, store, look, zoomed, size, offset)
}

fn screen_at(
    at: Time,
    pane: Pane,
    store: &Store,
    look: &Look,
    zoomed: bool,
    size: (u16, u16),
    offset: u16,
) -> String {
    let mut app = app();
    app.now = at;
    (app.zoomed, app.pane_offset) = (zoomed, offset);
    let cx = Cx { app: &app, store, look, model: store.model(&id()), zoomed, focused: true, framed: true };
    let area = Rect::new(0, 0, size.0, size.1);
    let mut buf = Buffer::empty(area);
    draw(pane, &mut buf, area, &cx);
    let line = |y| (0..size.0).map(|x| buf[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    let title = title(pane, &cx);
    let rows = (0..size.1).map(line).collect::<Vec<_>>().join("\n");
    format!("{} {title}\n{rows}\n", pane.title())
}

#[test]
fn panes_say_what_matters() {
    let (store, look) = (rich(), Look::default());
    let of = |pane| screen(pane, &store, &look, false, (78, 12), 0);
    let zoom = |pane| screen(pane, &store, &look, true, (158, 42), 0);
    if std::env::var_os("SHOW_PANES").is_some() {
        for pane in Pane::ALL {
            println!("{}\n{}", of(pane), zoom(pane));
        }
    }
    let expected: [(Pane, &[&str]); 6] = [
        (
            Pane::Latency,
            &[
                "p99 ≥ 890 ■",
                "p95 612 ■",
                "limit 500",
                "n 18 204",
                "in 500–650",
                "25 % 13:58",
                "15 min",
                "1.2.0 and 1.3.0",
            ],
        ),
        (
            Pane::Quality,
            &[
                "▲",
                "< .850",
                "≥ .850",
                "±.019",
                "1 204",
                "labels are late",
                "not measured",
                "F1 .866 rests on 12 samples",
                "12",
            ],
        ),
        (
            Pane::Drift,
            &[
                "sensor",
                "0.23 high",
                "p 0.003 drifted",
                "moderate: find the cause",
                "by Dec 4",
                "prediction",
                "n 3 500 rows",
            ],
        ),
        (
            Pane::Canary,
            &[
                "3 of 5   paused by its step, 17:49 left",
                "measured 25.0 %",
                "3.0×",
                "beyond",
                "too few (n 12)",
                "as asked",
            ],
        ),
        (Pane::Registry, &["mlflow says 1.2.0", "disagree", "champion", ".912", "production"]),
        (Pane::Timeline, &["weight 10 → 25 %", "alert HighLatency firing", "argo-rollouts  step 3 of 5"]),
    ];
    for (pane, words) in expected {
        let text = of(pane);
        for word in words {
            assert!(text.contains(word), "no `{word}` in\n{text}");
        }
    }
    let expected: [(Pane, &[&str]); 5] = [
        (
            Pane::Latency,
            &["als-2", "hung", "ready", "> 90", "failed predictions", "p95 204, now 612", "1.3.0"],
        ),
        (Pane::Quality, &["WARNING", "guide", "  1.3.0"]),
        (Pane::Canary, &["throughput", "weight 10 → 25 %"]),
        (Pane::Registry, &["NEWEST OTHER", "differs", "max_depth", "approvals"]),
        (Pane::Timeline, &["HighLatency", "silence model=\"als\"", "newest first"]),
    ];
    for (pane, words) in expected {
        let text = zoom(pane);
        for word in words {
            assert!(text.contains(word), "no `{word}` in\n{text}");
        }
    }
}

#[test]
fn nothing_known_is_said_in_words() {
    let look = Look::default();
    let mut store = empty();
    let of = |store: &Store, pane| screen(pane, store, &look, false, (78, 12), 0);
    assert!(of(&store, Pane::Latency).contains("prometheus has not answered so far"));
    report(&mut store, "prometheus", ago(41), Err(Fault::new(FaultKind::Down, "connection refused")));
    let expected = [
        (Pane::Latency, "prometheus down for 41 s"),
        (Pane::Drift, "prometheus down for 41 s"),
        (Pane::Canary, "no rollout controller"),
        (Pane::Registry, "mlflow has not answered so far"),
    ];
    for (pane, words) in expected {
        let text = of(&store, pane);
        assert!(text.contains(words), "no `{words}` in\n{text}");
    }
}

#[test]
fn old_data_does_not_look_current() {
    let (mut store, later) = (rich(), now() + chrono::TimeDelta::seconds(100));
    store.tick(later);
    let expected = [
        (Pane::Latency, "p95 612 ◌"),
        (Pane::Latency, "1 min old"),
        (Pane::Quality, "◌"),
        (Pane::Quality, "acc is stale: .871 100 s ago"),
        (Pane::Drift, "◌ drift is stale"),
        (Pane::Canary, "◌ argo stale for 1 min"),
        (Pane::Registry, "◌ mlflow stale for 1 min"),
    ];
    for (pane, words) in expected {
        let text = screen_at(later, pane, &store, &Look::default(), false, (78, 12), 0);
        assert!(text.contains(words), "no `{words}` in\n{text}");
    }
}

#[test]
fn means_are_not_percentiles() {
    let mut store = empty();
    let points = (0..60).map(|n| (ago(300 - n * 5), 80.0)).collect();
    let reading = Reading::new(80.0, now());
    let facts = vec![
        history(Kpi::LatencyMean, None, 5, points),
        Fact::Reading { model: id(), version: None, kpi: Kpi::LatencyMean, reading },
    ];
    report(&mut store, "prometheus", now(), Ok(facts));
    let text = screen(Pane::Latency, &store, &Look::default(), false, (78, 12), 0);
    assert!(text.contains("mean only") && text.contains("mean 80") && !text.contains("p95 80"), "{text}");
}

proptest::proptest! {
    #[test]
    fn no_pane_panics_at_any_size(
        columns in 0u16..220, rows in 0u16..60, zoomed: bool, ascii: bool, offset in 0u16..300,
    ) {
        thread_local! { static STORES: [Store; 2] = [rich(), empty()]; }
        let look = Look::of(&Theme::fallback(), Depth::Mono, ascii);
        STORES.with(|stores| {
            for store in stores {
                for pane in Pane::ALL {
                    screen(pane, store, &look, zoomed, (columns, rows), offset);
                    let (app, area) = (app(), Rect::new(0, 0, columns, rows));
                    let nobody =
                        Cx { app: &app, store, look: &look, model: None, zoomed, focused: false, framed: false };
                    draw(pane, &mut Buffer::empty(area), area, &nobody);
                    title(pane, &nobody);
                }
            }
        });
    }
}
