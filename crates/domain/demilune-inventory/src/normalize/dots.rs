//! The segments `.` and `..` are resolved (RFC 3986 section 5.2.4).

/// The path without dot segments. It must start with `/` and hold no empty segment but the last.
pub(crate) fn remove(path: String) -> String {
    if is_normal(path.as_bytes()) {
        return path;
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => {
                kept.push(segment);
                continue;
            }
        }
        // A dot segment at the end leaves the slash before it.
        if last {
            kept.push("");
        }
    }
    let mut text = String::with_capacity(path.len());
    for segment in kept {
        text.push('/');
        text.push_str(segment);
    }
    text
}

/// Whether the path has no dot segment.
pub(crate) fn is_normal(path: &[u8]) -> bool {
    // Few paths have a segment that starts with a dot at all.
    !path.windows(2).any(|pair| pair == b"/.")
        || !path.split(|byte| *byte == b'/').any(|segment| segment == b"." || segment == b"..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_segments_are_resolved_as_the_rfc_has_it() {
        let check = |path: &str, expected: &str| assert_eq!(remove(path.to_owned()), expected, "{path}");
        check("/a/b/c/./../../g", "/a/g");
        check("/a/./b", "/a/b");
        check("/./", "/");
        check("/.", "/");
        check("/../..", "/");
        check("/../../", "/");
        check("/a/../", "/");
        check("/a/..", "/");
        check("/a/.b", "/a/.b");
        check("/{var1}/../{var2}..", "/{var2}..");
    }
}
