//! Credentials that end and servers that do not answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use base64::Engine as _;

use super::*;
use crate::stage::written;

/// A token that ends between the plan and the request.
#[test]
fn an_ended_token_refuses_and_says_so() {
    let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
    lab.paused("v2", 1);
    let (secret, kubeconfig) = lab.cluster.short_lived();
    let driver = Driver::by(&lab.cluster, ControllerKind::Argo, &kubeconfig.1, "");
    let plan = driver.planned(Operation::Pause);
    assert!(plan.who.identity.starts_with("system:serviceaccount:"), "{}", plan.who.identity);
    lab.cluster.call("DELETE", &secret, &Value::Null);
    let end = std::time::Instant::now() + PATIENCE;
    // The server remembers an accepted token for up to ten seconds.
    while lab.cluster.run(driver.controller.observe(&plan)).is_ok() {
        assert!(std::time::Instant::now() < end, "the token never ended");
        std::thread::sleep(Duration::from_millis(300));
    }
    let Sent::Refused(why) = driver.send(&plan, 0) else { panic!("not refused") };
    assert!(why.starts_with("nothing was sent") && why.contains("401"), "{why}");
    assert_ne!(lab.get()["spec"]["paused"], true);
    let refusal = driver.plan(Operation::Pause).unwrap_err();
    assert!(refusal.why.contains("denied") && refusal.instead.contains("log in"), "{refusal}");
}

/// An API server that takes a patch and never answers, and one that is not there.
#[test]
fn a_patch_without_an_answer_is_unknown_and_then_settled() {
    let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
    lab.paused("v2", 1);
    let mut config = lab.cluster.config();
    let proxy = lab.cluster.run(Proxy::start(&config));
    config["clusters"][0]["cluster"] = json!({"server": proxy.url});
    let kubeconfig = written(&config);
    let driver = Driver::by(&lab.cluster, ControllerKind::Argo, &kubeconfig.1, "timeout = \"2s\"");
    for (fault, done) in [(HANG, true), (LOSE, false), (GATEWAY, true)] {
        let held = lab.get()["spec"]["paused"] == true;
        let plan = driver.planned(if held { Operation::Resume } else { Operation::Pause });
        proxy.fault.store(fault, Ordering::SeqCst);
        let sent = driver.send(&plan, 0);
        let Sent::Unknown(why) = sent else { panic!("{fault}: {sent:?}") };
        proxy.fault.store(0, Ordering::SeqCst);
        assert_eq!(proxy.patches.swap(0, Ordering::SeqCst), 1, "sent once, never repeated: {why}");
        let settled = lab.cluster.run(driver.controller.settled(&plan, 0)).unwrap();
        assert_eq!(matches!(settled, Settled::Done(_)), done, "{fault}: {settled:?}");
        assert_eq!(matches!(settled, Settled::NotDone(_)), !done, "{fault}: {settled:?}");
    }
    // Nobody listens: then nothing was sent, and that is known.
    let mut nobody = config.clone();
    nobody["clusters"][0]["cluster"] = json!({"server": "http://127.0.0.1:1"});
    let elsewhere = written(&nobody);
    let other = Driver::by(&lab.cluster, ControllerKind::Argo, &elsewhere.1, "timeout = \"2s\"");
    let plan = driver.planned(Operation::Pause);
    let Sent::Refused(why) = other.send(&plan, 0) else { panic!("not refused") };
    assert!(why.starts_with("nothing was sent") && why.contains("refused"), "{why}");
    let objects = lab.cluster.run(async {
        let client = crate::stage::client(&elsewhere.1).await;
        wardroom::control::kubernetes::Objects::new(client, "nobody", Duration::from_secs(2), 1 << 20)
    });
    let direct = lab.cluster.run(objects.patch("/api/v1/x", MERGE, &json!({}), "test"));
    assert!(format!("{direct:?}").contains("Refused(\"nothing was sent"), "{direct:?}");
}

/// Takes patches, passes them on, answers nothing.
const HANG: u8 = 1;
/// Takes patches and loses them: the connection ends.
const LOSE: u8 = 2;
/// Takes patches, passes them on, answers 503: what the usual client would repeat.
const GATEWAY: u8 = 3;

/// A proxy in front of the API server, plain on our side.
struct Proxy {
    url: String,
    fault: Arc<AtomicU8>,
    patches: Arc<AtomicU32>,
}

impl Proxy {
    async fn start(config: &Value) -> Self {
        let cluster = &config["clusters"][0]["cluster"];
        let authority = cluster["certificate-authority-data"].as_str().unwrap();
        let authority = base64::engine::general_purpose::STANDARD.decode(authority).unwrap();
        let client = reqwest::Client::builder()
            .tls_certs_only(reqwest::Certificate::from_pem_bundle(&authority).unwrap())
            .build()
            .unwrap();
        let server = cluster["server"].as_str().unwrap().to_owned();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (fault, patches) = (Arc::new(AtomicU8::new(0)), Arc::new(AtomicU32::new(0)));
        let (now, count) = (fault.clone(), patches.clone());
        let handler = move |request: axum::extract::Request| {
            let (client, server, now, count) = (client.clone(), server.clone(), now.clone(), count.clone());
            async move { pass(request, client, &server, now.load(Ordering::SeqCst), &count).await }
        };
        let app = axum::Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, fault, patches }
    }
}

async fn pass(
    request: axum::extract::Request,
    client: reqwest::Client,
    server: &str,
    fault: u8,
    count: &AtomicU32,
) -> axum::response::Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 22).await.unwrap();
    let patch =
        head.method == http::Method::PATCH && !head.uri.query().unwrap_or_default().contains("dryRun");
    let broken = if patch && fault > 0 {
        count.fetch_add(1, Ordering::SeqCst);
        fault
    } else {
        0
    };
    if broken == LOSE {
        // A panic ends the connection without an answer.
        panic!("lost on purpose");
    }
    let mut headers = head.headers.clone();
    headers.remove("host");
    let url = format!("{server}{}", head.uri);
    let answer = client.request(head.method, url).headers(headers).body(body).send().await.unwrap();
    let status = answer.status();
    let bytes = answer.bytes().await.unwrap();
    match broken {
        HANG => std::future::pending().await,
        GATEWAY => http::Response::builder().status(503).body("no upstream".into()).unwrap(),
        _ => http::Response::builder().status(status).body(bytes.into()).unwrap(),
    }
}
