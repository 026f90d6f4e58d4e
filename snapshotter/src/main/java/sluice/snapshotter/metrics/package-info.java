/**
 * What the daemon counts and measures. {@link sluice.snapshotter.metrics.Metric} has every name and
 * every tag, {@link sluice.snapshotter.metrics.Meters} takes the figures, and {@link
 * sluice.snapshotter.metrics.MetricsServer} shows them to Prometheus.
 */
@NullMarked
package sluice.snapshotter.metrics;

import org.jspecify.annotations.NullMarked;
