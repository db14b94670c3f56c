//! Work spread over the processor's cores, its results in the order of the work.

use std::thread;

/// What `work` makes of each item, in the items' order, on as many threads as there are cores.
pub fn map<T: Send, U: Send>(items: Vec<T>, work: impl Fn(T) -> U + Sync) -> Vec<U> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(items.len().div_ceil(8));
    if threads <= 1 {
        return items.into_iter().map(work).collect();
    }
    // Dealt like cards: neighbouring features are often alike, and equally slow.
    let mut hands: Vec<Vec<T>> = (0..threads).map(|_| Vec::new()).collect();
    for (number, item) in items.into_iter().enumerate() {
        hands[number % threads].push(item);
    }
    let work = &work;
    let done: Vec<Vec<U>> = thread::scope(|scope| {
        let running: Vec<_> = hands
            .into_iter()
            .map(|hand| scope.spawn(move || hand.into_iter().map(work).collect::<Vec<U>>()))
            .collect();
        let joined = running.into_iter().map(|thread| match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect()
    });
    let mut hands: Vec<_> = done.into_iter().map(Vec::into_iter).collect();
    let mut all = Vec::new();
    for number in 0.. {
        match hands[number % threads].next() {
            Some(one) => all.push(one),
            None => break,
        }
    }
    all
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_come_in_the_order_of_the_work() {
        for many in [0, 1, 7, 8, 9, 100, 1_001] {
            let squares: Vec<u64> = (0..many).map(|n| n * n).collect();
            assert_eq!(super::map((0..many).collect(), |n: u64| n * n), squares);
        }
    }
}
