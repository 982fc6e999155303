import { join } from "node:path";
import { writeFiles } from "./git.ts";

/** As much of AMKO's own chart as the install meets: names, values and templates as it has them, in other words. */

const AMKO_CLUSTER = `
apiVersion: amko.vmware.com/v1alpha1
kind: AMKOCluster
metadata: {name: amkocluster-federation, namespace: {{ .Release.Namespace }}}
spec:
  clusterContext: {{ .Values.federation.currentCluster }}
  clusters: {{ toJson .Values.federation.memberClusters }}
  isLeader: {{ .Values.federation.currentClusterIsLeader }}
  version: {{ .Chart.AppVersion }}
`;

const GSLB_CONFIG = `
apiVersion: amko.vmware.com/v1alpha1
kind: GSLBConfig
metadata: {name: gc-1, namespace: {{ .Release.Namespace }}{{ with .Values.keep }}, annotations: {helm.sh/resource-policy: keep}{{ end }}}
spec:
  gslbLeader: {credentials: gslb-avi-secret, controllerIP: {{ .Values.configs.gslbLeaderController }}}
  refreshInterval: {{ .Values.configs.refreshInterval }}
`;

const POLICY = `
apiVersion: amko.vmware.com/v1alpha2
kind: GlobalDeploymentPolicy
metadata: {name: global-gdp, namespace: {{ .Release.Namespace }}{{ with .Values.keep }}, annotations: {helm.sh/resource-policy: keep}{{ end }}}
spec:
  matchRules: {appSelector: {label: {app: gslb}}}
  ttl: {{ .Values.globalDeploymentPolicy.ttl }}
`;

const STATEFUL_SET = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: amko, namespace: {{ .Release.Namespace }}, labels: {app: amko}}
spec:
  replicas: 1
  serviceName: amko
  selector: {matchLabels: {app: amko}}
  template:
    metadata: {labels: {app: amko}}
    spec:
      serviceAccountName: amko-sa
      containers:
        - {name: amko, image: "registry.example.com/amko:{{ .Chart.AppVersion }}"}
        - {name: amko-federator, image: "registry.example.com/amko-federator:{{ .Chart.AppVersion }}"}
        - {name: amko-service-discovery, image: "registry.example.com/amko-service-discovery:{{ .Chart.AppVersion }}"}
`;

const VALUES = `
federation: {currentCluster: cluster1, currentClusterIsLeader: false, memberClusters: [cluster1, cluster2]}
configs: {gslbLeaderController: 10.10.10.10, refreshInterval: 1800}
globalDeploymentPolicy: {ttl: 10}
objects: true
keep: ""
`;

export interface AmkoChartOptions {
  readonly version: string;
  /** Definitions that stand in the chart's folder `crds`, by file name. */
  readonly crds?: Readonly<Record<string, string>>;
}

/** Writes the chart. `objects: false` stands for a chart that has given up GSLBConfig and GDP; `keep` protects them. */
export async function writeAmkoChart(folder: string, { version, crds = {} }: AmkoChartOptions): Promise<string> {
  const optional = (text: string): string => `{{ if .Values.objects }}${text}{{ end }}\n`;
  await writeFiles(folder, {
    "Chart.yaml": `apiVersion: v2\nname: amko\nversion: ${version}\nappVersion: ${version}\n`,
    "values.yaml": VALUES,
    "templates/amkocluster.yaml": AMKO_CLUSTER,
    "templates/gslbconfig.yaml": optional(GSLB_CONFIG),
    "templates/gdp.yaml": optional(POLICY),
    "templates/statefulset.yaml": STATEFUL_SET,
    ...Object.fromEntries(Object.entries(crds).map(([name, text]) => [join("crds", name), text])),
  });
  return folder;
}
