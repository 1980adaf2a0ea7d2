//! Records the statements of a task, so that tests can ask the database how it carries them out.

use std::cell::RefCell;

use super::value::Value;

tokio::task_local! {
    static RECORDED: RefCell<Vec<(String, Vec<Value>)>>;
}

/// Runs `work` and returns the texts and values of the statements that it runs in this task.
pub async fn recording<T>(work: impl Future<Output = T>) -> (T, Vec<(String, Vec<Value>)>) {
    let recorded = async {
        let result = work.await;
        (result, RECORDED.with(RefCell::take))
    };
    RECORDED.scope(RefCell::default(), recorded).await
}

/// Records a statement, if the task is being recorded.
pub(super) fn record(text: &str, values: &[Value]) {
    // Fails outside of `recording`, which is the rule.
    let _ = RECORDED.try_with(|all| all.borrow_mut().push((text.to_owned(), values.to_vec())));
}
