//! Everything received, in one SQLite file.

mod error;
mod pending;

pub use error::Error;
pub use pending::{Answer, Pending};
