//! One function over many inputs, on all cores.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// What the function makes of each input, in their order. A core takes the next input when it is done with its last.
#[must_use]
pub fn map<I: Sync, O: Send>(inputs: &[I], function: impl Fn(&I) -> O + Sync) -> Vec<O> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((place, input)) = take(&next, inputs) {
            done.push((place, function(input)));
        }
        done
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut all: Vec<(usize, O)> = thread::scope(|scope| {
        let started: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        started
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    all.sort_unstable_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, output)| output).collect()
}

fn take<'a, I>(next: &AtomicUsize, inputs: &'a [I]) -> Option<(usize, &'a I)> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    inputs.get(place).map(|input| (place, input))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_come_in_the_order_of_the_inputs() {
        let inputs: Vec<u64> = (0..1_000).collect();
        assert_eq!(map(&inputs, |input| input * 2), inputs.iter().map(|input| input * 2).collect::<Vec<_>>());
    }
}
