//! What scripts do, right and wrong: the sentences of `docs/scripting.md`.

mod answers;
mod binary_rows;
mod bounded;
mod chassis;
mod checks;
mod closing;
mod commands;
mod environment;
mod errors;
mod failures;
mod hostile;
mod life;
mod lifetime;
mod login_answers;
mod login_decisions;
mod mapped_logins;
mod members;
mod objects;
mod queries;
mod queued_commands;
mod queued_queries;
mod reload;
mod remote;
mod responses;
mod resultsets;
mod status;
