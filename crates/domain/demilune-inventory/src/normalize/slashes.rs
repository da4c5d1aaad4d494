//! Back slashes are slashes, and a run of slashes is one (contract 4.1, steps 1 and 2).

/// Whether a byte separates segments.
pub(crate) fn is_slash(byte: u8) -> bool {
    byte == b'/' || byte == b'\\'
}

/// Whether no run of slashes stands in the path. Back slashes are none that a path may hold, see `percent::is_normal`.
pub(crate) fn is_normal(path: &[u8]) -> bool {
    !path.windows(2).any(|pair| pair == b"//")
}

/// Appends a slash, unless one is there already.
pub(crate) fn push(to: &mut String) {
    if !to.ends_with('/') {
        to.push('/');
    }
}
