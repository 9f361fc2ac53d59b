//! Who a consumer is, as hashes that publishers make before they say who it is. Knows nobody by them.

use std::fmt;

/// SHA-256 of a value in its one written form: an e-mail address trimmed and in lower case, a phone number
/// in E.164 with its plus sign; both as UTF-8.
pub type Hash = [u8; 32];

/// What a ping says of its consumer.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Hashes {
    /// Of the e-mail address.
    pub email: Option<Hash>,
    /// Of the phone number.
    pub phone: Option<Hash>,
}

/// Whoever knows a number knows its hash: shows only whether there is one.
impl fmt::Debug for Hashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hashes")
            .field("email", &self.email.is_some())
            .field("phone", &self.phone.is_some())
            .finish()
    }
}

/// A hash as it is written: 64 hexadecimal digits. `None` for anything else.
#[must_use]
pub fn read(text: &str) -> Option<Hash> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut hash = [0; 32];
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_four_digits_are_a_hash() {
        let mut expected = [0xab; 32];
        expected[0] = 0x09;
        assert_eq!(read(&format!("09{}", "aB".repeat(31))), Some(expected));
        for bad in ["", "ab", &"ab".repeat(33), &"g".repeat(64), &"é".repeat(32), &"+1".repeat(32)]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn debug_shows_no_hash() {
        let hashes = Hashes { email: Some([7; 32]), phone: None };
        assert_eq!(format!("{hashes:?}"), "Hashes { email: true, phone: false }");
    }
}
