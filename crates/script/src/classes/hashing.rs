//! Hashes for `__hash__`: equal objects have equal ones.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A hash of what makes two objects equal.
pub fn hash_of(identity: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    identity.hash(&mut hasher);
    hasher.finish()
}
