//! Properties (placeholder).
