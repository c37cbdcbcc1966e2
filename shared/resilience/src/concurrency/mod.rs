//! The same work for many things, a few at a time.
//!
//! Asking for a thousand things at once overwhelms whoever is asked, and asking one by one takes a
//! thousand times as long. These run at most `limit` at once, start the next as soon as one is
//! done, and take no more from their source than that: a thousand things to come are not a
//! thousand futures in memory.
//!
//! | | results | a failure |
//! |---|---|---|
//! | [`for_each_bounded`] | none | is the work's own affair |
//! | [`try_join_bounded`] | all, in order | ends it at once |
//! | [`gather_bounded`] | each by itself, in order | is one of the results |
//!
//! Everything runs inside the caller's task. Nothing is spawned, so whoever drops the future, by a
//! timeout or because its own caller went away, cancels all that was under way and starts nothing
//! more; and work may borrow. Work that never waits gives way to other tasks now and then.
//!
//! A limit bounds one fan-out; what all callers together may ask of a peer is for its
//! [`Bulkhead`](crate::bulkhead::Bulkhead). A limit of 0 would never end, and counts as 1.

use std::future::Future;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};

/// Does `work` for all that `items` yields, at most `limit` at once, in no order.
///
/// All users, ten at a time, as they come from the database:
/// ```
/// use futures_util::stream;
/// use lyceum_resilience::concurrency::for_each_bounded;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # async fn announce(_user: u32) -> Result<(), String> { Ok(()) }
/// let users = stream::iter(1..=1_000);
/// for_each_bounded(users, 10, |user| async move {
///     if let Err(reason) = announce(user).await {
///         eprintln!("user {user}: {reason}");
///     }
/// })
/// .await;
/// # }
/// ```
pub async fn for_each_bounded<S, F, W>(items: S, limit: usize, mut work: F)
where
    S: Stream,
    F: FnMut(S::Item) -> W,
    W: Future<Output = ()>,
{
    items
        .for_each_concurrent(limit.max(1), |item| giving_way(work(item)))
        .await;
}

/// Does `work` for all `items`, at most `limit` at once, and gives the results in their order.
///
/// All or nothing, five at a time:
/// ```
/// use lyceum_resilience::concurrency::try_join_bounded;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), String> {
/// # async fn fetch(url: &str) -> Result<usize, String> { Ok(url.len()) }
/// let urls = ["/courses/1", "/courses/20"];
/// let courses = try_join_bounded(urls, 5, |url| fetch(url)).await?;
/// assert_eq!(courses, [10, 11]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The first that occurs, at once: what is under way is dropped and nothing more is started.
pub async fn try_join_bounded<I, F, W, T, E>(items: I, limit: usize, work: F) -> Result<Vec<T>, E>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> W,
    W: Future<Output = Result<T, E>>,
{
    let numbered =
        under_way(items, limit, work).map(|(number, result)| result.map(|value| (number, value)));
    numbered.try_collect().await.map(in_order)
}

/// Does `work` for all `items`, at most `limit` at once, and gives each outcome in their order.
///
/// The guide's semaphore of five, with every failure kept instead of filtered away:
/// ```
/// use lyceum_resilience::concurrency::gather_bounded;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # async fn fetch(url: &str) -> Result<usize, String> {
/// #     url.starts_with('/').then_some(url.len()).ok_or_else(|| format!("no such page: {url}"))
/// # }
/// let urls = ["/courses/1", "nonsense", "/courses/20"];
/// let outcomes = gather_bounded(urls, 5, |url| fetch(url)).await;
/// let (found, missing): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
/// assert_eq!(found, [Ok(10), Ok(11)]);
/// assert_eq!(missing, [Err("no such page: nonsense".to_owned())]);
/// # }
/// ```
pub async fn gather_bounded<I, F, W, T, E>(items: I, limit: usize, work: F) -> Vec<Result<T, E>>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> W,
    W: Future<Output = Result<T, E>>,
{
    in_order(under_way(items, limit, work).collect().await)
}

/// The results as they come, each with the number of its item.
fn under_way<I, F, W>(items: I, limit: usize, mut work: F) -> impl Stream<Item = (usize, W::Output)>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> W,
    W: Future,
{
    stream::iter(items.into_iter().enumerate())
        .map(move |(number, item)| {
            let working = giving_way(work(item));
            async move { (number, working.await) }
        })
        // Not `buffered`, which keeps order by leaving places empty behind a slow one, and would
        // tell an error only after all before it.
        .buffer_unordered(limit.max(1))
}

fn in_order<T>(mut numbered: Vec<(usize, T)>) -> Vec<T> {
    numbered.sort_unstable_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, value)| value).collect()
}

/// Without it, work that never waits would keep its thread until all of it is done.
async fn giving_way<W: Future>(work: W) -> W::Output {
    tokio::task::coop::consume_budget().await;
    work.await
}

#[cfg(test)]
mod tests;
