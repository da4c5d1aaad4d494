//! Evidence as bytes: the same evidence has the same ones, and others are refused.

use std::sync::Arc;

use demilune_traffic::{
    DecodeError,
    bytes::{self, Reader},
};

use super::{
    class::Class,
    evidence::{BODY_LIMITS, Evidence, PARAMETER_LIMITS},
    field::{Field, Rank, Step},
    fields::{FieldLimits, Fields},
    key::FieldHash,
    name,
    spread::{Code, LEVEL_MAX, Spread},
    supporter::{Supporter, Supporters},
    tally::{Tallies, Tally},
    values::{FEW_MAX, Value, Values},
};

const VERSION: u8 = 1;

impl Evidence {
    /// Writes it as bytes, the same ones for the same evidence.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer { bytes: vec![VERSION], base: self.span().0 };
        writer.number(u64::from(writer.base));
        writer.tally(&self.requests);
        writer.supporters(&self.crowd);
        writer.tally(&self.bodies);
        writer.number(self.unreadable);
        writer.tally(&self.unnamed);
        writer.fields(&self.parameters);
        writer.fields(&self.body);
        writer.bytes
    }

    /// Reads what [`Self::encode`] wrote; bytes that it cannot have written are refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::of_version(bytes, VERSION)?;
        let base = u32::try_from(reader.number()?).map_err(|_| DecodeError::Number)?;
        let mut reader = Input { reader, base };
        let evidence = Self {
            requests: reader.tally()?,
            crowd: reader.supporters()?,
            bodies: reader.tally()?,
            unreadable: reader.reader.number()?,
            unnamed: reader.tally()?,
            parameters: reader.fields(PARAMETER_LIMITS)?,
            body: reader.fields(BODY_LIMITS)?,
            ..Self::new(Arc::default())
        };
        reader.reader.finish()?;
        if evidence.span().0 == base { Ok(evidence) } else { Err(DecodeError::Contradiction) }
    }
}

struct Writer {
    bytes: Vec<u8>,
    /// The hour that others are counted from.
    base: u32,
}

impl Writer {
    fn number(&mut self, number: u64) {
        bytes::write(&mut self.bytes, number);
    }

    fn length(&mut self, length: usize) {
        self.number(length as u64);
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn hash(&mut self, hash: u64) {
        self.bytes.extend_from_slice(&hash.to_le_bytes());
    }

    fn tally(&mut self, tally: &Tally) {
        self.number(tally.count);
        if tally.count > 0 {
            self.number(u64::from(tally.first - self.base));
            self.number(u64::from(tally.last - tally.first));
            self.supporters(&tally.supporters);
        }
    }

    fn supporters<const N: usize>(&mut self, supporters: &Supporters<N>) {
        self.length(supporters.at_least());
        for Supporter(hash) in supporters.iter() {
            self.bytes.extend_from_slice(&hash.to_le_bytes());
        }
    }

    fn fields(&mut self, fields: &Fields) {
        match fields.cut {
            None => self.bytes.push(0),
            Some((is_unpublished, depth, hash)) => {
                self.bytes.extend_from_slice(&[1, u8::from(is_unpublished), depth]);
                self.hash(hash.0);
            }
        }
        self.length(fields.len());
        for (place, field) in fields.by_rank() {
            self.field(place, field);
        }
    }

    fn field(&mut self, place: FieldHash, field: &Field) {
        let kind = match field.step {
            Step::Variable(_) => 0,
            Step::Query(_) => 1,
            Step::Body => 2,
            Step::Member(_) => 3,
            Step::Items => 4,
        };
        self.bytes.extend_from_slice(&[kind << 1 | u8::from(field.is_published), field.depth]);
        match &field.step {
            Step::Variable(position) => self.number(u64::from(*position)),
            Step::Body => {}
            Step::Query(name) => {
                self.hash(place.0);
                self.text(name);
            }
            Step::Member(name) => {
                self.hash(place.0);
                self.hash(field.parent.0);
                self.text(name);
            }
            Step::Items => self.hash(field.parent.0),
        }
        self.tally(&field.seen);
        self.tally(&field.repeated);
        self.tally(&field.unnamed);
        self.length(field.classes.0.len());
        for (class, tally) in field.classes.iter() {
            self.bytes.push(class as u8);
            self.tally(tally);
        }
        self.spread(&field.numbers);
        self.spread(&field.lengths);
        self.spread(&field.sizes);
        self.values(&field.values);
    }

    fn spread(&mut self, spread: &Spread) {
        self.length(spread.buckets.0.len());
        if spread.buckets.0.is_empty() {
            return;
        }
        self.bytes.push(spread.level);
        for (code, tally) in spread.buckets.iter() {
            self.bytes.extend_from_slice(&code.to_le_bytes());
            self.tally(tally);
        }
    }

    fn values(&mut self, values: &Values) {
        match values {
            Values::Few(values) => {
                self.length(values.len());
                for (hash, value) in values {
                    self.hash(*hash);
                    // A literal has at least one character.
                    self.text(value.text.as_deref().unwrap_or_default());
                    self.tally(&value.tally);
                }
            }
            Values::Many(smallest) => {
                self.length(FEW_MAX + 1);
                for hash in smallest.iter() {
                    self.hash(*hash);
                }
            }
        }
    }
}

struct Input<'a> {
    reader: Reader<'a>,
    base: u32,
}

impl Input<'_> {
    fn byte(&mut self) -> Result<u8, DecodeError> {
        Ok(self.array::<1>()?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let bytes = self.reader.bytes(N)?;
        bytes.try_into().map_err(|_| DecodeError::End)
    }

    fn hash(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A number of things, of which there are not more than this.
    fn length(&mut self, most: usize) -> Result<usize, DecodeError> {
        let length = self.reader.number()?;
        usize::try_from(length).ok().filter(|length| *length <= most).ok_or(DecodeError::Contradiction)
    }

    fn text(&mut self, is_allowed: impl FnOnce(&str) -> bool) -> Result<Box<str>, DecodeError> {
        let length = self.length(name::NAME_CHARS_MAX)?;
        let text = std::str::from_utf8(self.reader.bytes(length)?).map_err(|_| DecodeError::Contradiction)?;
        check(is_allowed(text))?;
        Ok(text.into())
    }

    fn hour(&mut self, from: u32) -> Result<u32, DecodeError> {
        let after = u32::try_from(self.reader.number()?).map_err(|_| DecodeError::Number)?;
        from.checked_add(after).filter(|hour| *hour < u32::MAX).ok_or(DecodeError::Number)
    }

    fn tally(&mut self) -> Result<Tally, DecodeError> {
        let count = self.reader.number()?;
        if count == 0 {
            return Ok(Tally::EMPTY);
        }
        let first = self.hour(self.base)?;
        let tally = Tally { count, first, last: self.hour(first)?, supporters: self.supporters()? };
        let supporters = tally.supporters.at_least() as u64;
        check((1..=count).contains(&supporters))?;
        Ok(tally)
    }

    /// A tally of something that was seen.
    fn tally_of_some(&mut self) -> Result<Tally, DecodeError> {
        let tally = self.tally()?;
        check(tally.count > 0)?;
        Ok(tally)
    }

    fn supporters<const N: usize>(&mut self) -> Result<Supporters<N>, DecodeError> {
        let mut supporters = Supporters::EMPTY;
        let mut before = None;
        for _ in 0..self.length(N)? {
            let hash = u32::from_le_bytes(self.array()?);
            check(before < Some(hash) && hash < u32::MAX)?;
            before = Some(hash);
            supporters.insert(Supporter(hash));
        }
        Ok(supporters)
    }

    fn fields(&mut self, limits: FieldLimits) -> Result<Fields, DecodeError> {
        let cut = match self.byte()? {
            0 => None,
            1 => Some(self.rank()?),
            _ => return Err(DecodeError::Contradiction),
        };
        let mut fields = Fields::new(limits);
        let mut before: Option<Rank> = None;
        for _ in 0..self.length(limits.count_max)? {
            let (place, field) = self.field()?;
            let rank = field.rank(place);
            check(before < Some(rank) && cut.is_none_or(|cut| rank < cut))?;
            before = Some(rank);
            check(fields.put(place, field))?;
        }
        fields.cut = cut;
        Ok(fields)
    }

    fn rank(&mut self) -> Result<Rank, DecodeError> {
        let [is_unpublished, depth] = self.array()?;
        check(is_unpublished <= 1)?;
        Ok((is_unpublished == 1, depth, FieldHash(self.hash()?)))
    }

    fn field(&mut self) -> Result<(FieldHash, Field), DecodeError> {
        let [kind, depth] = self.array()?;
        check(depth <= Field::DEPTH_MAX)?;
        let (place, parent, step) = match kind >> 1 {
            0 => {
                let position = u16::try_from(self.reader.number()?).map_err(|_| DecodeError::Number)?;
                (FieldHash::variable(position), FieldHash::ROOT, Step::Variable(position))
            }
            1 => (FieldHash(self.hash()?), FieldHash::ROOT, Step::Query(self.text(name::is_name)?)),
            2 => (FieldHash::BODY, FieldHash::ROOT, Step::Body),
            3 => (FieldHash(self.hash()?), FieldHash(self.hash()?), Step::Member(self.text(name::is_name)?)),
            4 => {
                let parent = FieldHash(self.hash()?);
                (parent.items(), parent, Step::Items)
            }
            _ => return Err(DecodeError::Contradiction),
        };
        let mut field = Field::new(parent, step, depth, kind & 1 == 1);
        field.seen = self.tally_of_some()?;
        field.repeated = self.tally()?;
        field.unnamed = self.tally()?;
        field.classes = self.classes()?;
        field.numbers = self.spread()?;
        field.lengths = self.spread()?;
        field.sizes = self.spread()?;
        field.values = self.values()?;
        Ok((place, field))
    }

    fn classes(&mut self) -> Result<Tallies<Class>, DecodeError> {
        let mut classes = Tallies::default();
        for _ in 0..self.length(Class::ALL.len())? {
            let class = *Class::ALL.get(usize::from(self.byte()?)).ok_or(DecodeError::Contradiction)?;
            check(classes.last() < Some(class))?;
            classes.0.push((class, self.tally_of_some()?));
        }
        Ok(classes)
    }

    fn spread(&mut self) -> Result<Spread, DecodeError> {
        let mut spread = Spread::default();
        let length = self.length(Spread::BUCKETS_MAX)?;
        if length == 0 {
            return Ok(spread);
        }
        spread.level = self.byte()?;
        check(spread.level <= LEVEL_MAX)?;
        for _ in 0..length {
            let code = Code::from_le_bytes(self.array()?);
            check(spread.buckets.last() < Some(code))?;
            spread.buckets.0.push((code, self.tally_of_some()?));
        }
        check(spread.is_possible())?;
        Ok(spread)
    }

    fn values(&mut self) -> Result<Values, DecodeError> {
        let length = self.length(FEW_MAX + 1)?;
        let mut before = None;
        let mut ascending = |hash: u64| check(before.replace(hash) < Some(hash));
        if length > FEW_MAX {
            let mut smallest = Box::new([0; FEW_MAX]);
            for slot in smallest.iter_mut() {
                *slot = self.hash()?;
                ascending(*slot)?;
            }
            return Ok(Values::Many(smallest));
        }
        let mut values = Vec::with_capacity(length);
        for _ in 0..length {
            let hash = self.hash()?;
            ascending(hash)?;
            let text = self.text(|text| text.is_empty() || name::is_literal(text))?;
            let text = Some(text).filter(|text| !text.is_empty());
            values.push((hash, Value { text, tally: self.tally_of_some()? }));
        }
        Ok(Values::Few(values))
    }
}

fn check(holds: bool) -> Result<(), DecodeError> {
    if holds { Ok(()) } else { Err(DecodeError::Contradiction) }
}
