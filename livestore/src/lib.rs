//! livestore
