//! Takes a document up into a zone: one upload at a time is read, and few are held.

use std::time::Duration;

use demilune_inventory::{Host, OperationKey, ZoneId};
use demilune_schema::document::{Code, Document, Options, Severity};
use demilune_store::{NewUserSchema, UserSchema, UserSchemaAddError};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{UploadDetails, wire::KIND};
use crate::{
    clock,
    http::{
        State,
        error::{ApiError, Defect, SCHEMA_REJECTED, SCHEMAS_FULL, UNAVAILABLE},
    },
    reading,
};

/// Uploads whose bodies are held at once, which may be large.
static HELD: Semaphore = Semaphore::const_new(4);
/// How long an upload waits for its turn.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// Longest name of a schema in characters.
const NAME_CHARS_MAX: usize = 255;
/// Most defects of a document that are named one by one beside the details.
const DEFECTS_MAX: usize = 20;

/// The right to hold the body of an upload.
pub(crate) struct Permit(#[expect(dead_code, reason = "it is held, not looked at")] SemaphorePermit<'static>);

impl Permit {
    /// Waits for the right.
    pub(crate) async fn wait() -> Result<Self, ApiError> {
        match tokio::time::timeout(WAIT_MAX, HELD.acquire()).await {
            Ok(Ok(permit)) => Ok(Self(permit)),
            _ => Err(Defect::new(&UNAVAILABLE, "Too many uploads are in progress; repeat the call.").into()),
        }
    }
}

/// A document that somebody wants to have as a schema.
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) source: Vec<u8>,
    pub(crate) validation_enabled: bool,
    /// The place of the document in the body.
    pub(crate) pointer: &'static str,
}

impl Upload {
    /// Reads the document, and adds it to the zone if it can be used.
    pub(crate) async fn add(self, state: &State, zone: &ZoneId) -> Result<(UserSchema, UploadDetails), ApiError> {
        let zone_unknown = || ApiError::zone_unknown(zone.as_str());
        let zone_name = state.store.zone_get(zone).await?.ok_or_else(zone_unknown)?.name;
        // Servers that name no host are taken for the zone's own.
        let default_host = zone_name.parse::<Host>().ok();
        let (read, source) = Self::read(self.source, default_host.clone()).await?;
        let Some(operations) = read.operations else { return Err(rejected(read.details, self.pointer)) };
        let new = NewUserSchema {
            name: self.name,
            validation_enabled: self.validation_enabled,
            learned_from: None,
            log_for: None,
            known_sessions: None,
            default_host,
            // What is read is UTF-8.
            source: String::from_utf8(source).map_err(|_| ApiError::internal())?,
            operations,
        };
        let added = state.store.user_schema_add(zone, new, clock::now()).await;
        Ok((added.map_err(|error| add_error(error, zone))?, read.details))
    }

    async fn read(source: Vec<u8>, host: Option<Host>) -> Result<(Read, Vec<u8>), ApiError> {
        Ok(reading::one_at_a_time(move || (Read::of(&source, host), source)).await?)
    }
}

/// What a document came to.
struct Read {
    /// What it describes; none if it cannot be used.
    operations: Option<Vec<OperationKey>>,
    details: UploadDetails,
}

impl Read {
    fn of(source: &[u8], host: Option<Host>) -> Self {
        let read = Document::read(source, &Options { host, ..Options::default() });
        let errors = || read.problems.iter().filter(|problem| problem.severity > Severity::Warning);
        // There is nothing to enforce in a document without operations, and no harm in it.
        let is_empty = errors().next().is_some() && errors().all(|problem| problem.code == Code::Empty);
        let operations = match read.document {
            Some(document) => Some(document.operations.into_iter().map(|operation| operation.key).collect()),
            None if is_empty => Some(Vec::new()),
            None => None,
        };
        let details = UploadDetails::new(&read.problems, &read.keywords, operations.is_some());
        Self { operations, details }
    }
}

fn rejected(details: UploadDetails, pointer: &str) -> ApiError {
    let sentences = details.sentences();
    let defect =
        |message: String| Defect { code: &SCHEMA_REJECTED, message, pointer: Some(pointer.to_owned()), chain: &[] };
    let left_out = sentences.len().saturating_sub(DEFECTS_MAX);
    let mut defects: Vec<_> = sentences.into_iter().take(DEFECTS_MAX).map(defect).collect();
    if left_out > 0 {
        defects.push(defect(format!("There are {left_out} kinds of defects more; upload_details lists all.")));
    }
    ApiError::of(defects).with_upload(details)
}

fn add_error(error: UserSchemaAddError, zone: &ZoneId) -> ApiError {
    match error {
        UserSchemaAddError::ZoneUnknown => ApiError::zone_unknown(zone.as_str()),
        UserSchemaAddError::OperationUnknown => ApiError::operation_unknown(),
        UserSchemaAddError::TooMany(most) => {
            let message = format!("The zone may have {most} schemas; delete one that is no longer needed.");
            Defect::new(&SCHEMAS_FULL, message).into()
        }
        UserSchemaAddError::TooLarge(most) => {
            let message = format!(
                "The schemas of the zone may have {most} bytes together; delete some that are no longer needed."
            );
            Defect::new(&SCHEMAS_FULL, message).into()
        }
        UserSchemaAddError::Store(failure) => failure.into(),
    }
}

/// Holds that a text names the one kind of schema that there is.
pub(crate) fn check_kind(text: &str) -> Result<(), String> {
    if text.eq_ignore_ascii_case(KIND) { Ok(()) } else { Err(format!("The kind of a schema must be {KIND}.")) }
}

/// Holds that a text can name a schema.
pub(crate) fn check_name(text: &str) -> Result<(), String> {
    let fits = (1..=NAME_CHARS_MAX).contains(&text.chars().count());
    if fits && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(format!("The name of a schema has 1 to {NAME_CHARS_MAX} characters, none of them a control character."))
}

#[cfg(test)]
mod tests {
    use demilune_schema::document::Limits;
    use demilune_store::USER_SCHEMA_BYTES_MAX;

    #[test]
    fn what_can_be_read_can_be_kept() {
        assert_eq!(Limits::default().bytes_max, USER_SCHEMA_BYTES_MAX);
    }
}
