/** How often a kind of request came. */
export interface RequestCount {
  /** As RBAC names them: get, list, watch, create, update, patch, delete, deletecollection. */
  readonly verb: string;
  /** The plural (`amkoclusters`), with `/status` for the subresource; a path (`/apis`) where it is no resource. */
  readonly resource: string;
  readonly dryRun: boolean;
  readonly count: number;
}

export interface RequestLog {
  add(request: Omit<RequestCount, "count">): void;
  counts(): readonly RequestCount[];
}

export function createRequestLog(): RequestLog {
  const counts = new Map<string, RequestCount>();
  return {
    add: ({ verb, resource, dryRun }) => {
      const key = `${verb} ${resource} ${dryRun}`;
      counts.set(key, { verb, resource, dryRun, count: (counts.get(key)?.count ?? 0) + 1 });
    },
    counts: () => [...counts.values()],
  };
}
