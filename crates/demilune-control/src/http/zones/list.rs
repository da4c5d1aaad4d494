//! `GET /zones`: the zones that a caller has a grant on.

use axum::extract::State;

use super::wire::{ZoneBody, ZonePageAnswer};
use crate::{
    credentials::{Access, Permission},
    http::{
        SharedState,
        auth::Authenticated,
        envelope::Envelope,
        error::{ApiError, FailureBody},
        query::Query,
    },
};

/// The zones that the caller has a grant on, by name.
#[utoipa::path(get, path = "/zones", tag = "Zones and tokens", operation_id = "zone_list",
    params(
        ("name" = Option<String>, Query, description = "Keep the zone with this name."),
        ("page" = Option<i64>, Query, description = "The page, counted from 1."),
        ("per_page" = Option<i64>, Query, description = "Items on a page: 5 to 50, 20 unless told."),
    ),
    responses(
        (status = 200, description = "A page; empty past the last one.", body = ZonePageAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn list(
    Authenticated(caller): Authenticated,
    State(state): State<SharedState>,
    mut query: Query,
) -> Result<Envelope<Vec<ZoneBody>>, ApiError> {
    let page = query.page();
    let name = query.text("name").map(str::to_owned);
    query.finish()?;
    let mut zones = state.store.zone_list().await?;
    zones.retain(|zone| {
        name.as_ref().is_none_or(|name| *name == zone.name)
            && caller.permission(Access::See, &zone.id) == Permission::Granted
    });
    let offset = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let bodies: Vec<_> = zones.iter().skip(offset).take(page.limit() as usize).map(ZoneBody::from).collect();
    let info = page.info(bodies.len(), zones.len() as u64);
    Ok(Envelope::new(bodies).with_page(info))
}
