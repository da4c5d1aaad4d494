//! What an operator may ask for: origins, routes, session identifiers and a zone's settings.

mod address;
mod origin;
mod route;
mod server;
mod session_identifier;
mod settings;
mod validation;
mod zone_rules;

pub use address::{AddressRefusal, check_address};
pub use origin::{HostHeader, HostHeaderError, Origin, OriginUrl, OriginUrlError};
pub use route::{RouteTarget, RouteTargetError};
pub use server::{Scheme, Server, ServerError};
pub use session_identifier::{SessionIdentifier, SessionIdentifierError, SessionIdentifierKind};
pub use settings::{ForwardPath, SettingError, Unmatched, ValidationLimits, ZoneSettings};
pub use validation::{MitigationAction, MitigationActionError, ValidationSettings};
pub use zone_rules::{OperationRule, ZoneRules};
