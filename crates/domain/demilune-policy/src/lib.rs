//! What to do with one request, and why: rules compiled once, decisions with their reasons as values.
