"""Who may do what on the test cluster."""

# Each has a kubeconfig of that name. Roles and bindings of users named `system:` come with the API server.
USERS = {
    "kube-controller-manager": "system:kube-controller-manager",
    "kube-scheduler": "system:kube-scheduler",
    "argo-rollouts": "argo-rollouts",
    "flagger": "flagger",
    "kubelet": "wardroom-kubelet",
    "admin": "admin",
    "operator": "operator",
    "pauser": "pauser",
    "viewer": "viewer",
}
GROUPS = {"admin": "system:masters"}

READ = ["get", "list", "watch"]
ROLES_API = "rbac.authorization.k8s.io/v1"


def rule(group, resources, verbs):
    return {"apiGroups": [group], "resources": resources.split(), "verbs": verbs}


# No secrets.
SEE = [
    rule(
        "",
        "namespaces nodes pods pods/log pods/status services endpoints events configmaps serviceaccounts"
        " replicationcontrollers resourcequotas limitranges",
        READ,
    ),
    *(
        rule(group, "*", READ)
        for group in (
            "apps", "autoscaling", "policy", "discovery.k8s.io", "events.k8s.io", "coordination.k8s.io",
            "apiextensions.k8s.io", "argoproj.io", "flagger.app", "serving.kserve.io", "serving.knative.dev",
            "gateway.networking.k8s.io", "networking.istio.io", "networking.k8s.io", "mlops.seldon.io",
            "kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io",
        )
    ),
]
PAUSE = [
    rule("argoproj.io", "rollouts", ["patch"]),
    rule("apps", "deployments", ["patch"]),
]
DRIVE = [
    rule("argoproj.io", "rollouts rollouts/status rollouts/scale analysisruns", ["patch"]),
    rule("apps", "deployments deployments/scale", ["patch"]),
    rule("flagger.app", "canaries canaries/status", ["patch"]),
    rule("", "services/proxy", ["get", "create"]),
    rule("serving.kserve.io", "inferenceservices", ["patch"]),
    rule("gateway.networking.k8s.io", "httproutes", ["patch"]),
    rule("networking.istio.io", "virtualservices", ["patch"]),
    rule("mlops.seldon.io", "experiments models", ["patch", "delete"]),
]
# The fake kubelet and the data plane beside it.
SERVE = [
    rule("", "nodes nodes/status", ["get", "list", "create", "patch"]),
    rule("", "pods", [*READ, "delete"]),
    rule("", "pods/status", ["patch"]),
    rule("", "services", READ),
    rule("coordination.k8s.io", "leases", ["get", "create", "patch"]),
    rule("gateway.networking.k8s.io", "httproutes", READ),
    rule("networking.istio.io", "virtualservices", READ),
]
RULES = {
    "viewer": SEE,
    "pauser": SEE + PAUSE,
    "operator": SEE + DRIVE,
    "wardroom-kubelet": SERVE,
}
# Their roles come with the controllers' own manifests.
CONTROLLERS = ("argo-rollouts", "flagger")


def grant(kube):
    """Creates the roles and their bindings."""
    for user, rules in RULES.items():
        role = f"wardroom-test-{user}"
        kube.create(
            f"/apis/{ROLES_API}/clusterroles",
            {"apiVersion": ROLES_API, "kind": "ClusterRole", "metadata": {"name": role}, "rules": rules},
        )
        _bind(kube, user, role)
    for user in CONTROLLERS:
        _bind(kube, user, user)


def _bind(kube, user, role):
    api = ROLES_API.split("/")[0]
    kube.create(
        f"/apis/{ROLES_API}/clusterrolebindings",
        {
            "apiVersion": ROLES_API,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"wardroom-test-{user}"},
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": api, "kind": "User", "name": user}],
        },
    )
