//! A path with its values left out: what sightings are kept by.

use crate::Shape;

/// Most segments of a path that is looked at.
const SEGMENTS_MAX: usize = 24;
/// Longest path in bytes that is looked at.
const PATH_BYTES_MAX: usize = 1_024;
/// Longest number with a point that is taken for a word: an interface may have several versions, `1.1` and `2.0`, side by
/// side.
const VERSION_BYTES_MAX: usize = 4;
/// Stands in front of a shape's number. No normalized path holds it.
const MARK: char = '\u{1}';
/// Endings that tell how an answer is written, and are no part of a value.
const FORMATS: [&str; 7] = [".json", ".xml", ".csv", ".yaml", ".yml", ".rss", ".atom"];
/// Endings of files that no API answers with.
const STATIC_FILES: [&str; 35] = [
    "avif",
    "bmp",
    "bz2",
    "css",
    "cur",
    "eot",
    "gif",
    "gz",
    "htm",
    "html",
    "ico",
    "jpeg",
    "jpg",
    "js",
    "less",
    "map",
    "mjs",
    "mov",
    "mp3",
    "mp4",
    "ogg",
    "otf",
    "png",
    "scss",
    "svg",
    "tgz",
    "tif",
    "tiff",
    "ttf",
    "wasm",
    "webm",
    "webmanifest",
    "webp",
    "woff",
    "woff2",
];

/// Files at the root of a site that browsers and crawlers ask for by themselves.
const SITE_FILES: [&str; 8] = [
    "ads.txt",
    "browserconfig.xml",
    "crossdomain.xml",
    "humans.txt",
    "manifest.json",
    "robots.txt",
    "security.txt",
    "sitemap.xml",
];

/// One segment of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Segment {
    pub(crate) stem: Stem,
    /// A format's ending, or a verb with its colon; empty for most.
    pub(crate) suffix: String,
}

/// What a segment says, or what it looks like.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stem {
    Word(String),
    Value(Shape),
}

impl Segment {
    /// The word that it is, if it is one.
    pub(crate) fn word(&self) -> Option<&str> {
        match &self.stem {
            Stem::Word(word) => Some(word),
            Stem::Value(_) => None,
        }
    }
}

/// A path's pattern and, for each value in it, its text if it may be kept.
pub(crate) struct Reduced<'p> {
    pub(crate) pattern: String,
    pub(crate) values: Vec<Option<&'p str>>,
}

/// Leaves the values of a normalized path out. `None` for static files, and for what no template is made of.
pub(crate) fn reduce(path: &str) -> Option<Reduced<'_>> {
    let rest = path.strip_prefix('/')?;
    let is_fit = path.len() <= PATH_BYTES_MAX && !path.bytes().any(|byte| byte < b' ');
    if !is_fit || rest.split('/').count() > SEGMENTS_MAX || is_static(rest) {
        return None;
    }
    let mut reduced = Reduced { pattern: String::with_capacity(path.len()), values: Vec::new() };
    for segment in rest.split('/') {
        reduced.pattern.push('/');
        let (stem, suffix) = split_suffix(segment);
        match Shape::of(stem) {
            Shape::Word => reduced.pattern.push_str(stem),
            Shape::Numbers if stem.len() <= VERSION_BYTES_MAX => reduced.pattern.push_str(stem),
            shape => {
                push_mark(&mut reduced.pattern, shape);
                reduced.values.push(Some(stem).filter(|stem| shape.keeps(stem)));
            }
        }
        reduced.pattern.push_str(suffix);
    }
    Some(reduced)
}

fn push_mark(pattern: &mut String, shape: Shape) {
    let number = Shape::VALUES.iter().position(|value| *value == shape).unwrap_or_default();
    pattern.push(MARK);
    pattern.extend(u8::try_from(number).ok().map(|number| char::from(b'a' + number)));
}

/// The segments of a pattern.
pub(crate) fn segments(pattern: &str) -> impl Iterator<Item = Segment> {
    pattern.strip_prefix('/').unwrap_or(pattern).split('/').map(|segment| {
        let (stem, suffix) = marked(segment).unwrap_or_else(|| {
            let (stem, suffix) = split_suffix(segment);
            (Stem::Word(stem.to_owned()), suffix)
        });
        Segment { stem, suffix: suffix.to_owned() }
    })
}

/// How many values a pattern has.
pub(crate) fn values_of(pattern: &str) -> usize {
    pattern.split('/').filter(|segment| marked(segment).is_some()).count()
}

/// The value that a segment stands for, and what is behind it.
fn marked(segment: &str) -> Option<(Stem, &str)> {
    let mut letters = segment.strip_prefix(MARK)?.chars();
    let number = u32::from(letters.next()?).wrapping_sub(u32::from('a'));
    let shape = usize::try_from(number).ok().and_then(|number| Shape::VALUES.get(number));
    Some((Stem::Value(*shape.unwrap_or(&Shape::Text)), letters.as_str()))
}

/// A segment without a format's ending or, behind a value, a verb (`/orders/17:cancel`).
fn split_suffix(segment: &str) -> (&str, &str) {
    let is_format = |format: &&&str| segment.len() > format.len() && segment.ends_with(**format);
    if let Some(format) = segment.contains('.').then(|| FORMATS.iter().find(is_format)).flatten() {
        return segment.split_at(segment.len() - format.len());
    }
    if let Some(colon) = segment.rfind(':').filter(|colon| *colon > 0) {
        let (stem, verb) = segment.split_at(colon);
        let is_verb = verb.len() > 1 && verb[1..].bytes().all(|byte| byte.is_ascii_alphabetic());
        if is_verb && Shape::of(stem) != Shape::Word {
            return (stem, verb);
        }
    }
    (segment, "")
}

fn is_static(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    SITE_FILES.contains(&path)
        || ending.is_some_and(|ending| STATIC_FILES.iter().any(|known| known.eq_ignore_ascii_case(ending)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str) -> Option<String> {
        let reduced = reduce(path)?;
        assert_eq!(values_of(&reduced.pattern), reduced.values.len(), "{path}");
        let segment = |segment: Segment| match segment.stem {
            Stem::Word(word) => format!("/{word}{}", segment.suffix),
            Stem::Value(shape) => format!("/<{shape}>{}", segment.suffix),
        };
        Some(segments(&reduced.pattern).map(segment).collect())
    }

    #[test]
    fn values_are_left_out_and_words_stay() {
        let check = |path: &str, expected: &str| assert_eq!(shown(path).as_deref(), Some(expected));
        check("/", "/");
        check("/users/17/orders", "/users/<integer>/orders");
        check("/users/17/", "/users/<integer>/");
        check("/calls/SM9876543210.json", "/calls/<letters and digits>.json");
        check("/orders/17:cancel", "/orders/<integer>:cancel");
        check("/users/ada.json", "/users/ada.json");
        check("/users/me:verify", "/users/me:verify");
    }

    #[test]
    fn files_and_strange_paths_are_passed_over() {
        for path in ["/app.js", "/a/LOGO.PNG", "/f.woff2", "no-slash", "/a\u{1}b", &"/a".repeat(25), &"/a".repeat(600)]
        {
            assert!(reduce(path).is_none(), "{path}");
        }
    }
}
