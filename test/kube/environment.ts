/** How the run tells its tests what there is. Set by `npm run test:kube`, read by whoever starts a server. */

/** `kube` makes every test cluster a real one. */
export const TEST_CLUSTERS = "AMKO_GITOPS_TEST_CLUSTERS";
/** The programs. */
export const KUBE_API_SERVER = "AMKO_GITOPS_KUBE_API_SERVER";
export const KUBE_ETCD = "AMKO_GITOPS_KUBE_ETCD";
/** The etcd that all clusters of a run share. */
export const KUBE_ETCD_URL = "AMKO_GITOPS_KUBE_ETCD_URL";
/** A folder that lasts as long as the run. */
export const KUBE_RUN_FOLDER = "AMKO_GITOPS_KUBE_RUN_FOLDER";

/** @throws Error when the tests were started in another way. */
export function told(variable: string): string {
  const value = process.env[variable] ?? "";
  if (value === "") throw new Error(`${variable} is not set: these tests are started by npm run test:kube`);
  return value;
}
