import { describe, expect, it } from "vitest";
import {
  answerJson,
  item,
  list,
  never,
  open,
  type Received,
  startScriptedServer,
  status,
  uid,
  version,
} from "./support.ts";

const gc1 = { kind: "GSLBConfig", name: "gc-1", resourceVersion: version("7") } as const;
const refused = status(422, "Invalid");

describe("a list", () => {
  it("follows its pages to the end", async () => {
    const pages = [
      list([item("a", "1")], "10", "p2"),
      list([item("b", "2")], "10", "p3"),
      list([item("c", "3")], "10"),
    ];
    const server = await startScriptedServer((request, response) =>
      answerJson(response, 200, pages[["p2", "p3"].indexOf(request.query.get("continue") ?? "") + 1] ?? {}),
    );
    const objects = await open(server.url).cluster.list("GSLBConfig", never);
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(["a", "b", "c"]);
    expect(objects[0]).toMatchObject({ apiVersion: "amko.vmware.com/v1alpha1", kind: "GSLBConfig" });
  });

  it.each([
    ["a page is refused", 500, "AG3001"],
    ["its token has expired", 410, "AG3004"],
  ])("fails as a whole when %s", async (_when, code, expected) => {
    const server = await startScriptedServer((request, response) =>
      request.query.has("continue")
        ? answerJson(response, code, status(code, "Expired"))
        : answerJson(response, 200, list([item("a", "1")], "10", "p2")),
    );
    await expect(open(server.url).cluster.list("GSLBConfig", never)).rejects.toMatchObject({ code: expected });
  });

  it("fails when it never ends", async () => {
    const server = await startScriptedServer((_request, response) =>
      answerJson(response, 200, list([item("a", "1")], "10", "again")),
    );
    await expect(open(server.url).cluster.list("GSLBConfig", never)).rejects.toMatchObject({ code: "AG3014" });
    expect(server.received).toHaveLength(20);
  });
});

describe("a patch", () => {
  const ttl = [{ op: "remove", path: "/spec/ttl" }] as const;

  async function patching(live: readonly object[]) {
    const server = await startScriptedServer((request, response) =>
      request.method === "PATCH" ? answerJson(response, 422, refused) : answerJson(response, 200, list(live)),
    );
    return open(server.url).cluster.patch(gc1, ttl, { dryRun: false }, never);
  }

  it("carries the version that it was made for, as JSON patch, under the agent's name", async () => {
    const server = await startScriptedServer((_request, response) => answerJson(response, 200, item("gc-1", "8")));
    await open(server.url).cluster.patch(gc1, ttl, { dryRun: true }, never);
    const [request] = server.received;
    expect(request?.headers["content-type"]).toBe("application/json-patch+json");
    expect(Object.fromEntries(request?.query ?? [])).toEqual({ dryRun: "All", fieldManager: "amko-gitops" });
    expect(request?.body).toEqual([{ op: "replace", path: "/metadata/resourceVersion", value: "7" }, ...ttl]);
  });

  it("that the server cannot apply is a conflict when the object was changed meanwhile", async () => {
    await expect(patching([item("gc-1", "9")])).rejects.toMatchObject({ code: "AG3004" });
  });

  it("that the server cannot apply says that the object is gone when it is", async () => {
    await expect(patching([])).rejects.toMatchObject({ code: "AG3010" });
  });

  it("that the server refuses for the version that it was made for is refused", async () => {
    await expect(patching([item("gc-1", "7")])).rejects.toMatchObject({ code: "AG3007" });
  });

  it("of a status goes to the subresource", async () => {
    const server = await startScriptedServer((_request, response) => answerJson(response, 200, item("a", "8")));
    const target = { kind: "AMKOCluster", name: "a", resourceVersion: version("7") } as const;
    await open(server.url).cluster.patchStatus(target, [{ op: "add", path: "/status", value: {} }], never);
    expect(server.received[0]?.path).toBe("/apis/amko.vmware.com/v1alpha1/namespaces/avi-system/amkoclusters/a/status");
  });
});

describe("a removal", () => {
  const target = { ...gc1, uid: uid("u") };
  const gone = status(404, "NotFound", { details: { kind: "gslbconfigs", name: "gc-1" } });

  async function removing(code: number, body: object): Promise<readonly Received[]> {
    const server = await startScriptedServer((_request, response) => answerJson(response, code, body));
    await open(server.url).cluster.remove(target, { dryRun: false }, never);
    return server.received;
  }

  it("names uid and version, so that nothing newer is deleted", async () => {
    const [request] = await removing(200, status(200, "Success"));
    expect(request).toMatchObject({ method: "DELETE", body: { preconditions: { uid: "u", resourceVersion: "7" } } });
  });

  it("says in its body that it is a dry run: a server that finds a body does not look at the query", async () => {
    const server = await startScriptedServer((_request, response) => answerJson(response, 200, status(200, "Success")));
    await open(server.url).cluster.remove(target, { dryRun: true }, never);
    expect(server.received[0]?.body).toMatchObject({ dryRun: ["All"] });
  });

  it("of what is gone already succeeds", async () => {
    await expect(removing(404, gone)).resolves.toBeDefined();
  });

  it("is a conflict when the object was changed", async () => {
    await expect(removing(409, status(409, "Conflict"))).rejects.toMatchObject({ code: "AG3004" });
  });
});

describe("a dry run of a creation", () => {
  it("returns what would be created, which has no version yet", async () => {
    const server = await startScriptedServer((_request, response) =>
      answerJson(response, 201, { metadata: { name: "gc-1", uid: "u" }, spec: { a: 1 } }),
    );
    const { cluster } = open(server.url);
    const object = { apiVersion: "amko.vmware.com/v1alpha1", kind: "GSLBConfig", metadata: { name: "gc-1" }, spec: {} };
    expect(await cluster.create(object, { dryRun: true }, never)).toMatchObject({
      metadata: { resourceVersion: "" },
      spec: { a: 1 },
    });
    await expect(cluster.create(object, { dryRun: false }, never)).rejects.toMatchObject({ code: "AG3014" });
  });
});
