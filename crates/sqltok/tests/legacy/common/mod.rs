pub mod cases;
pub mod query;
