//! Scripts that track sessions: servers report what changes, whatever clients read, and connections are handed over.

mod hand_over;
mod reports;
