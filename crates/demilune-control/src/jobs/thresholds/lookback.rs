//! The latest day before a given one that had enough sessions.

use demilune_inventory::{OperationId, ZoneId};
use demilune_store::{Store, StoreFailure};
use demilune_traffic::{Hour, SessionWindow, Source, Thresholds, WindowTotals};

use crate::jobs::hourly::hours_before;

type Window = (OperationId, WindowTotals, Vec<Source>);

/// The latest day with enough sessions that ends before `end` and not before `earliest`.
///
/// Every day lies in two that follow each other and end 24 hours apart, so where those two have too few sessions
/// together, no hour between needs a look.
pub(super) async fn latest(
    store: &Store,
    zone: &ZoneId,
    operation: OperationId,
    earliest: Hour,
    end: Hour,
) -> Result<Option<(Hour, Window)>, StoreFailure> {
    if end <= earliest {
        return Ok(None);
    }
    let mut later = end;
    let mut later_sessions = sessions(window(store, zone, operation, end).await?.as_ref());
    while later > earliest {
        let earlier = hours_before(later, SessionWindow::HOURS);
        let earlier_window = window(store, zone, operation, earlier).await?;
        let earlier_sessions = sessions(earlier_window.as_ref());
        if later_sessions + earlier_sessions >= Thresholds::SESSIONS_MIN {
            let mut hour = hours_before(later, 1);
            while hour >= earliest.max(earlier) && hour < later {
                if let Some(found) = window(store, zone, operation, hour).await?.filter(enough) {
                    return Ok(Some((hour, found)));
                }
                hour = hours_before(hour, 1);
            }
        }
        (later, later_sessions) = (earlier, earlier_sessions);
    }
    Ok(None)
}

async fn window(
    store: &Store,
    zone: &ZoneId,
    operation: OperationId,
    end: Hour,
) -> Result<Option<Window>, StoreFailure> {
    Ok(store.session_windows(zone, vec![operation], end).await?.pop())
}

fn sessions(window: Option<&Window>) -> f64 {
    window.map_or(0.0, |(_, totals, _)| totals.sessions_estimated)
}

fn enough((_, totals, _): &Window) -> bool {
    totals.sessions_estimated >= Thresholds::SESSIONS_MIN
}
