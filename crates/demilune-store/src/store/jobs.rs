//! Questions about jobs that one process does for all.

use demilune_inventory::{Timestamp, ZoneId};

use super::{Backend, Connection, QueryError, SqliteConnection, Store, StoreFailure, ready, transaction};
use crate::job;

impl Store {
    /// Takes a lease until a time, or renews it; false while another holder has it. Of several who try at once, one
    /// wins.
    ///
    /// Both times are the caller's: a lease keeps two apart as long as their clocks differ by less than what is left
    /// of it when its holder last relies on it. Whoever holds one renews it well before it runs out, and does nothing
    /// under it that is wrong when done twice.
    pub async fn lease_take(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreFailure> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        let taken: Result<_, QueryError> =
            write_alone!(self, |connection| job::lease_take(connection, &name, &holder, now, until));
        taken.map_err(StoreFailure::from)
    }

    /// Gives a lease back before it runs out; false if it was not the holder's.
    pub async fn lease_release(&self, name: &str, holder: &str) -> Result<bool, StoreFailure> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        let released: Result<_, QueryError> =
            write_alone!(self, |connection| job::lease_release(connection, &name, &holder));
        released.map_err(StoreFailure::from)
    }

    /// How far a job has come in a zone, as it was last noted; none if it never was.
    pub async fn job_done(&self, zone: &ZoneId, name: &str) -> Result<Option<u64>, StoreFailure> {
        let (zone, name) = (zone.clone(), name.to_owned());
        read!(self, |connection| job::done(connection, &zone, &name))
    }

    /// Notes how far a job has come in a zone; false if there is no such zone. It goes with the zone.
    pub async fn job_note(&self, zone: &ZoneId, name: &str, value: u64) -> Result<bool, StoreFailure> {
        let (zone, name) = (zone.clone(), name.to_owned());
        let noted: Result<_, QueryError> = write_alone!(self, |connection| job::note(connection, &zone, &name, value));
        noted.map_err(StoreFailure::from)
    }
}
