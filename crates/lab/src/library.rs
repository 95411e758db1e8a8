//! The TLS libraries that the experiments name.

use stack::TlsStack;

/// The library of this name, if it is in this build.
pub(crate) fn library(name: &str) -> Option<&'static dyn TlsStack> {
    let mut stacks = stack::STACKS.iter().copied();
    stacks.find(|stack| stack.name().as_str() == name)
}
