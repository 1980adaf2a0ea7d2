#!/usr/bin/env bash
# Builds the image of the Dockerfile and drives it: `./test image` calls this, which installs the Debian
# packages before. Needs root, for namespaces. What is expensive stays in target/image.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
say() { printf '\n== %s\n' "$*"; }
# shellcheck source-path=SCRIPTDIR
. "$root/tests/image/base.sh"

packages() { # packages FOLDER PACKAGE...
  local folder=$storage/$1
  shift
  if [ "$(cat "$folder/installed" 2>/dev/null)" = "$*" ]; then return; fi
  say "installing $*"
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
  echo "$*" >"$folder/installed"
}

mkdir -p "$storage"
packages tools 'check-jsonschema==0.39.0' 'podman-compose==1.6.0' 'kubernetes-validate==1.37.0'
packages pgadmin 'pgadmin4==9.18'

say 'compose.yaml and compose.sqlite.yaml are valid'
for file in compose.yaml compose.sqlite.yaml; do
  "$storage/tools/bin/check-jsonschema" --builtin-schema vendor.compose-spec "$root/$file"
  (cd "$root" && PATH=$storage/tools/bin:$PATH podman-compose --file "$file" config >/dev/null)
done

say 'the objects of docs/kubernetes.md are valid'
sed -n '/^```yaml$/,/^```$/{/^```/!p}' "$root/docs/kubernetes.md" >"$storage/kubernetes.yaml"
"$storage/tools/bin/kubernetes-validate" --strict --quiet "$storage/kubernetes.yaml"

# POSTLY_IMAGE=cached takes the image of the last run, while something else is being worked on.
if [ "${POSTLY_IMAGE:-}" != cached ]; then build_image; fi
say "the size of the image: $(buildah images --format '{{.Size}}' localhost/postly:latest)"

say 'the image and the services'
# Everything that is started ends with this process, and so do its networks and mounts.
exec unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private \
  sh -c 'mount -t tmpfs tmpfs /run && exec "$@"' sh \
  "$storage/tools/bin/python" "$root/tests/image/main.py" "$@"
