//! OpenAPI documents: read with every problem found, enforced on requests, learned from them, and compared with them.
//!
//! ```
//! use demilune_schema::{
//!     document::{Document, Options},
//!     validate::{Content, RequestParts},
//! };
//! use http::HeaderMap;
//!
//! let yaml = r#"
//! openapi: 3.0.4
//! servers: [{url: "https://api.example.com/v1"}]
//! paths:
//!   /pets/{id}:
//!     get:
//!       parameters:
//!         - {name: id, in: path, required: true, schema: {type: integer, minimum: 1}}
//! "#;
//! let read = Document::read(yaml.as_bytes(), &Options::default());
//! assert_eq!(read.problems, []);
//! let document = read.document.expect("nothing is wrong with it");
//! let get = &document.operations[0];
//! assert_eq!(get.key.endpoint.as_str(), "/v1/pets/{var1}");
//!
//! let headers = HeaderMap::new();
//! let request = RequestParts { variables: &["0"], query: None, headers: &headers, content: Content::None };
//! let verdict = get.validator.validate(&request);
//! assert_eq!(verdict.violations[0].keyword, "minimum");
//! assert_eq!(verdict.violations[0].request_place, "/path/id");
//! ```

pub mod document;
pub mod drift;
pub mod learn;
mod tally;
pub mod validate;

pub use tally::{Finding, Tally, TallyError};
