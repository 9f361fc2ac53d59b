//! Logs and metrics: where they go and how histograms are cut.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::Level;

/// Bounds of every `_seconds` histogram, from a commit to a long post.
const SECONDS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.0, 5.0, 10.0, 30.0,
];

/// Bounds of batch sizes.
const WRITES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// Installs the recorder that every crate's metrics go to. Call once, before anything is built.
pub(crate) fn metrics() -> Option<PrometheusHandle> {
    // Without buckets the exporter would render summaries, which cannot be added up over engines.
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Suffix("_writes".to_owned()), WRITES)
        })
        .ok()?
        .install_recorder()
        .ok()?;
    engine::describe();
    fanout::describe();
    ingress::describe();
    management::describe();
    metrics::describe_gauge!("gavel_build_info", "Which build this is; always 1.");
    metrics::gauge!("gavel_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Some(handle)
}

/// One JSON line an event on standard output, from `level` up.
pub(crate) fn logs(level: Level) {
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_max_level(level);
    // A second call in one process (tests) keeps the first.
    drop(subscriber.try_init());
}
