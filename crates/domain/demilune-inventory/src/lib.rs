//! Which API operations exist: canonical methods, hosts, endpoints and ids.
//!
//! A value of one of these types is canonical by construction, and canonical forms are fixed points: two inputs that
//! mean the same operation have one form, and parsing a form gives it back.
//!
//! ```
//! use demilune_inventory::{Endpoint, Host, Method};
//!
//! let method: Method = "get".parse()?;
//! let host: Host = "WWW.example.com.".parse()?;
//! let endpoint: Endpoint = r"/api\v1//users/{id}".parse()?;
//! assert_eq!(format!("{method} {host} {endpoint}"), "GET www.example.com /api/v1/users/{var1}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod endpoint;
mod host;
mod id;
mod matcher;
mod method;
mod normalize;
mod operation;
mod timestamp;
mod variable;

pub use endpoint::{Endpoint, EndpointError};
pub use host::{Host, HostError};
pub use id::{IdError, OperationId, ZoneId, is_uuid};
pub use matcher::{HostTable, Match, Matcher, MatcherOptions, Variables, endpoint_fits, host_fits, hosts_overlap};
pub use method::{Method, MethodError};
pub use normalize::{NormalizedPath, PathError};
pub use operation::{Operation, OperationKey};
pub use timestamp::{Timestamp, TimestampError};
pub use variable::NameError;
