//! LiveStore's wire protocol and the sync backends that speak it.

pub mod wire;
