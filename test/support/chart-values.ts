/** What somebody has to set at least. */
export const MINIMAL_VALUES = {
  settings: { repo: "https://git.example.com/platform/federation.git" },
  image: { repository: "registry.example.com/amko-gitops" },
};

/** Every value of the chart, each another one than its default. */
export const FULL_VALUES = {
  federation: {
    currentCluster: "arn:aws:eks:eu-west-1:1:cluster/a",
    currentClusterIsLeader: true,
    memberClusters: ["cluster1", "cluster2"],
    image: { repository: "registry.example.com/amko-federator", pullPolicy: "IfNotPresent" },
  },
  settings: {
    repo: "http://git.example.com:3000/platform/federation.git",
    branch: "live",
    path: "gslb",
    refPrefix: "agents",
    kubeconfig: "/etc/more/kubeconfig",
    context: "here",
    poll: "*/5 * * * * *",
    resync: "0 */20 * * * *",
    publish: "propose",
    drift: "report",
    localDesignation: "commit",
    memberCredentials: "ignore",
    membersKubeconfig: "/etc/more/members",
    historyRewrite: "follow",
    batchWindow: "500ms",
    ackInterval: "10s",
    deleteGrace: "1m",
    handoverTimeout: "never",
    staleAfter: "10m",
    gitTimeout: "20s",
    kubeTimeout: "20s",
    author: "The agent <agent@example.com>",
    logLevel: "debug",
    logFormat: "text",
  },
  gitSecretName: "flux-system",
  webhookSecretName: "amko-gitops-webhook",
  image: {
    repository: "registry.example.com/mirror/amko-gitops",
    tag: "1.0.0",
    digest: `sha256:${"0123456789abcdef".repeat(4)}`,
    pullPolicy: "Always",
  },
  imagePullSecrets: [{ name: "registry" }],
  port: 9090,
  service: { annotations: { "example.com/service": "yes" } },
  serviceAccount: { annotations: { "example.com/account": "yes" } },
  resources: { requests: { cpu: "50m", memory: "256Mi" }, limits: { memory: "512Mi" } },
  networkPolicy: {
    enabled: true,
    ingressFrom: [
      { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } },
      { ipBlock: { cidr: "192.0.2.0/24" } },
    ],
    egress: [{ to: [{ ipBlock: { cidr: "198.51.100.7/32" } }], ports: [{ port: 443, protocol: "TCP" }] }],
  },
  monitoring: {
    serviceMonitor: { enabled: true, interval: "15s", labels: { release: "prometheus" } },
    rules: { enabled: true, labels: { release: "prometheus" }, runbookUrl: "https://wiki.example.com/amko-gitops" },
  },
  podAnnotations: { "example.com/pod": "yes" },
  podLabels: { team: "platform" },
  priorityClassName: "system-cluster-critical",
  nodeSelector: { "kubernetes.io/os": "linux" },
  tolerations: [{ key: "example.com/infra", operator: "Exists" }],
  affinity: {
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 1,
          preference: { matchExpressions: [{ key: "example.com/zone", operator: "In", values: ["a"] }] },
        },
      ],
    },
  },
  extraEnv: [{ name: "HTTPS_PROXY", value: "http://proxy.example.com:3128" }],
  extraVolumes: [{ name: "more", secret: { secretName: "more" } }],
  extraVolumeMounts: [{ name: "more", mountPath: "/etc/more", readOnly: true }],
  podSecurityContext: { fsGroup: 1000 },
  securityContext: { procMount: "Default" },
};
