//! Kubeconfigs that are wrong, and what is said about each.

use super::*;

const TIMEOUT: Duration = Duration::from_secs(2);
const SECRET: &str = "hunter2hunter2hunter2hunter2";

fn yaml(server: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: eu\nclusters:\n- name: c\n  cluster: {{server: \"{server}\"}}\n\
         users:\n- name: u\n  user: {user}\ncontexts:\n- name: eu\n  context: {{cluster: c, user: u}}\n\
         - name: us\n  context: {{cluster: gone, user: u}}\n"
    )
}

fn cluster(folder: &tempfile::TempDir, text: &str) -> ClusterConfig {
    let path = folder.path().join("config");
    std::fs::write(&path, text).unwrap();
    let text = format!("[[cluster]]\nname = \"eu\"\nkubeconfig = {:?}\n", path.display().to_string());
    crate::config::parse("t", &text, &[]).unwrap().config.cluster.remove(0)
}

async fn fault(config: &ClusterConfig) -> Fault {
    let told = match connect(config, TIMEOUT).await {
        Err(fault) => fault,
        Ok(client) => identity(&client, TIMEOUT).await.unwrap_err(),
    };
    assert!(!told.to_string().contains("hunter2"), "{told}");
    told
}

#[tokio::test]
async fn every_wrong_kubeconfig_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let token = format!("{{token: {SECRET}}}");
    let closed = "https://127.0.0.1:1";
    let of = |server: &str, user: &str| cluster(&folder, &yaml(server, user));

    let refused = fault(&of(closed, &token)).await;
    assert_eq!(refused.kind, FaultKind::Down, "{refused}");
    assert!(refused.detail.contains("refused"), "{refused}");

    let mut other = of(closed, &token);
    other.context = Some("mars".into());
    let absent = fault(&other).await.to_string();
    assert!(absent.contains("no context `mars`") && absent.contains("eu, us"), "{absent}");

    other.context = Some("us".into());
    assert!(fault(&other).await.to_string().contains("`gone`"));

    let broken = fault(&cluster(&folder, &format!("users: [ {SECRET}"))).await;
    assert!(broken.to_string().contains("is not a kubeconfig"), "{broken}");

    let mut missing = of(closed, &token);
    missing.kubeconfig = Some("/nowhere/kubeconfig".into());
    let missing = fault(&missing).await;
    assert!(missing.to_string().contains("/nowhere/kubeconfig"), "{missing}");

    let plugin = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: /nowhere/plugin}}";
    let absent = fault(&of(closed, plugin)).await;
    assert!(absent.detail.contains("cannot be started"), "{absent}");

    let plugin = format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, 'echo {SECRET}; echo session over {SECRET} >&2; exit 3']}}}}"
    );
    let failed = fault(&of(closed, &plugin)).await;
    assert!(failed.detail.contains("ended with 3: session over …"), "{failed}");

    let names = fault(&of("https://no-such-host.invalid", &token)).await;
    assert_eq!(names.kind, FaultKind::NoName, "{names}");
}

#[tokio::test]
async fn places_hold_no_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let config = cluster(&folder, &yaml(&format!("https://me:{SECRET}@h:6443/p?x={SECRET}"), "{}"));
    assert_eq!(place(&config), "https://h:6443/p");
    let (all, current) = contexts(config.kubeconfig.as_deref()).unwrap();
    assert_eq!((all, current), (vec!["eu".to_owned(), "us".to_owned()], Some("eu".to_owned())));
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_is_hung() {
    let folder = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let config = cluster(&folder, &yaml(&server, "{}"));
    let client = connect(&config, Duration::from_millis(200)).await.unwrap();
    let told = identity(&client, Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(told.kind, FaultKind::Hung, "{told}");
}
