//! `GET …/discovery/operations`: a page of what was discovered (contract 6.12).

use std::cmp::Ordering;

use axum::extract::State;
use demilune_inventory::{Host, Method};

use super::wire::{DiscoveredBody, DiscoveredPageAnswer};
use crate::{
    discovery::{Discovered, DiscoveredState},
    http::{
        SharedState,
        auth::ReadableZone,
        envelope::Envelope,
        error::{ApiError, FailureBody},
        input::sentence,
        query::{Query, boolean, direction},
    },
};

/// What speaks for an operation, as the contract names it; nothing is discovered by labels here.
const ORIGINS: [&str; 3] = ["ML", "SessionIdentifier", "LabelDiscovery"];

/// What a list is sorted by first.
#[derive(Clone, Copy)]
enum Order {
    Host,
    Method,
    Endpoint,
    Requests,
    LastUpdated,
}

/// The operations that were found among the zone's requests, page by page. Different filters combine; values of one are
/// alternatives.
#[utoipa::path(get, path = "/zones/{zone_id}/api_gateway/discovery/operations", tag = "Discovery", operation_id = "discovered_list",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("page" = Option<i64>, Query, description = "The page, counted from 1."),
        ("per_page" = Option<i64>, Query, description = "Items on a page: 5 to 50, 20 unless told."),
        ("order" = Option<String>, Query, description = "Sort by `host`, `method`, `endpoint`, `traffic_stats.requests` or `traffic_stats.last_updated`. Unless told: host, endpoint, method."),
        ("direction" = Option<String>, Query, description = "`asc` or `desc`."),
        ("host" = Option<Vec<String>>, Query, description = "Keep these hosts."),
        ("method" = Option<Vec<String>>, Query, description = "Keep these methods."),
        ("endpoint" = Option<String>, Query, description = "Keep endpoints that contain this text."),
        ("diff" = Option<bool>, Query, description = "Whether to leave out what is saved."),
        ("origin" = Option<String>, Query, description = "Keep what this speaks for: `ML`, `SessionIdentifier` or `LabelDiscovery`."),
        ("state" = Option<String>, Query, description = "Keep what is in this state: `review`, `saved` or `ignored`."),
    ),
    responses(
        (status = 200, description = "A page; empty past the last one.", body = DiscoveredPageAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn list(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
    mut query: Query,
) -> Result<Envelope<Vec<DiscoveredBody>>, ApiError> {
    let order = query.value("order", order).unwrap_or(Order::Host);
    let descending = query.value("direction", direction).unwrap_or(false);
    let hosts = query.values("host", |text| text.parse::<Host>().map_err(|error| sentence(&error)));
    let methods = query.values("method", |text| text.parse::<Method>().map_err(|error| sentence(&error)));
    let endpoint_contains = query.text("endpoint").unwrap_or_default().to_owned();
    let diff = query.value("diff", boolean).unwrap_or(false);
    let origin = query.value("origin", origin);
    let wanted = query.value("state", state_of);
    let page = query.page();
    query.finish()?;

    let found = Discovered::all(&state.store, &zone).await?;
    let mut found = found.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?;
    found.retain(|Discovered { operation, state }| {
        (hosts.is_empty() || hosts.contains(&operation.key.host))
            && (methods.is_empty() || methods.contains(&operation.key.method))
            && operation.key.endpoint.as_str().contains(&endpoint_contains)
            && !(diff && *state == DiscoveredState::Saved)
            && origin.is_none_or(|origin| operation.origins.iter().any(|own| own == origin))
            && wanted.is_none_or(|wanted| *state == wanted)
    });
    found.sort_by(|one, other| {
        let sorted = compare(order, one, other);
        if descending { sorted.reverse() } else { sorted }
    });
    let total = found.len() as u64;
    let offset = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let items: Vec<DiscoveredBody> =
        found.into_iter().skip(offset).take(page.limit() as usize).map(DiscoveredBody::from).collect();
    let info = page.info(items.len(), total);
    Ok(Envelope::new(items).with_page(info))
}

/// By the member that was asked for, then host, endpoint and method: by bytes, as lists of saved operations.
fn compare(order: Order, one: &Discovered, other: &Discovered) -> Ordering {
    let (one, other) = (&one.operation, &other.operation);
    let host = || one.key.host.as_str().cmp(other.key.host.as_str());
    let endpoint = || one.key.endpoint.as_str().cmp(other.key.endpoint.as_str());
    let method = || one.key.method.as_str().cmp(other.key.method.as_str());
    let first = match order {
        Order::Host => host(),
        Order::Method => method(),
        Order::Endpoint => endpoint(),
        Order::Requests => one.requests.cmp(&other.requests),
        Order::LastUpdated => one.computed_at.cmp(&other.computed_at),
    };
    first.then_with(host).then_with(endpoint).then_with(method)
}

fn order(text: &str) -> Result<Order, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "" | "host" => Ok(Order::Host),
        "method" => Ok(Order::Method),
        "endpoint" => Ok(Order::Endpoint),
        "traffic_stats.requests" => Ok(Order::Requests),
        "traffic_stats.last_updated" => Ok(Order::LastUpdated),
        _ => Err("The order must be host, method, endpoint, traffic_stats.requests or traffic_stats.last_updated."),
    }
}

fn origin(text: &str) -> Result<&'static str, &'static str> {
    let known = ORIGINS.into_iter().find(|origin| origin.eq_ignore_ascii_case(text));
    known.ok_or("The origin must be ML, SessionIdentifier or LabelDiscovery.")
}

fn state_of(text: &str) -> Result<DiscoveredState, &'static str> {
    let known = DiscoveredState::ALL.into_iter().find(|state| state.as_str().eq_ignore_ascii_case(text));
    known.ok_or("The state must be review, saved or ignored.")
}
