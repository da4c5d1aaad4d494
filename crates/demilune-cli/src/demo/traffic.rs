//! Traffic as a bookshop has it: many people who look, some who buy, a few mistakes.

use hyper::Method;
use serde_json::{Value, json};

use super::{
    client::{Call, Client, ClientError},
    sample_api::BOOKS,
};

/// People, each with a token of their own.
const PEOPLE: u32 = 60;
/// How many of them are busy at once.
const AT_ONCE: u32 = 6;

/// How many requests were sent, and how many of them no operation fits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    pub(super) requests: u32,
    pub(super) unmatched: u32,
}

/// Sends everybody's requests through the gateway.
pub(super) async fn send(client: &Client, gateway: &str, host: &str) -> Result<Sent, ClientError> {
    let mut crowd = tokio::task::JoinSet::new();
    for first in 0..AT_ONCE {
        let (client, gateway, host) = (client.clone(), gateway.to_owned(), host.to_owned());
        crowd.spawn(async move {
            let mut sent = Sent::default();
            for person in (first..PEOPLE).step_by(AT_ONCE as usize) {
                visit(&client, &gateway, &host, person, &mut sent).await?;
            }
            Ok::<_, ClientError>(sent)
        });
    }
    let mut total = Sent::default();
    while let Some(finished) = crowd.join_next().await {
        // A task of ours neither panics nor is cancelled; if it were, its requests are not counted.
        let Ok(sent) = finished else { continue };
        let sent = sent?;
        total.requests += sent.requests;
        total.unmatched += sent.unmatched;
    }
    Ok(total)
}

/// One person's visit. Who comes later looks at more books, so that people differ.
async fn visit(client: &Client, gateway: &str, host: &str, person: u32, sent: &mut Sent) -> Result<(), ClientError> {
    let mut go = async |method: Method, path: String, body: Option<Value>| {
        let fields = vec![("host", host.to_owned()), ("authorization", format!("Bearer reader-{person}"))];
        let call = Call { method, url: format!("{gateway}{path}"), fields, body: body.as_ref() };
        sent.requests += 1;
        client.send(&call).await.map(|_| ())
    };
    go(Method::GET, "/books?sort=title".to_owned(), None).await?;
    for look in 0..4 + person % 9 {
        // Some follow links to books that are gone.
        let book = 1 + (person * 7 + look * 3) % (BOOKS + 2);
        go(Method::GET, format!("/books/{book}"), None).await?;
        if look.is_multiple_of(3) {
            go(Method::GET, format!("/books/{book}/reviews"), None).await?;
        }
    }
    if person.is_multiple_of(3) {
        let book = 1 + person % BOOKS;
        go(Method::POST, "/orders".to_owned(), Some(json!({ "book_id": book, "count": 1 + person % 3 }))).await?;
        go(Method::GET, format!("/orders/{book}"), None).await?;
    }
    if person.is_multiple_of(5) {
        go(Method::POST, "/orders".to_owned(), Some(json!({ "count": 1 }))).await?;
        go(Method::DELETE, format!("/cart/{person}"), None).await?;
    }
    if person.is_multiple_of(20) {
        go(Method::GET, "/health".to_owned(), None).await?;
        go(Method::GET, "/wp-login.php".to_owned(), None).await?;
        sent.unmatched += 1;
    }
    Ok(())
}
