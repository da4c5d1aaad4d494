//! OpenAPI documents, read with every problem found.
