//! The binary and the workspace as a whole, from outside.

mod end_to_end;
mod process;
mod workspace;
