//! Configuration: which variables there are, what was written, and what the program uses.

pub(crate) mod env;
pub(crate) mod gateway;
pub(crate) mod raw;
pub(crate) mod resolved;

pub(crate) use env::Environment;
pub(crate) use gateway::{GatewayConfig, Role};
pub(crate) use raw::{RawSecret, RawServe, RawStore};
pub(crate) use resolved::{Bootstrap, LogConfig, LogFormat, Problems, ServeConfig, StoreConfig, TlsFiles};
