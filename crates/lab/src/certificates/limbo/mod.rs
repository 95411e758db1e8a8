//! The cases of [x509-limbo](https://x509-limbo.com) before both verifiers.
//!
//! Its file holds chains with what is expected of a verifier. Nothing is sent: this asks
//! [`stack::judge()`], which judges as each library's TLS does.

mod agreement;
mod format;

pub use agreement::{Agreement, Count, Verdict, compare};
pub use format::{ExpectedResult, LimboError, Suite, Testcase, read};
