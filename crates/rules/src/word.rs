//! A lead's text as look-ups read it: a short one is told whole by one number, so that nothing more of the
//! lead has to be fetched for it.

use crate::encode::MISSING;

/// Texts up to this length are told by their head alone.
const SHORT_MAX: usize = 7;
/// In the place of a length: the text is long.
const LONG: u64 = 0xff;
/// Bits of a long text's code that hold its length; as many hold where it starts.
const BITS: usize = 28;

/// A text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word<'t> {
    /// Its head and its length.
    Short(u64, usize),
    Long(&'t str),
}

impl<'t> Word<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        if text.len() <= SHORT_MAX {
            Self::Short(head(text.as_bytes()), text.len())
        } else {
            Self::Long(text)
        }
    }

    /// Its first eight bytes, in the order of texts.
    #[inline]
    pub(crate) fn head(self) -> u64 {
        match self {
            Self::Short(head, _) => head,
            Self::Long(text) => head(text.as_bytes()),
        }
    }

    /// Calls `read` with its bytes.
    #[inline]
    pub(crate) fn with_bytes<R>(self, read: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Self::Short(head, length) => read(head.to_be_bytes().get(..length).unwrap_or_default()),
            Self::Long(text) => read(text.as_bytes()),
        }
    }
}

/// The code of a text, which is added to `texts` if it is long. No text starts as [`MISSING`] does.
pub(crate) fn code(text: &str, texts: &mut String) -> i64 {
    let length = text.len() as u64;
    let code = match Word::of(text) {
        Word::Short(head, _) => head | length,
        Word::Long(_) => {
            let start = texts.len() as u64;
            if (start | length) >> BITS != 0 {
                return MISSING;
            }
            texts.push_str(text);
            (start << BITS | length) << 8 | LONG
        }
    };
    code.cast_signed()
}

/// What [`code`] made of a text.
#[inline]
pub(crate) fn read(code: i64, texts: &str) -> Word<'_> {
    let code = code.cast_unsigned();
    let low = code & 0xff;
    if low != LONG {
        return Word::Short(code ^ low, usize::try_from(low).unwrap_or_default());
    }
    let part = |bits: u64| usize::try_from(bits & ((1 << BITS) - 1)).unwrap_or_default();
    let (start, length) = (part(code >> 8 >> BITS), part(code >> 8));
    Word::Long(texts.get(start..start + length).unwrap_or_default())
}

/// The first eight bytes, in the order of texts.
#[inline]
pub(crate) fn head(bytes: &[u8]) -> u64 {
    let mut head = [0; 8];
    head.iter_mut().zip(bytes).for_each(|(head, byte)| *head = *byte);
    u64::from_be_bytes(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_read_as_it_was_written() {
        let mut texts = String::new();
        let written =
            ["", "a", "seven77", "eight888", "\u{10ffff}\u{7ff}b", "é", "longer than eight", "z"];
        let codes = written.map(|text| code(text, &mut texts));
        for (text, code) in written.iter().zip(codes) {
            assert_ne!(code, MISSING);
            assert_eq!(read(code, &texts), Word::of(text));
            read(code, &texts).with_bytes(|bytes| assert_eq!(bytes, text.as_bytes()));
            assert_eq!(read(code, &texts).head(), head(text.as_bytes()));
        }
        let too_long = "x".repeat(1 << BITS);
        assert_eq!(code(&too_long, &mut texts), MISSING);
    }
}
