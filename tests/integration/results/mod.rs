//! Results of queries: rows as text, several results, files that a query asks for.

mod infile;
mod infile_packets;
mod several;
mod text;
