//! Documents are read one at a time: the largest take a quarter of a gigabyte while they are compiled.

use demilune_schema::document::{Problem, Severity};
use demilune_store::StoreFailure;
use tokio::{sync::Semaphore, task::spawn_blocking};

/// Most problems that a refusal names.
const PROBLEMS_NAMED_MAX: usize = 20;

static READ: Semaphore = Semaphore::const_new(1);

/// Reads on a thread of its own, since it may take seconds, when nothing else is read.
pub(crate) async fn one_at_a_time<T: Send + 'static>(
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreFailure> {
    let turn = READ.acquire().await.map_err(|error| StoreFailure::Internal(Box::new(error)))?;
    let reading = spawn_blocking(move || {
        // Held to the end of reading, also when the caller goes away.
        let _turn = turn;
        read()
    });
    reading.await.map_err(|error| StoreFailure::Internal(Box::new(error)))
}

/// Why a document cannot be used, in sentences.
pub(crate) fn refusal(problems: &[Problem]) -> Vec<String> {
    let errors = problems.iter().filter(|problem| problem.severity > Severity::Warning);
    let sentence = |problem: &Problem| match problem.location.as_str() {
        "" => problem.message.clone(),
        location => format!("{} ({location})", problem.message),
    };
    errors.map(sentence).take(PROBLEMS_NAMED_MAX).collect()
}
