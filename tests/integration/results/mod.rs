//! Results of queries: rows as text, several results, files that a query asks for.

mod infile;
mod infile_packets;
mod kept_failures;
mod several;
mod text;
