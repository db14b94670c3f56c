#!/usr/bin/env bash
# Builds what the test cluster is made of: etcd and Kubernetes' control plane (this module), the Argo Rollouts
# controller (../argo) and the Flagger controller (../flagger); and takes the custom resource definitions out of the
# modules that own them. Does nothing when everything is there. Prints one line per part: its name and its folder.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${WARDROOM_LIVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/wardroom-live}
export GOWORK=off GOFLAGS=-buildvcs=false

# Each file or folder of a module that holds definitions or roles.
resources=config/core/300-resources
definitions=(
    "argo github.com/argoproj/argo-rollouts manifests/crds manifests/role"
    "flagger github.com/fluxcd/flagger artifacts/flagger"
    "kserve github.com/kserve/kserve@v0.20.0 config/crd/full/serving.kserve.io_inferenceservices.yaml"
    "gateway-api sigs.k8s.io/gateway-api@v1.6.1 config/crd/standard"
    "istio istio.io/api@v1.31.1 kubernetes"
    "knative knative.dev/serving@v0.51.0 $resources/service.yaml $resources/route.yaml
        $resources/revision.yaml $resources/configuration.yaml"
)

say() { printf '%s\n' "live: $*" >&2; }
die() { say "$*"; exit 1; }

digest() { sha256sum | cut -c1-12; }

# The version of a module that the go.mod of a part asks for.
required() { awk -v module="$2" '$1 == module && $2 ~ /^v/ { print $2; exit }' "$here/../$1/go.mod"; }

# Calls `fill FOLDER WORD…` for a part that is not there. The stamp file comes last: without it the folder is
# half made, and is made again.
once() {
    local name=$1 key=$2 what=$3 fill=$4 folder
    folder=$cache/$name-$key
    exec 9>"$folder.lock"
    flock 9
    if [[ ! -e $folder/complete ]]; then
        say "building $what"
        rm -rf "$folder"
        mkdir -p "$folder"
        # Not as a condition: that would switch `set -e` off inside.
        local status=0
        (set +e; (set -e; "$fill" "$folder" "$name") >"$folder.log" 2>&1 9>&-) || status=$?
        ((status == 0)) || { tail -n 20 "$folder.log" >&2; die "cannot build $what, see $folder.log"; }
        touch "$folder/complete"
    fi
    exec 9>&-
    printf '%s %s\n' "$name" "$folder"
}

build() {
    local version=v0.0.0 package=k8s.io/component-base/version
    cd "$here/../$2"
    [[ $2 != cluster ]] || version=$(required cluster k8s.io/kubernetes)
    # An unset version would make the API server report v0.0.0-master, which clients take for an old one.
    nice go build -trimpath -o "$1/" -ldflags "-s -w -X $package.gitVersion=$version -X $package.gitMajor=1 \
        -X $package.gitMinor=$(cut -d. -f2 <<<"$version")" tool
    [[ $2 != cluster ]] || mv "$1/server" "$1/etcd"
}

copy_definitions() {
    local line name module paths path root
    for line in "${definitions[@]}"; do
        read -r -d '' name module paths <<<"$line" || true
        [[ $module == *@* ]] || module+=@$(required "$name" "$module")
        root=$(cd / && go mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
        mkdir "$1/$name"
        for path in $paths; do
            find "$root/$path" -maxdepth 1 -name '*.yaml' ! -name 'kustomization.yaml' ! -name 'deployment.yaml' \
                -exec cp --no-preserve=mode {} "$1/$name/" \;
        done
        [[ -n $(ls "$1/$name") ]] || die "no definitions in $module"
    done
}

mkdir -p "$cache"
command -v go >/dev/null || die "the test cluster needs Go 1.26 or later to be built"
for name in cluster argo flagger; do
    once "$name" "$(cat "$here/../$name"/go.{mod,sum} | digest)" "$name (Go, some minutes)" build
done
once definitions "$({ cat "$here/install.sh"; cat "$here"/../{argo,flagger}/go.mod; } | digest)" \
    "the custom resource definitions" copy_definitions
