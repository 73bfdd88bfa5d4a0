// SPDX-License-Identifier: Apache-2.0
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** From a manifest out of memory to a layer of gigabytes, seconds. */
const SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 300];

/** One answered (or broken off) request. */
export interface ObservedRequest {
  /** Name of the route; `other` for what is none. */
  route: string;
  method: string;
  status: number;
  seconds: number;
  /** Of the connection, as far as they were read and written. */
  bytesReceived: number;
  bytesSent: number;
}

/** Types of metrics that only ever grow. */
const COUNTS = new Set(['counter', 'histogram']);

type Child = { requests: Counter.Internal; seconds: Histogram.Internal<string> };

/** What this process has counted, as one value, so that it can be sent to another process. */
export type MetricsSnapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/** What Prometheus may ask for. One object a process; those of workers are added up by {@link mergeMetrics}. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<'route' | 'method' | 'status'>;
  readonly #seconds: Histogram<'route' | 'method'>;
  readonly #received: Counter;
  readonly #sent: Counter;
  readonly #running: Gauge;
  readonly #failures: Counter<'code'>;
  readonly #cacheReads: Counter<'result'>;
  /** Looking labels up costs more than counting. */
  readonly #children = new Map<string, Child>();

  constructor() {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Counter({
      name: 'uk_registry_requests_total',
      help: 'Requests that were answered',
      labelNames: ['route', 'method', 'status'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'uk_registry_request_duration_seconds',
      help: 'From the headers of a request to the end of its answer',
      labelNames: ['route', 'method'],
      buckets: SECONDS,
      registers,
    });
    this.#received = new Counter({
      name: 'uk_registry_received_bytes_total',
      help: 'Bytes of bodies received',
      registers,
    });
    this.#sent = new Counter({ name: 'uk_registry_sent_bytes_total', help: 'Bytes of answers sent', registers });
    this.#running = new Gauge({ name: 'uk_registry_requests_running', help: 'Requests under way', registers });
    this.#failures = new Counter({
      name: 'uk_registry_failures_total',
      help: 'Requests that the server could not answer, by the reason',
      labelNames: ['code'],
      registers,
    });
    this.#cacheReads = new Counter({
      name: 'uk_registry_blob_cache_reads_total',
      help: 'Reads of blobs small enough for the memory cache',
      labelNames: ['result'],
      registers,
    });
  }

  begin(): void {
    this.#running.inc();
  }

  end({ route, method, status, seconds, bytesReceived, bytesSent }: ObservedRequest): void {
    this.#running.dec();
    const child = this.#childOf(route, method, status);
    child.requests.inc();
    child.seconds.observe(seconds);
    if (bytesReceived > 0) this.#received.inc(bytesReceived);
    this.#sent.inc(bytesSent);
  }

  failed(code: string): void {
    this.#failures.inc({ code });
  }

  blobCache(result: 'hit' | 'miss'): void {
    this.#cacheReads.inc({ result });
  }

  snapshot(): Promise<MetricsSnapshot> {
    return this.#registry.getMetricsAsJSON();
  }

  #childOf(route: string, method: string, status: number): Child {
    const key = `${route} ${method} ${status}`;
    const known = this.#children.get(key);
    if (known !== undefined) return known;
    const child = {
      requests: this.#requests.labels({ route, method, status: String(status) }),
      seconds: this.#seconds.labels({ route, method }),
    };
    this.#children.set(key, child);
    return child;
  }
}

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** What stays true of processes that ended: what they counted, and not how they were. */
export async function addUp(snapshots: readonly MetricsSnapshot[]): Promise<MetricsSnapshot> {
  const counts = snapshots.map((metrics) => metrics.filter(({ type }) => COUNTS.has(String(type))));
  return AggregatorRegistry.aggregate(counts).getMetricsAsJSON();
}

/** The text that Prometheus reads, of all processes together. */
export function mergeMetrics(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate([...snapshots]).metrics();
}
