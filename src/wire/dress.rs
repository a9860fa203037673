//! dress
