//! The data plane: connections accepted and read strictly, each request decided by `demilune-policy` and forwarded.

pub mod listen;
