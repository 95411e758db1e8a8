//! HKDF-Expand-Label (RFC 8446 section 7.1).

use aws_lc_rs::hkdf;

use crate::suite::Hash;

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Fills the output; `None` where a length is out of bounds.
pub(crate) fn expand_label(
    hash: Hash,
    secret: &[u8],
    label: &str,
    context: &[u8],
    output: &mut [u8],
) -> Option<()> {
    let length = u16::try_from(output.len()).ok()?.to_be_bytes();
    let label = format!("tls13 {label}");
    let label_length = u8::try_from(label.len()).ok()?;
    let context_length = u8::try_from(context.len()).ok()?;
    hkdf::Prk::new_less_safe(hash.hkdf(), secret)
        .expand(
            &[
                &length,
                &[label_length],
                label.as_bytes(),
                &[context_length],
                context,
            ],
            Length(output.len()),
        )
        .and_then(|key| key.fill(output))
        .ok()
}
