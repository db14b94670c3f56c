#!/usr/bin/env bash
# Installs what the live tests need: three Debian packages, five Python environments, and what the test cluster is
# made of. Does nothing when everything is there. Prints one line per environment: its name and its folder.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${WARDROOM_LIVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/wardroom-live}
python=${PYTHON:-python3}
policy=/usr/sbin/policy-rc.d

say() { printf '%s\n' "live: $*" >&2; }
die() { say "$*"; exit 1; }

# Debian starts a service as soon as its package is installed. The policy file forbids that; an older
# one is put back afterwards.
forbid_services() {
    if [[ -e $policy ]]; then mv "$policy" "$policy.before-wardroom"; fi
    trap allow_services EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

allow_services() {
    rm -f "$policy"
    if [[ -e $policy.before-wardroom ]]; then mv "$policy.before-wardroom" "$policy"; fi
    trap - EXIT
}

install_debian_packages() {
    local name missing=()
    for name in prometheus prometheus-alertmanager haproxy openssl; do
        PATH=$PATH:/usr/sbin:/sbin command -v "$name" >/dev/null || missing+=("$name")
    done
    "$python" -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null ||
        die "needs ${missing[*]}, and this system has no apt-get to install them: install them by hand"
    [[ $(id -u) == 0 ]] ||
        die "needs root to install ${missing[*]}: run 'apt-get install --no-install-recommends ${missing[*]}' as root first"
    say "installing ${missing[*]}"
    local log=$cache/apt.log
    forbid_services
    export DEBIAN_FRONTEND=noninteractive
    {
        apt-get -o DPkg::Lock::Timeout=300 update &&
            apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}"
    } >"$log" 2>&1 </dev/null || { tail -n 20 "$log" >&2; die "apt-get failed, see $log"; }
    allow_services
}

# One environment, named by the hash of what is asked for. The stamp file comes last: without it the
# folder is half made, and is made again.
build_environment() {
    local name=$1 want=$here/requirements
    local key folder
    key=$({ "$python" -VV; cat "$want/base.txt" "$want/$name.txt" "$want/$name.lock"; } | sha256sum | cut -c1-12)
    folder=$cache/$name-$key
    exec 9>"$folder.lock"
    flock 9
    if [[ ! -e $folder/complete ]]; then
        say "building the Python environment $name (a few minutes)"
        rm -rf "$folder"
        {
            "$python" -m venv "$folder" &&
                "$folder/bin/python" -m pip install --disable-pip-version-check --no-input --no-compile \
                    --requirement "$want/$name.txt" --constraint "$want/$name.lock"
        } >"$folder.log" 2>&1 9>&- || { tail -n 20 "$folder.log" >&2; die "cannot build $name, see $folder.log"; }
        touch "$folder/complete"
    fi
    exec 9>&-
    printf '%s %s\n' "$name" "$folder"
}

mkdir -p "$cache"
"$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' ||
    die "needs Python 3.10 to 3.12, found $("$python" --version 2>&1); set PYTHON"
install_debian_packages

jobs=()
for name in mlflow mlserver kserve bentoml evidently; do
    build_environment "$name" &
    jobs+=($!)
done
status=0
for job in "${jobs[@]}"; do wait "$job" || status=1; done
((status == 0)) || die "an environment could not be built"
if command -v go >/dev/null; then
    "$here/../cluster/install.sh"
else
    say "NO TEST CLUSTER: it needs Go 1.26 or later to be built"
fi
