//! The load: real inference requests over HTTP, split between stable and canary as the controller asks.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Exp};
use tokio::sync::Semaphore;

use super::cast::NAMES;
use super::fleet::Fleet;

/// Requests under way at once; a hung server must not pile them up.
const UNDER_WAY: usize = 400;

/// Sends requests until it is aborted.
pub async fn generate(fleet: Arc<Fleet>, places: Vec<Vec<String>>) {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .pool_max_idle_per_host(32)
        .no_proxy()
        .build();
    let Ok(client) = client else { return };
    let mut rng = SmallRng::seed_from_u64(fleet.story.seed);
    let permits = Arc::new(Semaphore::new(UNDER_WAY));
    let named: f64 = fleet.models.iter().take(NAMES).map(|model| model.part.rate).sum();
    let all: f64 = fleet.models.iter().map(|model| model.part.rate).sum();
    let Ok(pause) = Exp::new(all.max(0.1)) else { return };
    loop {
        tokio::time::sleep(Duration::from_secs_f64(pause.sample(&mut rng))).await;
        let model = if rng.random_bool((named / all).clamp(0.0, 1.0)) {
            pick_named(&fleet, rng.random_range(0.0..named))
        } else {
            rng.random_range(NAMES.min(fleet.models.len() - 1)..fleet.models.len())
        };
        let (stable, trial) = fleet.serving(model);
        let version = match trial {
            Some((canary, share)) if rng.random_bool(share.clamp(0.0, 1.0)) => canary,
            _ => stable,
        };
        let Some((part, own)) = fleet.models.get(model).map(|m| &m.part).zip(places.get(model)) else {
            continue;
        };
        let base = &own[rng.random_range(0..own.len())];
        let url = format!("{base}/v2/models/{}/versions/{}/infer", part.name, part.versions[version]);
        let data: [f64; 4] = std::array::from_fn(|_| rng.random_range(-2.0..2.0));
        let body = serde_json::json!({"inputs": [{"name": "features", "shape": [1, 4], "datatype": "FP64", "data": data}]});
        // A full house: the request is lost, as behind any overloaded proxy.
        let Ok(permit) = permits.clone().try_acquire_owned() else { continue };
        let request = client.post(url).json(&body);
        tokio::spawn(async move {
            // What the caller of a prediction sees does not matter here: the server counts.
            let _ = request.send().await;
            drop(permit);
        });
    }
}

fn pick_named(fleet: &Fleet, mut drawn: f64) -> usize {
    for (index, model) in fleet.models.iter().take(NAMES).enumerate() {
        drawn -= model.part.rate;
        if drawn < 0.0 {
            return index;
        }
    }
    0
}
