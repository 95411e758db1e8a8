//! One macro for the newtypes over 16-bit code points: they differ in their table only.

/// Defines a code point newtype with a static table of facts behind it.
///
/// `Display` gives the IANA name, or `0x1234` for a value that the table lacks;
/// `FromStr` takes either, ignoring case.
macro_rules! code_point {
    ($(#[$doc:meta])* $name:ident, $facts:ident, $table:ident, $error:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u16);

        impl $name {
            /// The facts about this code point, or `None` when the table lacks it.
            pub fn facts(self) -> Option<&'static $facts> {
                $table.iter().find(|facts| facts.code_point == self)
            }

            /// For readers of offers: as `Display`, but GREASE for a value reserved so that
            /// peers learn to ignore what they don't know (RFC 8701).
            pub fn label(self) -> String {
                match crate::is_grease(self.0) {
                    true => "GREASE".to_owned(),
                    false => self.to_string(),
                }
            }

            /// Every code point that the table knows, with its facts.
            pub fn known() -> &'static [$facts] {
                $table
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.facts() {
                    Some(facts) => f.pad(facts.name),
                    None => f.pad(&format!("0x{:04x}", self.0)),
                }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::code_point::UnknownName;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                if let Some(facts) = $table.iter().find(|f| f.name.eq_ignore_ascii_case(name)) {
                    return Ok(facts.code_point);
                }
                name.strip_prefix("0x")
                    .and_then(|digits| u16::from_str_radix(digits, 16).ok())
                    .map($name)
                    .ok_or_else(|| crate::code_point::UnknownName {
                        what: $error,
                        name: name.to_owned(),
                    })
            }
        }
    };
}

pub(crate) use code_point;

/// A name that is in no table and is no `0x…` number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {name:?}: use the IANA name, or 0x and four hexadecimal digits")]
pub struct UnknownName {
    /// The kind of code point that was asked for.
    pub what: &'static str,
    /// What was given.
    pub name: String,
}
