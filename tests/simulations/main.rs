//! Simulations behind the judgement's promises: `cargo test --release --test simulations -- --ignored --nocapture`.
//! Minutes on two cores; `WARDROOM_LONG=1` takes more runs of the slow ones. Alpha is 0.05, a look 15 seconds with
//! Poisson(200) requests of both arms, the error rate 0.5 %, accuracy 90 %, p50 100 ms, p95 228 ms. Figures as found:
//!
//! | healthy canary, ever called worse (or a bad one good) in 10,000 looks | |
//! |---|---|
//! | S2; S4 with Poisson counts; S6 | 2.8 %; 2.9 %; 1.8 % |
//! | S3 abort at exactly the margin; promote at exactly the margin: accuracy, errors, latency | 4.1 %; 4.6 %, 4.1 %, 4.2 % |
//! | S2 in a ramp 5 → 50 % with a drifting error rate; cumulative z there | 4.0 %; 100 % |
//! | whole judgement in a ramp of 2,000 looks: aborted; promoted with accuracy at the margin (100 runs) | 1.0 %; 1.0 % |
//! | rank test, CV 0, 0.5, 1, 2,000 blocks | 1.8 %, 1.6 %, 2.3 % |
//!
//! | median canary requests at 5/10/25/50 % | one e-process | whole judgement |
//! |---|---|---|
//! | errors 0.5 → 1.5 % | 576 / 624 / 782 / 1,298 | 918 / 894 / 1,182 / 2,020 |
//! | p95 +50 %, median unchanged (any rise) | 77 / 90 / 141 / 217 | 108 / 139 / 171 / 300 |
//! | latency ×1.5 (any rise) | 26 / 34 / 52 / 101 | 37 / 44 / 55 / 105 |
//! | latency ×2, margin 1.5 | | 171 / 172 / 222 / 346 |
//! | accuracy −2 points (any drop) | 1,957 / 2,082 / 2,585 / 3,893 | |
//! | accuracy −5 points (any drop) | 324 / 345 / 455 / 700 | 428 / 450 / 601 / 998 |
//! | accuracy −5 points, margin 2 | 842 / 903 / 1,155 / 1,751 | 1,327 / 1,582 / 1,796 / 2,491 |
//! | promote, errors within 0.5 point | 1,602 / 1,712 / 1,965 / 2,482 | |
//! | promote, accuracy within 2 points | 1,326 / 1,446 / 1,762 / 2,505 | |
//! | promote, everything | | 2,876 / 3,454 / 3,116 / 4,490 |
//! | crashes at 10 %, ×2 and ×4: canary crashes | 20 and 7 | |
//!
//! | what else | |
//! |---|---|
//! | e-BH, 300 metrics, 15 bad | false-discovery rate 0.0 % (worst look of each run 0.5 %), power 0.999 |
//! | a sentinel of equal instances, 8 hours | noisy 4 %, aborted 2 % (without it 2 %) |
//! | instances wobble, CV 0.5, 22 requests a look and instance | noisy 18 %, aborted 9 % (without it 9 %) |
//! | the same with 220 requests | noisy 100 %, aborted 23 % (without it 50 %; with halves alone 31 %) |
//! | errors 0.5 → 1.5 % from the stage of 25 % on, stages of 2 hours | 1,279 canary requests with the mixture over stages, 3,989 without; from the start 677 and 561 |
//! | labels of two ages that differ by 10 points | paired by age 0 % aborted, unpaired 100 %; a bad canary promoted 0.5 % and 100 % |
//! | detector after a promotion | healthy: 37 % of runs alarm in 20,000 blocks; errors 0.5 → 1.5 % after a day: 145 blocks, 459 without it |

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may fail and show what they found")]

mod alarms;
mod draw;
mod expectation;
mod fleet;
mod late;
mod medians;
mod noise;
mod rollout;
