import { Counter, Histogram, type Registry } from 'prom-client';

/** What a KubeClient tells of its traffic. `resource`: the plural, e.g. "moduleimages". */
export interface ClientObserver {
  /** `code`: the status of the answer, or "<error>" when none came. A watch is answered by its headers. */
  requested(request: { host: string; method: string; code: string; durationMs: number }): void;
  /** A whole list was begun, page by page or as a stream. */
  listed(resource: string): void;
  /** A watch was accepted. */
  watched(resource: string): void;
  /** `type`: ADDED, MODIFIED, DELETED or BOOKMARK. */
  received(resource: string, type: string): void;
}

/** Counts the traffic of all clients of a process: requests under client-go's names, lists and watches under ours. */
export function clientMetrics(registry: Registry): ClientObserver {
  const registers = [registry];
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to API servers by method and status; <error> is no answer.',
    ...{ labelNames: ['code', 'host', 'method'] as const, registers },
  });
  const seconds = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'Time until the headers of an answer, waiting for a free connection included.',
    buckets: [0.005, 0.025, 0.1, 0.5, 2.5, 10, 30],
    ...{ labelNames: ['host', 'verb'] as const, registers },
  });
  const ofResource = { labelNames: ['resource'] as const, registers };
  const lists = new Counter({
    name: 'kmm_hub_lists_total',
    help: 'Whole lists begun; a cache that follows well lists once.',
    ...ofResource,
  });
  const watches = new Counter({
    name: 'kmm_hub_watches_total',
    help: 'Watches that an API server accepted.',
    ...ofResource,
  });
  const events = new Counter({
    name: 'kmm_hub_watch_events_total',
    help: 'Events of watches, bookmarks included.',
    ...{ labelNames: ['resource', 'type'] as const, registers },
  });
  return {
    requested({ host, method, code, durationMs }) {
      requests.inc({ code, host, method });
      seconds.observe({ host, verb: method }, durationMs / 1000);
    },
    listed: (resource) => lists.inc({ resource }),
    watched: (resource) => watches.inc({ resource }),
    received: (resource, type) => events.inc({ resource, type }),
  };
}
