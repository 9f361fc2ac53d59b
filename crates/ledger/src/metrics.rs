//! Every metric of the ledger, by name, in one place. Handles are resolved once, when a ledger opens:
//! install the recorder before. Must never carry a label that depends on a lead.

use ::metrics::{Counter, Gauge, Histogram, Unit};

const COMMIT_SECONDS: &str = "gavel_ledger_commit_seconds";
const BATCH_WRITES: &str = "gavel_ledger_batch_writes";
const QUEUE_DEPTH: &str = "gavel_ledger_queue_depth";
const SHED_TOTAL: &str = "gavel_ledger_shed_total";
const COMMIT_FAILURES_TOTAL: &str = "gavel_ledger_commit_failures_total";

/// The handles.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) commit_seconds: Histogram,
    pub(crate) batch_writes: Histogram,
    pub(crate) queue_depth: Gauge,
    pub(crate) shed: Counter,
    pub(crate) commit_failures: Counter,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        use ::metrics::{
            counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
        };
        describe_histogram!(
            COMMIT_SECONDS,
            Unit::Seconds,
            "Time from the begin of a group commit to stable storage"
        );
        describe_histogram!(BATCH_WRITES, Unit::Count, "Writes that shared one group commit");
        describe_gauge!(QUEUE_DEPTH, Unit::Count, "Writes that wait for the writer");
        describe_counter!(SHED_TOTAL, Unit::Count, "Writes refused because the queue was full");
        describe_counter!(COMMIT_FAILURES_TOTAL, Unit::Count, "Group commits that failed");
        Self {
            commit_seconds: histogram!(COMMIT_SECONDS),
            batch_writes: histogram!(BATCH_WRITES),
            queue_depth: gauge!(QUEUE_DEPTH),
            shed: counter!(SHED_TOTAL),
            commit_failures: counter!(COMMIT_FAILURES_TOTAL),
        }
    }
}
