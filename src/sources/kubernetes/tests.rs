//! The board and what is told of it, without a server.

use serde_json::{Value, json};

use super::board::{Board, Objects};
use super::told::Told;
use super::wanted::{Scope, Wants};
use crate::cluster::argo::{ANALYSIS_RUNS, ROLLOUTS};
use crate::cluster::revisions::REPLICA_SETS;
use crate::config::Config;
use crate::domain::{Fact, Fault, FaultKind, Situation, SourceId, Time};

fn config(text: &str) -> Config {
    crate::config::parse("t", text, &[]).unwrap().config
}

fn two_models(cluster: &str) -> Config {
    config(&format!(
        "[[cluster]]\nname = \"eu\"\n{cluster}\n\
         [[model]]\nname = \"sepsis\"\n[model.rollout]\nsystem = \"eu\"\nkind = \"rollout\"\nnamespace = \"ml\"\n\
         [[model]]\nname = \"als\"\nnamespace = \"lab\"\n[model.rollout]\nsystem = \"eu\"\nkind = \"rollout\"\nname = \"als-v2\"\n"
    ))
}

fn board(config: &Config) -> Board {
    let board = Board::new(Wants::of(config, &config.cluster[0]));
    for (resource, scope) in board.wants.watches.clone() {
        board.enter(resource, scope);
    }
    board
}

fn told() -> Told {
    Told::new(SourceId::new("eu"), "prod-eu", "", &[100.0])
}

fn recorded(name: &str) -> Vec<Value> {
    let path = format!("{}/fixtures/kubernetes/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let list: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    list["items"].as_array().unwrap().clone()
}

fn list(items: &[Value], kind: &str) -> Objects {
    let of_kind = items.iter().filter(|item| item["kind"] == kind);
    let place = |item: &Value, key: &str| item["metadata"][key].as_str().unwrap().into();
    of_kind.map(|item| ((place(item, "namespace"), place(item, "name")), item.clone().into())).collect()
}

/// The number of the watch of a kind in a namespace.
fn number(board: &Board, plural: &str, namespace: &str) -> usize {
    let seen = board.seen();
    let found = seen.watches.iter().position(|watch| {
        watch.resource.plural == plural && matches!(&watch.scope, Scope::In(place) if **place == *namespace)
    });
    found.unwrap()
}

fn fill(board: &Board, name: &str) {
    let items = recorded(name);
    for (plural, kind) in
        [("replicasets", "ReplicaSet"), ("analysisruns", "AnalysisRun"), ("rollouts", "Rollout")]
    {
        board.replace(number(board, plural, "ml"), list(&items, kind));
    }
}

fn now() -> Time {
    "2026-11-21T15:41:00Z".parse().unwrap()
}

fn remarks(facts: &[Fact]) -> Vec<&str> {
    facts
        .iter()
        .filter_map(|fact| if let Fact::Remark(text) = fact { Some(text.as_str()) } else { None })
        .collect()
}

#[test]
fn only_what_the_models_need_is_watched() {
    let few = two_models("");
    let wants = Wants::of(&few, &few.cluster[0]);
    assert_eq!(wants.all.len(), 2);
    assert_eq!(
        (&*wants.all[0].name, &*wants.all[1].name, &*wants.all[1].namespace),
        ("sepsis", "als-v2", "lab")
    );
    assert!(wants.watches.contains(&(ROLLOUTS, Scope::In("ml".into()))));
    assert!(wants.watches.contains(&(ANALYSIS_RUNS, Scope::In("lab".into()))));
    assert!(!wants.watches.iter().any(|(resource, _)| resource.plural == "canaries"), "nobody wants these");

    let listed = two_models("namespaces = [\"ml\"]");
    let wants = Wants::of(&listed, &listed.cluster[0]);
    assert_eq!((wants.all.len(), wants.outside.len()), (1, 1), "{:?}", wants.outside);

    let mut text = String::from("[[cluster]]\nname = \"eu\"\n");
    for n in 0..9 {
        text.push_str(&format!("[[model]]\nname = \"m{n}\"\nnamespace = \"n{n}\"\n[model.rollout]\nsystem = \"eu\"\nkind = \"rollout\"\n"));
    }
    let many = config(&text);
    let wants = Wants::of(&many, &many.cluster[0]);
    assert!(wants.watches.iter().all(|(_, scope)| *scope == Scope::All), "{:?}", wants.watches);
    assert_eq!(
        wants.watches.len(),
        1 + wants.all[0].kind.companions().len(),
        "one watch a kind, not one a model"
    );
}

#[test]
fn a_change_concerns_its_own_rollout_only() {
    let config = two_models("");
    let wants = Wants::of(&config, &config.cluster[0]);
    let owned = |kind: &str, name: &str| json!({"metadata": {"ownerReferences": [{"kind": kind, "name": name, "controller": true}]}});
    assert_eq!(wants.touched(&REPLICA_SETS, "ml", "x", &owned("Rollout", "sepsis")), [0]);
    assert!(wants.touched(&REPLICA_SETS, "ml", "x", &owned("Deployment", "sepsis")).is_empty());
    assert!(wants.touched(&REPLICA_SETS, "lab", "x", &owned("Rollout", "sepsis")).is_empty());
    assert_eq!(wants.touched(&ROLLOUTS, "lab", "als-v2", &json!({})), [1]);
    assert!(wants.touched(&ROLLOUTS, "ml", "another", &json!({})).is_empty());
}

#[test]
fn changes_are_told_once_and_everything_when_asked() {
    let config = two_models("");
    let (board, mut told) = (board(&config), told());
    fill(&board, "argo-paused-by-step");
    let facts = told.facts(&board, false, now());
    let Some(Fact::Rollout { model, rollout }) = facts.first() else { panic!("{facts:?}") };
    assert_eq!((&*model.name, rollout.situation), ("sepsis", Situation::PausedByStep));
    assert_eq!(rollout.target.as_ref().unwrap().to_string(), "prod-eu/ml/sepsis");
    assert!(told.facts(&board, false, now()).is_empty(), "nothing has changed");
    assert_eq!(told.facts(&board, true, now()).len(), 1, "a lost report is made good");

    // A relist with the same objects is no news.
    fill(&board, "argo-paused-by-step");
    assert!(board.seen().dirty.is_empty());
}

#[test]
fn a_relist_does_not_blink_and_what_is_gone_is_said_once() {
    let config = two_models("");
    let (board, mut told) = (board(&config), told());
    fill(&board, "argo-paused-by-step");
    told.facts(&board, true, now());
    // The watch begins again: until its list is whole, the old one stands.
    assert_eq!(told.facts(&board, true, now()).len(), 1);
    board.replace(number(&board, "rollouts", "ml"), Objects::new());
    let facts = told.facts(&board, false, now());
    assert!(matches!(&facts[0], Fact::RolloutGone { what, .. } if what == "Rollout ml/sepsis"), "{facts:?}");
    assert!(remarks(&facts)[0].contains("not there"), "{facts:?}");
    assert!(told.facts(&board, true, now()).is_empty(), "said once");
    fill(&board, "argo-aborted");
    let facts = told.facts(&board, false, now());
    assert!(
        matches!(&facts[..], [Fact::Rollout { rollout, .. }] if rollout.situation == Situation::Aborted),
        "{facts:?}"
    );
}

#[test]
fn what_cannot_be_listed_is_said_with_what_to_do() {
    let config = two_models("");
    let (board, mut told) = (board(&config), told());
    let fault = |kind| Fault::new(kind, "rollouts in namespace ml: 403, no");
    board.failed(number(&board, "rollouts", "lab"), Some(404), fault(FaultKind::Absent));
    board.failed(number(&board, "analysisruns", "ml"), Some(403), fault(FaultKind::Denied));
    board.failed(number(&board, "horizontalpodautoscalers", "ml"), Some(404), fault(FaultKind::Absent));
    let facts = told.facts(&board, true, now());
    let said = remarks(&facts);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said.iter().any(|text| text.contains("knows no rollouts of argoproj.io") && text.contains("install"))
    );
    assert!(said.iter().any(|text| text.contains("analysisruns in namespace ml: may not be listed")));
}

#[test]
fn a_promotion_is_lost_only_when_it_stays_so() {
    let config = two_models("");
    let (board, mut told) = (board(&config), told());
    let mut items = recorded("argo-promotion-lost");
    for item in &mut items {
        let name = item["metadata"]["name"].as_str().unwrap().replace("lost", "sepsis");
        item["metadata"]["name"] = json!(name);
    }
    board.replace(number(&board, "rollouts", "ml"), list(&items, "Rollout"));
    let facts = told.facts(&board, false, now());
    let Some(Fact::Rollout { rollout, .. }) = facts.first() else { panic!("{facts:?}") };
    assert_eq!(
        (rollout.situation, rollout.waits),
        (Situation::Progressing, false),
        "every promotion looks so at first"
    );
    let later = told.later();
    assert_eq!((later.len(), later[0].0), (1, 0));
    assert!(later[0].1 <= std::time::Duration::from_secs(3));
}

#[test]
fn alarms_get_rare_only_while_nobody_takes_the_news() {
    use super::{GAP, LONGEST_GAP, next_gap};
    let mut gap = GAP;
    for _ in 0..100 {
        gap = next_gap(gap, true);
        assert_eq!(gap, GAP, "change upon change, each taken");
    }
    let gaps: Vec<u128> = (0..8)
        .map(|_| {
            gap = next_gap(gap, false);
            gap.as_millis()
        })
        .collect();
    assert_eq!(gaps, [200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    assert_eq!(next_gap(LONGEST_GAP, true), GAP);
}

#[test]
fn what_was_taken_is_counted() {
    let config = two_models("");
    let (board, mut told) = (board(&config), told());
    let before = board.seen().taken;
    told.facts(&board, false, now());
    assert_eq!(board.seen().taken, before + 1);
}
