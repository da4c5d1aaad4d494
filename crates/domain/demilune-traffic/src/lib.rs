//! Counts and estimates about requests: small summaries that merge exactly, each with its error stated.
