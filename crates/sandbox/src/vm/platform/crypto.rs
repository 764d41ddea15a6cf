//! Digests, HMAC, randomness and comparison in constant time.

use std::cell::RefCell;
use std::rc::Rc;

use aws_lc_rs::{constant_time, digest, hmac};
use md5::Digest as _;
use rquickjs::{ArrayBuffer, Ctx, Exception, Function, Object, Result, TypedArray};
use rustix::rand::{GetRandomFlags, getrandom};

use super::{Fetches, bytes_of};

/// Random bytes given at once.
const RANDOM_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a block of MD5 (RFC 1321 §3.4), which its HMAC needs.
const MD5_BLOCK_BYTES: usize = 64;

pub(super) fn natives<'js>(ctx: &Ctx<'js>, object: &Object<'js>, _: &Rc<RefCell<Fetches>>) -> Result<()> {
    object.set("digest", Function::new(ctx.clone(), digest_of)?)?;
    object.set("hmac", Function::new(ctx.clone(), hmac_of)?)?;
    object.set("random", Function::new(ctx.clone(), random)?)?;
    object.set("isEqual", Function::new(ctx.clone(), is_equal)?)
}

/// The digest of bytes. Algorithms are named as in `sha256`; nothing for one that isn't known.
fn digest_of<'js>(
    ctx: Ctx<'js>,
    algorithm: String,
    data: TypedArray<'js, u8>,
) -> Result<Option<ArrayBuffer<'js>>> {
    let data = bytes_of(&data);
    let algorithm = match algorithm.as_str() {
        "md5" => return ArrayBuffer::new_copy(ctx, md5::Md5::digest(&data)).map(Some),
        "sha1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "sha224" => &digest::SHA224,
        "sha256" => &digest::SHA256,
        "sha384" => &digest::SHA384,
        "sha512" => &digest::SHA512,
        _ => return Ok(None),
    };
    ArrayBuffer::new_copy(ctx, digest::digest(algorithm, &data).as_ref()).map(Some)
}

fn hmac_of<'js>(
    ctx: Ctx<'js>,
    algorithm: String,
    key: TypedArray<'js, u8>,
    data: TypedArray<'js, u8>,
) -> Result<Option<ArrayBuffer<'js>>> {
    let (key, data) = (bytes_of(&key), bytes_of(&data));
    let algorithm = match algorithm.as_str() {
        "md5" => return ArrayBuffer::new_copy(ctx, hmac_md5(&key, &data)).map(Some),
        "sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        "sha224" => hmac::HMAC_SHA224,
        "sha256" => hmac::HMAC_SHA256,
        "sha384" => hmac::HMAC_SHA384,
        "sha512" => hmac::HMAC_SHA512,
        _ => return Ok(None),
    };
    let tag = hmac::sign(&hmac::Key::new(algorithm, &key), &data);
    ArrayBuffer::new_copy(ctx, tag.as_ref()).map(Some)
}

/// HMAC over MD5 (RFC 2104 §2), which the library leaves out.
fn hmac_md5(key: &[u8], data: &[u8]) -> [u8; 16] {
    let mut block = [0; MD5_BLOCK_BYTES];
    if key.len() > MD5_BLOCK_BYTES {
        block[..16].copy_from_slice(&md5::Md5::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = md5::Md5::new_with_prefix(padded(0x36)).chain_update(data).finalize();
    md5::Md5::new_with_prefix(padded(0x5c)).chain_update(inner).finalize().into()
}

/// Random bytes from the kernel: the one system call for it is open to a worker.
fn random<'js>(ctx: Ctx<'js>, length: usize) -> Result<ArrayBuffer<'js>> {
    if length > RANDOM_BYTES_MAX {
        return Err(Exception::throw_range(&ctx, "At most 1 MiB of random bytes can be had at once."));
    }
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match getrandom(&mut bytes[filled..], GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Exception::throw_message(&ctx, &error.to_string())),
        }
    }
    ArrayBuffer::new_copy(ctx, bytes)
}

fn is_equal(one: TypedArray<'_, u8>, other: TypedArray<'_, u8>) -> bool {
    constant_time::verify_slices_are_equal(&bytes_of(&one), &bytes_of(&other)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::hmac_md5;

    #[test]
    fn hmac_md5_gives_the_values_of_rfc_2104() {
        let text = |bytes: [u8; 16]| domain::id::hexadecimal(&bytes);
        assert_eq!(text(hmac_md5(&[0x0b; 16], b"Hi There")), "9294727a3638bb1c13f48ef8158bfc9d");
        assert_eq!(
            text(hmac_md5(b"Jefe", b"what do ya want for nothing?")),
            "750c783e6ab0b503eaa86e310a5db738"
        );
    }
}
