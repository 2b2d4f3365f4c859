//! What scripts do in ordinary use: rewrite, inject, block, answer, look, fail. The scenarios test
//! the limits.

mod answers;
mod errors;
mod life;
mod objects;
mod queries;
