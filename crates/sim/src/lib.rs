//! A made-up market around a real engine: buyers that answer, publishers that post, and the leads
//! between them; and a check of real buyers. Must never hold real personal data, and its load generator
//! must never send to another machine.

pub mod buyers;
pub mod leads;
pub mod publishers;
pub mod samples;
