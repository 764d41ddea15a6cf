//! Text to bytes and back: UTF-8, base64 in both alphabets, hexadecimal, Latin-1, UTF-16.

use std::cell::RefCell;
use std::rc::Rc;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};
use rquickjs::{ArrayBuffer, Ctx, Exception, Function, Object, Result, TypedArray};

use super::{Fetches, bytes_of};

/// Takes base64 without padding, and bits that stand for nothing at its end, as browsers and Node.js do.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn natives<'js>(ctx: &Ctx<'js>, object: &Object<'js>, _: &Rc<RefCell<Fetches>>) -> Result<()> {
    object.set("encode", Function::new(ctx.clone(), encode)?)?;
    object.set("decode", Function::new(ctx.clone(), decode)?)?;
    object.set("decodeUtf8", Function::new(ctx.clone(), decode_utf8)?)?;
    object.set("forgivingBase64", Function::new(ctx.clone(), forgiving_base64)?)
}

/// The bytes of a text, as Node.js's `Buffer.from(text, encoding)` has them: what can't be read ends it.
fn encode<'js>(ctx: Ctx<'js>, encoding: String, text: String) -> Result<ArrayBuffer<'js>> {
    let bytes = match encoding.as_str() {
        "utf8" => text.into_bytes(),
        // The low byte of each code unit, as Node.js takes it.
        "latin1" => text.encode_utf16().map(|unit| unit.to_le_bytes()[0]).collect(),
        "utf16le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "hex" => from_hexadecimal(text.as_bytes()),
        "base64" => from_base64(&text),
        _ => return Err(Exception::throw_type(&ctx, "Unknown encoding")),
    };
    ArrayBuffer::new_copy(ctx, bytes)
}

fn decode<'js>(ctx: Ctx<'js>, encoding: String, bytes: TypedArray<'js, u8>) -> Result<String> {
    let bytes = bytes_of(&bytes);
    Ok(match encoding.as_str() {
        "utf8" => String::from_utf8_lossy(&bytes).into_owned(),
        "latin1" => bytes.iter().copied().map(char::from).collect(),
        "ascii" => bytes.iter().map(|byte| char::from(byte & 0x7f)).collect(),
        "utf16le" => {
            let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        "hex" => domain::id::hexadecimal(&bytes),
        "base64" => general_purpose::STANDARD.encode(&bytes),
        "base64url" => general_purpose::URL_SAFE_NO_PAD.encode(&bytes),
        _ => return Err(Exception::throw_type(&ctx, "Unknown encoding")),
    })
}

/// Nothing where the bytes are no UTF-8.
fn decode_utf8(bytes: TypedArray<'_, u8>) -> Option<String> {
    String::from_utf8(bytes_of(&bytes)).ok()
}

fn from_hexadecimal(text: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.chunks_exact(2).map_while(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Both alphabets, anything else left out, up to the first padding.
pub(super) fn from_base64(text: &str) -> Vec<u8> {
    let known = text.bytes().take_while(|byte| *byte != b'=').filter_map(|byte| match byte {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        b'+' | b'/' => Some(byte),
        _ => byte.is_ascii_alphanumeric().then_some(byte),
    });
    let mut digits: Vec<u8> = known.collect();
    if digits.len() % 4 == 1 {
        digits.pop();
    }
    LENIENT.decode(digits).unwrap_or_default()
}

/// Bytes of base64 by the rules of `atob` (Infra Standard: forgiving-base64 decode), as Latin-1; nothing if refused.
fn forgiving_base64(text: String) -> Option<String> {
    let mut digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if digits.len().is_multiple_of(4) {
        for _ in 0..2 {
            if digits.last() == Some(&b'=') {
                digits.pop();
            }
        }
    }
    if digits.len() % 4 == 1 || digits.contains(&b'=') {
        return None;
    }
    LENIENT.decode(digits).ok().map(|bytes| bytes.into_iter().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use super::{forgiving_base64, from_base64, from_hexadecimal};

    #[test]
    fn base64_is_read_as_leniently_as_node_does() {
        assert_eq!(from_base64("aGk="), b"hi");
        assert_eq!(from_base64("a\nGk"), b"hi");
        assert_eq!(from_base64("-_-_"), from_base64("+/+/"));
        assert_eq!(from_base64("aGk=aGk="), b"hi");
        assert_eq!(from_base64("a"), b"");
    }

    #[test]
    fn atob_is_strict_about_letters_and_length() {
        assert_eq!(forgiving_base64(" aG k= ".to_owned()).as_deref(), Some("hi"));
        assert_eq!(forgiving_base64("aGk".to_owned()).as_deref(), Some("hi"));
        for bad in ["a", "aGk==", "a-_b", "=", "aG=k"] {
            assert_eq!(forgiving_base64(bad.to_owned()), None, "{bad}");
        }
    }

    #[test]
    fn hexadecimal_ends_at_what_is_no_digit() {
        assert_eq!(from_hexadecimal(b"0aFFzz01"), [10, 255]);
        assert!(from_hexadecimal(b"0").is_empty());
    }
}
