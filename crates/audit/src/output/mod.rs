//! An estate and its assessment in the formats of other programs.
//!
//! | format | for | function |
//! |---|---|---|
//! | CycloneDX 1.6, 1.7 | inventories of cryptography | [`cbom`] |
//! | SARIF 2.1.0 | code scanning | [`sarif`] |
//! | JUnit XML | pipelines | [`junit`] |
//! | CSV | spreadsheets | [`findings_csv`], [`groups_csv`], [`assets_csv`] |
//! | JSON Schema | this program's own JSON | [`schema`] |
//!
//! Names, banners and paths are others' text. Characters that can't be seen, or that change
//! the direction of text, are written as `\u{202e}` in all of these formats; only this
//! program's own JSON keeps them as they are. The order is that of the input or sorted, so
//! that the same input gives the same bytes.

mod cbom;
mod junit;
mod sarif;
mod schema;
mod tables;
mod text;

pub use cbom::{CbomVersion, cbom};
pub use junit::junit;
pub use sarif::sarif;
pub use schema::{SchemaKind, schema};
pub use tables::{assets_csv, findings_csv, groups_csv};
pub use text::{typed, visible};
