//! What scripts do, right and wrong: the sentences of the scripting API, section by section. The
//! scenarios test the limits of the protocol.

mod answers;
mod binary_rows;
mod bounded;
mod chassis;
mod checks;
mod commands;
mod environment;
mod errors;
mod failures;
mod forks;
mod hostile;
mod life;
mod lifetime;
mod login_answers;
mod mapped_logins;
mod members;
mod mistakes;
mod objects;
mod queries;
mod reload;
mod remote;
mod resultsets;
mod several_results;
mod status;
