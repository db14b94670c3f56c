//! The controller over HTTP against the demo, and against servers that fail in one way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::*;
use crate::config;
use crate::control::Seen;
use crate::demo::{Demo, DemoOptions, start};
use crate::domain::act::{ActId, Confirm, Plan, Who};
use crate::domain::{ModelId, Time, Version};

const FIXTURE: &str = include_str!("../../../fixtures/canary/acting.json");

fn now() -> Time {
    Time::from_timestamp(1_795_183_200, 0).unwrap()
}

/// One rollout, at 25 % and paused by its step, of this generation.
fn rollout(generation: u64, change: &[(&str, Value)]) -> Value {
    let body: Value = serde_json::from_str(FIXTURE).unwrap();
    let mut rollout = body["rollouts"][0].clone();
    rollout["generation"] = generation.into();
    rollout["situation"] = "paused-by-step".into();
    rollout["cannot"] = json!({});
    for (name, value) in change {
        rollout[*name] = value.clone();
    }
    rollout
}

/// How a server takes acts.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Manner {
    /// 409 so many times, then 200.
    Conflicts(usize),
    /// 409, and the rollout has moved to another step.
    Moves,
    /// This status.
    Says(u16),
    /// Notes it, then answers 502.
    LosesTheAnswer,
    /// Notes it, then never answers.
    Hangs,
    /// Notes it, then answers more than is allowed.
    Huge,
    /// Sends away to another path, where everything is 200.
    Redirects,
}

struct Server {
    manner: Manner,
    asked: AtomicUsize,
    posts: AtomicUsize,
    acts: std::sync::Mutex<Vec<Value>>,
}

async fn answer(
    State(server): State<Arc<Server>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let say = |status: u16, value: Value| {
        let audit = headers.get("audit-id").cloned().unwrap_or(axum::http::HeaderValue::from_static("none"));
        (StatusCode::from_u16(status).unwrap(), [("audit-id", audit)], value.to_string()).into_response()
    };
    if method == Method::GET && uri.path() == "/api/v1/acts" {
        return say(200, json!({"acts": *server.acts.lock().unwrap()}));
    }
    if method == Method::GET {
        server.asked.fetch_add(1, Ordering::SeqCst);
        let posts = server.posts.load(Ordering::SeqCst) as u64;
        let moved = server.manner == Manner::Moves && posts > 0;
        let change = if moved { vec![("step", json!(3)), ("asked", json!(50.0))] } else { Vec::new() };
        return say(200, rollout(12 + posts, &change));
    }
    if uri.query().is_some_and(|query| query.contains("dry_run=true")) {
        return say(200, json!({"dry_run": true, "would": "25 % → 50 %"}));
    }
    let before = server.posts.fetch_add(1, Ordering::SeqCst);
    let note = || server.acts.lock().unwrap().push(serde_json::from_str(&body).unwrap());
    match server.manner {
        Manner::Conflicts(times) if before < times => {
            say(409, json!({"error": "generation moved", "generation": 13}))
        }
        Manner::Conflicts(_) => {
            note();
            say(200, json!({"id": "a", "already": false, "generation": 99}))
        }
        Manner::Moves => say(409, json!({"error": "generation moved", "generation": 13})),
        Manner::Says(status) => say(status, json!({"error": "the words"})),
        Manner::LosesTheAnswer => {
            note();
            say(502, json!({"error": "bad gateway"}))
        }
        Manner::Hangs => {
            note();
            std::future::pending().await
        }
        Manner::Huge => {
            note();
            say(200, Value::String("x".repeat(3 << 20)))
        }
        Manner::Redirects => (StatusCode::FOUND, [("location", "/elsewhere")]).into_response(),
    }
}

async fn serve(manner: Manner) -> (HttpController, Arc<Server>) {
    let (asked, posts) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let server = Arc::new(Server { manner, asked, posts, acts: std::sync::Mutex::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&server));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let text = format!("timeout = \"500ms\"\nmax_answer_mib = 1\n[[canary]]\nurl = \"http://{address}\"\n");
    let config = config::parse("test", &text, &[]).unwrap().config;
    (HttpController::new(&config, &config.canary[0]).unwrap(), server)
}

fn ask(operation: Operation) -> Ask {
    Ask {
        model: ModelId::new("demo", "alzheimer"),
        target: Target {
            system: SourceId::new("canary"),
            kind: ControllerKind::Http,
            context: "".into(),
            namespace: "".into(),
            name: "alzheimer".into(),
        },
        operation,
        reason: "p95 doubled".into(),
        seen: None,
        who: "kim@bastion".into(),
        now: now(),
    }
}

/// The plan that the engine would make of a draft.
fn plan_of(ask: &Ask, draft: Draft, id: &str) -> Plan {
    draft.plan(ActId(id.into()), ask, Who::default(), String::new(), Confirm::Enter)
}

async fn planned(controller: &HttpController, operation: Operation, id: &str) -> Plan {
    let ask = ask(operation);
    let draft = controller.plan(&ask).await.unwrap();
    plan_of(&ask, draft, id)
}

#[tokio::test]
async fn the_plan_names_its_request_its_facts_and_what_the_dry_run_said() {
    let (controller, server) = serve(Manner::Conflicts(0)).await;
    let plan = planned(&controller, Operation::Promote, "a-1").await;
    let request = &plan.requests[0];
    assert_eq!((request.verb.as_str(), request.path.as_str()), ("POST", "/api/v1/rollouts/alzheimer/acts"));
    assert_eq!((&request.body["act"], &request.body["if_generation"]), (&json!("promote"), &json!(12)));
    assert_eq!((request.may.clone(), request.dry_run.clone()), (May::Yes, Some(Ok("25 % → 50 %".into()))));
    assert_eq!(plan.fact("generation"), Some(&json!(12)));
    assert_eq!(plan.before, "1.3.0 at 25 %, paused by its step; 1.2.0 stable");
    assert_eq!(plan.after, "1.3.0 at 50 %");
    assert_eq!(server.posts.load(Ordering::SeqCst), 0, "a plan does nothing");
    let abort = planned(&controller, Operation::Abort, "a-2").await;
    assert!(abort.requests[0].body.get("if_generation").is_none(), "the safe direction waits for nobody");
    assert_eq!(
        abort.version.as_ref().map(|version| (version.name.as_str(), version.revision)),
        Some(("1.2.0", Some(3)))
    );
    let back = planned(&controller, Operation::RollBack { to: Version::new("1.1.0") }, "a-3").await;
    assert!(back.beware[0].text.contains("known to be bad"), "{:?}", back.beware);
    let unknown = ask(Operation::RollBack { to: Version::new("9") });
    assert!(controller.plan(&unknown).await.unwrap_err().instead.contains("1.3.0, 1.2.0, 1.1.0"));
}

#[tokio::test]
async fn a_conflict_over_nothing_that_matters_is_tried_three_times_more() {
    let (controller, server) = serve(Manner::Conflicts(3)).await;
    let plan = planned(&controller, Operation::Promote, "a-1").await;
    let sent = controller.send(&plan, 0, "audit-1").await;
    assert_eq!(sent, Sent::Accepted { audit_id: "audit-1".into(), note: "generation 15 → 99".into() });
    assert_eq!(server.posts.load(Ordering::SeqCst), 4);
    let body = server.acts.lock().unwrap()[0].clone();
    assert_eq!(
        (&body["id"], &body["reason"], &body["if_generation"]),
        (&json!("a-1"), &json!("p95 doubled"), &json!(15))
    );
    let (controller, server) = serve(Manner::Conflicts(4)).await;
    let sent = controller.send(&plan, 0, "audit-1").await;
    assert!(matches!(&sent, Sent::Refused(why) if why.contains("4 tries")), "{sent:?}");
    assert_eq!(server.posts.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn when_a_fact_has_moved_nothing_more_is_sent() {
    let (controller, server) = serve(Manner::Moves).await;
    let plan = planned(&controller, Operation::Promote, "a-1").await;
    let sent = controller.send(&plan, 0, "x").await;
    assert_eq!(sent, Sent::Moved("step was 2, is 3; asked was 25.0, is 50.0".into()));
    assert_eq!(server.posts.load(Ordering::SeqCst), 1);
    let sent = controller.send(&plan, 0, "x").await;
    assert!(matches!(sent, Sent::Moved(_)), "{sent:?}");
    assert_eq!(server.posts.load(Ordering::SeqCst), 1, "seen before it was sent");
}

#[tokio::test]
async fn refusals_change_nothing_and_lost_answers_are_unknown() {
    for (status, refused) in
        [(400, true), (401, true), (403, true), (404, true), (422, true), (500, false), (503, false)]
    {
        let (controller, server) = serve(Manner::Says(status)).await;
        let plan = planned(&controller, Operation::Abort, "a-1").await;
        let sent = controller.send(&plan, 0, "x").await;
        match &sent {
            Sent::Refused(why) => assert!(refused && why.contains("the words"), "{status}: {why}"),
            Sent::Unknown(_) => assert!(!refused, "{status}"),
            other => panic!("{status}: {other:?}"),
        }
        assert_eq!(server.posts.load(Ordering::SeqCst), 1, "{status}: once");
        let settled = controller.settled(&plan, 0).await.unwrap();
        assert!(matches!(settled, Settled::NotDone(_)), "{settled:?}");
    }
    for manner in [Manner::LosesTheAnswer, Manner::Hangs, Manner::Huge] {
        let (controller, server) = serve(manner).await;
        let plan = planned(&controller, Operation::Abort, "a-1").await;
        let sent = controller.send(&plan, 0, "x").await;
        assert!(matches!(sent, Sent::Unknown(_)), "{manner:?}: {sent:?}");
        assert_eq!(server.posts.load(Ordering::SeqCst), 1, "{manner:?}: never twice by itself");
        let settled = controller.settled(&plan, 0).await.unwrap();
        assert!(matches!(settled, Settled::Done(_)), "{manner:?}: {settled:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_not_taken_for_an_acceptance() {
    let (controller, server) = serve(Manner::Redirects).await;
    let plan = planned(&controller, Operation::Promote, "a-1").await;
    let asked = server.asked.load(Ordering::SeqCst);
    assert!(matches!(controller.send(&plan, 0, "x").await, Sent::Refused(why) if why.contains("302")));
    assert_eq!(server.asked.load(Ordering::SeqCst), asked + 1, "only the re-reading before it");
}

#[tokio::test]
async fn nobody_there_means_nothing_was_sent() {
    let (controller, _) = serve(Manner::Conflicts(0)).await;
    let plan = planned(&controller, Operation::Abort, "a-1").await;
    let text = "timeout = \"500ms\"\n[[canary]]\nurl = \"http://127.0.0.1:9\"\n";
    let config = config::parse("test", text, &[]).unwrap().config;
    let nobody = HttpController::new(&config, &config.canary[0]).unwrap();
    assert!(matches!(nobody.send(&plan, 0, "x").await, Sent::Refused(_)));
    assert!(nobody.plan(&ask(Operation::Abort)).await.is_err());
    assert!(
        controller.knows(&plan.target)
            && !controller.knows(&Target { system: SourceId::new("b"), ..plan.target.clone() })
    );
}

async fn demo() -> (Demo, HttpController) {
    let demo = start(DemoOptions { models: 4, ..DemoOptions::default() }).await.unwrap();
    let loaded = config::parse("demo", &demo.config_toml(), &[]).unwrap().config;
    let controller = HttpController::new(&loaded, &loaded.canary[0]).unwrap();
    (demo, controller)
}

/// Looks until every check holds; gives up after ten seconds.
async fn effective(controller: &HttpController, plan: &Plan) -> Duration {
    let begun = std::time::Instant::now();
    loop {
        let findings = controller.observe(plan).await.unwrap();
        assert_eq!(findings.len(), plan.checks.len(), "{findings:?}");
        if findings.iter().all(|finding| finding.seen == Seen::Yes) {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{findings:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_act_becomes_effective_on_the_demo() {
    let (demo, controller) = demo().await;
    let acts = [
        Operation::Pause,
        Operation::Resume,
        Operation::SetWeight { percent: 33.0 },
        Operation::Resume,
        Operation::Promote,
        Operation::Abort,
        Operation::Retry,
        Operation::PromoteFull,
        Operation::RollBack { to: Version::new("1.1.0") },
    ];
    for (n, operation) in acts.into_iter().enumerate() {
        let plan = planned(&controller, operation.clone(), &format!("a-{n}")).await;
        assert!(matches!(plan.requests[0].dry_run, Some(Ok(_))), "{operation:?}");
        let sent = controller.send(&plan, 0, "audit-7").await;
        assert!(
            matches!(&sent, Sent::Accepted { audit_id, .. } if audit_id == "audit-7"),
            "{operation:?}: {sent:?}"
        );
        effective(&controller, &plan).await;
        let again = controller.settled(&plan, 0).await.unwrap();
        assert!(matches!(again, Settled::Done(_)), "{operation:?}: {again:?}");
    }
    let now = controller.read(&ask(Operation::Pause).target).await.unwrap().rollout;
    assert_eq!((now.stable.as_str(), now.canary), ("1.1.0", None));
    demo.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abort_on_the_demo_is_effective_within_its_time() {
    let (demo, controller) = demo().await;
    let begun = std::time::Instant::now();
    let plan = planned(&controller, Operation::Abort, "a-1").await;
    assert!(matches!(controller.send(&plan, 0, "x").await, Sent::Accepted { .. }));
    effective(&controller, &plan).await;
    // The measured share follows: requests that have arrived since the abort, none of them to the canary.
    let share = loop {
        let told = controller.read(&plan.target).await.unwrap();
        if let Some(share) = told.rollout.measured {
            break share;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(share < 20.0, "{share}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let second = controller.send(&plan, 0, "x").await;
    assert!(matches!(second, Sent::Moved(_)), "the canary is gone: {second:?}");
    demo.stop();
}
