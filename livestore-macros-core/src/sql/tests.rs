//! The checker as a library: what it says, where, and which types it finds.
